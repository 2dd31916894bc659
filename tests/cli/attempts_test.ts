import assert from "node:assert/strict";
import { decodeHex } from "../../lib/bytes.ts";
import { encodeAttempts } from "../../lib/sealed/attempts.ts";
import { finish, type Sandbox, sandbox, WEAK } from "./coffer.ts";

/** A vault with a passphrase, and the flags for the right one and a wrong one. */
async function withPassphrase(box: Sandbox): Promise<{ right: string[]; wrong: string[] }> {
  const right = ["--passphrase-file", box.file("right", "correct horse")];
  const wrong = ["--passphrase-file", box.file("wrong", "incorrect horse")];
  await box.ok(["init", "--no-recovery", ...WEAK, ...right]);
  return { right, wrong };
}

/** Sets the last of so many failures back by so many milliseconds. */
async function pretend(box: Sandbox, failures: number, ago: number): Promise<void> {
  const vaultId = decodeHex((await box.json(["status"])).vaultId);
  const record = { vaultId, failures, last: Date.now() - ago, unlogged: failures };
  Deno.writeFileSync(`${box.vault}.attempts`, await encodeAttempts(record));
}

Deno.test("coffer answers the sixth try after five wrong passphrases with exit 9, even with the right one", async () => {
  await sandbox(async (box) => {
    const { right, wrong } = await withPassphrase(box);
    for (let i = 0; i < 5; i++) {
      await box.fails(["ls", ...wrong], "wrong-credential", 4);
      assert.equal((await box.json(["status"])).attempts.failures, i + 1);
    }
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(`${box.vault}.attempts`).mode! & 0o777, 0o600);
    // A longer wait than this test could take.
    await pretend(box, 14, 0);
    for (const flags of [right, wrong]) {
      const { err } = await box.fails(["ls", ...flags], "too-many-attempts", 9);
      assert.match(err, /possible in 5\d\d s"/);
    }
    const { attempts } = await box.json(["status"]);
    assert.equal(attempts.failures, 14, "what was refused was not tried, and is not counted");
    assert.ok(attempts.retryAfter > 0 && attempts.retryAfter <= 512_000);
    assert.match((await box.ok(["status"])).out, /^failures: +14, next try in 5\d\d s$/m);
    await box.ok(["slot", "ls"]);
    await pretend(box, 14, 512_000);
    await box.ok(["ls", ...right]);
    assert.deepEqual((await box.json(["status"])).attempts, { failures: 0, retryAfter: 0 });
    assert.match((await box.ok(["status"])).out, /^failures: +0$/m);
  });
});

Deno.test("coffer refuses while there is a wait before it reads the passphrase", async () => {
  await sandbox(async (box) => {
    await withPassphrase(box);
    await pretend(box, 14, 0);
    const child = box.spawn(["ls", "--json", "--passphrase-file", "-"], { stdin: "" });
    const { code } = await finish(child);
    assert.equal(code, 9, "stdin was still open");
    await pretend(box, 0, 0);
  });
});

Deno.test("coffer tells of a wrong credential when it may not write beside the vault, and opens with the right one", async () => {
  await sandbox(async (box) => {
    const { right, wrong } = await withPassphrase(box);
    const readOnly = { permissions: [`--allow-read=${box.folder}`] };
    for (let i = 0; i < 6; i++) await box.fails(["ls", ...wrong], "wrong-credential", 4, readOnly);
    await box.ok(["ls", ...right], readOnly);
    await pretend(box, 3, 0);
    await box.ok(["ls", ...right], readOnly);
    assert.equal((await box.json(["status"])).attempts.failures, 3, "nobody could reset it");
  });
});

Deno.test("coffer refuses to open a vault whose attempts file it may not read, and names the permission", async () => {
  await sandbox(async (box) => {
    const { right } = await withPassphrase(box);
    const narrow = { permissions: [`--allow-read=${box.vault},${right[1]}`] };
    const { err } = await box.fails(["ls", ...right], "missing-permission", 8, narrow);
    assert.match(err, /vault\.coffer\.attempts.*--allow-read/);
  });
});

Deno.test("Of 8 coffers with a wrong passphrase at once each is counted or refused, and none crashes", async () => {
  await sandbox(async (box) => {
    const { wrong } = await withPassphrase(box);
    const runs = await Promise.all(Array.from({ length: 8 }, () => box.run(["ls", ...wrong])));
    const codes = runs.map(({ code }) => code);
    const answered = codes.filter((code) => code === 4).length;
    assert.equal(answered + codes.filter((code) => code === 9).length, 8, codes.join());
    const { attempts } = await box.json(["status"]);
    assert.ok(answered >= 5, "five are free");
    assert.ok(attempts.failures >= answered && attempts.failures <= 8);
  });
});
