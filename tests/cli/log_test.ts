import assert from "node:assert/strict";
import { sandbox } from "./coffer.ts";

Deno.test("coffer --verbose logs every step to stderr, and changes nothing on stdout", async () => {
  await sandbox(async (box) => {
    await box.init();
    const { err } = await box.ok(["set", "db/NAME", "--value", "VALUE", "--verbose", ...box.key]);
    assert.match(err, /^coffer: info: vault: Opened .* at generation 1 with slot 1$/m);
    assert.match(err, /^coffer: debug: vault: Committed generation 2: a delta of \d+ bytes$/m);
    assert.doesNotMatch(err, /NAME|VALUE|logtape/);
    assert.equal((await box.ok(["--verbose", "get", "db/NAME", ...box.key])).out, "VALUE");
    assert.equal((await box.ok(["get", "db/NAME", ...box.key])).err, "");
  });
});

Deno.test("coffer --log-format writes lines of text or JSON, less of them without --verbose", async () => {
  await sandbox(async (box) => {
    await box.init();
    const { err } = await box.ok(["set", "a", "--value", "b", "--log-format", "json", ...box.key]);
    const [entry, ...others] = err.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(entry), ["time", "level", "logger", "message", "properties"]);
    assert.deepEqual([entry.level, entry.logger], ["info", "coffer.vault"]);
    assert.deepEqual(entry.properties, { path: box.vault.split("/").at(-1), generation: 1, slot: 1 });

    const all = await box.ok(["set", "a", "--value", "c", "--log-format=json", "--verbose", ...box.key]);
    assert.deepEqual(all.err.trim().split("\n").map((line) => JSON.parse(line).level), ["info", "debug"]);
    assert.match((await box.ok(["ls", "--log-format", "text", ...box.key])).err, /^coffer: info: vault: Opened /);
    await box.fails(["ls", "--log-format", "xml"], "usage", 2);
  });
});

Deno.test("coffer logs a failure by its code before the error, which stays the last line", async () => {
  await sandbox(async (box) => {
    const { err } = await box.fails(["ls", "--log-format", "json", ...box.key], "vault-not-found", 3);
    const entry = JSON.parse(err.split("\n")[0]!);
    assert.deepEqual([entry.level, entry.properties], ["error", { operation: "open", code: "vault-not-found" }]);
  });
});

Deno.test("coffer logs with no permission, where a command needs none", async () => {
  await sandbox(async (box) => {
    const { err } = await box.ok(["completions", "bash", "--verbose"], { permissions: [] });
    assert.equal(err, "");
  });
});
