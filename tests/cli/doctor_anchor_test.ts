import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";

interface Finding {
  readonly id: string;
  readonly severity: string;
}

/** What doctor finds about the anchor and failed tries, and its exit code. */
async function found(box: Sandbox): Promise<{ ids: readonly string[]; code: number }> {
  const { code, out } = await box.run(["doctor", "--json"]);
  const { findings } = JSON.parse(out) as { findings: readonly Finding[] };
  const ids = findings.map(({ id }) => id).filter((id) => /^anchor-[^u]|^no-anchor|^failed/.test(id));
  return { ids, code };
}

Deno.test("coffer doctor tells how the vault stands to its anchor", () =>
  sandbox(async (box) => {
    await box.init();
    assert.deepEqual(await found(box), { ids: [], code: 0 });
    const anchor = `${box.vault}.anchor`;
    const first = { vault: Deno.readFileSync(box.vault), anchor: Deno.readFileSync(anchor) };
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    const last = { vault: Deno.readFileSync(box.vault), anchor: Deno.readFileSync(anchor) };

    Deno.writeFileSync(anchor, first.anchor);
    assert.deepEqual(await found(box), { ids: ["anchor-behind"], code: 0 });
    Deno.writeFileSync(anchor, last.anchor);
    Deno.writeFileSync(box.vault, first.vault);
    assert.deepEqual(await found(box), { ids: ["anchor-older"], code: 7 });
    Deno.writeFileSync(box.vault, last.vault);
    Deno.writeFileSync(anchor, last.anchor.slice(0, 100));
    assert.deepEqual(await found(box), { ids: ["anchor-damaged"], code: 7 });
    const foreign = last.anchor.slice();
    for (const at of [0, 512]) foreign[at + 16]! ^= 1;
    Deno.writeFileSync(anchor, foreign);
    assert.deepEqual(await found(box), { ids: ["anchor-foreign"], code: 7 });
    Deno.removeSync(anchor);
    assert.deepEqual(await found(box), { ids: ["anchor-missing"], code: 7 });
    Deno.writeFileSync(anchor, last.anchor, { mode: 0o600 });
    assert.deepEqual(await found(box), { ids: [], code: 0 });
  }));

Deno.test("coffer doctor notes a vault without an anchor, and tries that failed", () =>
  sandbox(async (box) => {
    await box.init("--no-recovery", "--no-anchor");
    const wrong = ["--keyfile", box.file("wrong", "x".repeat(40))];
    for (let i = 0; i < 2; i++) await box.fails(["ls", ...wrong], "wrong-credential", 4);
    assert.deepEqual(await found(box), { ids: ["no-anchor", "failed-attempts"], code: 0 });
    await box.ok(["ls", ...box.key]);
    assert.deepEqual(await found(box), { ids: ["no-anchor"], code: 0 });
  }));
