import assert from "node:assert/strict";
import { meaning, nearNames } from "../../lib/cli/near_names.ts";
import { sandbox } from "./coffer.ts";

const NAMES = ["db/password", "db/passwort", "app/password", "Api-Key", "api/token", "x"];

/** What was typed, and the names that it may have been meant for. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ["db/pasword", ["db/password", "db/passwort"]],
  ["db/passowrd", ["db/password", "db/passwort"]],
  ["API-KEY", ["Api-Key"]],
  ["api/tokens", ["api/token"]],
  ["password", ["db/password", "app/password"]],
  ["nothing like it", []],
  // Of one or two letters everything would be near.
  ["y", []],
  ["", []],
];

Deno.test("nearNames() gives the names that may have been meant, the nearest first, at most three", () => {
  for (const [typed, wanted] of TYPED) assert.deepEqual([...nearNames(typed, NAMES)].sort(), [...wanted].sort(), typed);
  assert.equal(nearNames("db/pasword", NAMES)[0], "db/password");
  assert.equal(nearNames("names", Array.from({ length: 9 }, (_, index) => `names${index}`)).length, 3);
});

Deno.test("meaning() asks in one sentence", () => {
  assert.equal(meaning(["a"]), "Did you mean a?");
  assert.equal(meaning(["a", "b", "c"]), "Did you mean a, b or c?");
});

Deno.test("coffer names secrets, users, commands and flags that may have been meant", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "db/password", "--value", "v", ...box.key]);
    await box.ok(["user", "add", "acme/alice", "--role", "read", "--no-password", ...box.key]);
    const hint = async (args: readonly string[], permissions = box.permissions()) => {
      const { err } = await box.run(["--json", ...args], { permissions });
      return JSON.parse(err.trim()).error.hint;
    };
    const secret = 'Did you mean "db/password"?';
    for (const args of [["get"], ["history"], ["meta"], ["rm"], ["otp"], ["restore-version"], ["mv"]]) {
      const more = { "restore-version": ["1"], mv: ["to"] }[args[0]!] ?? [];
      assert.equal(await hint([...args, "db/pasword", ...more, ...box.key]), secret, args[0]);
    }
    const run = ["run", "--env", "A=db/pasword", ...box.key, "--", "true"];
    assert.equal(await hint(run, [...box.permissions(), "--allow-run=true"]), secret);
    for (const args of [["show"], ["enable"], ["disable"], ["rm"], ["scram"], ["passwd"]]) {
      assert.equal(await hint(["user", ...args, "acme/alcie", ...box.key]), 'Did you mean "acme/alice"?', args[0]);
    }
    assert.equal(await hint(["key", "add", "alice", ...box.key]), 'Did you mean "acme/alice"?');
    assert.match(await hint(["gte", "a"]), /`?get`?\?$/);
    assert.equal(await hint(["get", "a", "--versoin", "1"]), "Did you mean --version?");
    assert.equal(await hint(["ls", "--passphrase", "x"]), "Did you mean --passphrase-file?");
    assert.equal(await hint(["--keyfil", "key", "ls"]), "Did you mean --keyfile?");
    // Who cannot open the vault learns no names.
    assert.doesNotMatch(await hint(["get", "db/pasword"]), /db/);
  });
});
