import assert from "node:assert/strict";
import { metaPages, wiped } from "../backup/damage.ts";
import { sandbox, WEAK } from "./coffer.ts";

const PAGE = 4096;

Deno.test("coffer salvage makes a new vault of what opens, and lists the rest without any value", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["a", "b", "c"]) await box.ok(["set", name, "--value", `hunter2-${name}`, ...box.key]);
    const bytes = Deno.readFileSync(box.vault);
    const [{ page, number }] = await metaPages(bytes);
    box.damaged = true;
    const first = page.segments[3]!.first;
    const damaged = bytes.slice();
    damaged[first * PAGE + 90]! ^= 1;
    Deno.writeFileSync(box.vault, damaged);
    await box.fails(["ls", ...box.key], "corrupt-vault", 6);
    const { out } = await box.ok(["salvage", "out", ...box.key]);
    assert.match(out, /^salvaged: 2 secrets, 3 records, into out$/m);
    assert.match(out, new RegExp(`^not opened: segment at page ${first}, .*page ${first}`, "m"));
    assert.match(out, /^missing: changes of generations 3 to 3$/m);
    assert.doesNotMatch(out, /hunter2/);
    assert.equal((await box.ok(["ls", "--vault", "out", ...box.key])).out, "a\nc\n");
    await box.ok(["check", "--deep", "--vault", "out", ...box.key]);
    const log = await box.json(["audit", "--vault", "out", ...box.key]);
    const own = log.map(({ operation, count, to }: Record<string, unknown>) => [operation, count, to]);
    assert.deepEqual(own, [["vault.create", undefined, undefined], ["vault.salvage", 4, "2 secrets"]]);
    assert.match(
      (await box.ok(["audit", "--vault", "out", ...box.key])).out,
      /vault.salvage +generation 4, 2 secrets /,
    );
    assert.deepEqual(Deno.readFileSync(box.vault), damaged);
    await box.fails(["salvage", "out", ...box.key], "vault-exists", 10);

    const pass = box.file("pass", "correct horse");
    const flags = ["--new-passphrase-file", pass, ...WEAK, ...box.key];
    const document = await box.json(["salvage", "two", "--actor", "kim", "--reason", "disk lost", ...flags]);
    const said = await box.json(["audit", "--vault", "two", "--op", "vault.salvage", "--passphrase-file", pass]);
    assert.deepEqual([said[0].slot, said[0].actor, said[0].reason], [1, "kim", "disk lost"]);
    assert.deepEqual([document.secrets, document.missing], [2, [{ first: 3, last: 3 }]]);
    assert.equal(document.failures[0].segment, first);
    assert.equal((await box.ok(["get", "a", "--vault", "two", "--passphrase-file", pass])).out, "hunter2-a");
    await box.fails(["get", "a", "--vault", "two", ...box.key], "wrong-credential", 4);

    Deno.writeFileSync(box.vault, wiped(bytes, number));
    await box.ok(["salvage", "three", "--deep", ...box.key]);
    assert.equal((await box.ok(["get", "c", "--vault", "three", ...box.key])).out, "hunter2-c");
    await box.fails(
      ["salvage", "four", "--new-keyfile", box.path("k"), "--new-passphrase-file", pass, ...box.key],
      "conflicting-credentials",
      2,
    );
  });
});

Deno.test("coffer check --deep counts values, and asks for a credential", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const value of ["1", "2", "3".repeat(500)]) await box.ok(["set", "a", "--value", value, ...box.key]);
    const { seals } = await box.json(["check", "--deep", ...box.key]);
    assert.deepEqual([seals.values, seals.notes], [3, []]);
    assert.match((await box.ok(["check", "--deep", ...box.key])).out, /^values: 3$/m);
    await box.fails(["check", "--deep"], "no-credential", 4);
  });
});
