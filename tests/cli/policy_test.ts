import assert from "node:assert/strict";
import { sandbox, WEAK } from "./coffer.ts";

Deno.test("coffer policy sets and lists policies", async () => {
  await sandbox(async (box) => {
    await box.init();
    assert.deepEqual(await box.json(["policy", "set", "max-secret-age", "90", ...box.key]), {
      name: "max-secret-age",
      value: 90,
    });
    await box.ok(["policy", "set", "plaintext-export", "forbid", ...box.key]);
    assert.deepEqual(await box.json(["policy", "ls", ...box.key]), {
      "audit-reads": true,
      "plaintext-export": "forbid",
      "require-reason": false,
      "max-secret-age": 90,
    });
    const { out } = await box.ok(["policy", "ls", ...box.key]);
    assert.deepEqual(out.trimEnd().split("\n").map((line) => line.split(/ +/)), [
      ["POLICY", "VALUE"],
      ["audit-reads", "on"],
      ["plaintext-export", "forbid"],
      ["require-reason", "off"],
      ["max-secret-age", "90"],
    ]);
    const wrong = [["no-such", "on"], ["toString", "on"], ["audit-reads", "yes"], ["plaintext-export", "on"]];
    for (
      const [name, value] of [...wrong, ["max-secret-age", "0"], ["max-secret-age", "99999"], ["max-secret-age", "9h"]]
    ) {
      await box.fails(["policy", "set", name!, value!, ...box.key], "usage", 2);
    }
    for (const [age, value] of [["30d", 30], ["2w", 14], ["1y", 365]] as const) {
      assert.equal((await box.json(["policy", "set", "max-secret-age", age, ...box.key])).value, value);
    }
    await box.ok(["policy", "set", "max-secret-age", "none", ...box.key]);
    await box.fails(["policy"], "usage", 2);
  });
});

Deno.test("coffer policy set reads the credential again before it takes a restriction away", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["policy", "set", "audit-reads", "off", ...box.key]);
    await box.ok(["policy", "set", "audit-reads", "on", ...box.key]);
    // Stdin gives the passphrase once: it opens the vault, and is gone when it is wanted again.
    await box.ok([
      ...["slot", "add", "--kind", "passphrase", "--new-passphrase-file", box.file("pass", "hunter2")],
      ...[...WEAK, ...box.key],
    ]);
    const once = ["--passphrase-file", "-"];
    await box.fails(["policy", "set", "audit-reads", "off", ...once], "malformed-credential", 4, { stdin: "hunter2" });
    await box.ok(["policy", "set", "max-secret-age", "3", ...once], { stdin: "hunter2" });
    await box.ok(["policy", "set", "audit-reads", "off", "--passphrase-file", box.path("pass")]);
  });
});

Deno.test("A coffer vault that requires reasons refuses changes without one", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    await box.ok(["policy", "set", "require-reason", "on", ...box.key]);
    await box.fails(["set", "a", "--value", "2", ...box.key], "reason-required", 11);
    await box.fails(["rm", "a", ...box.key], "reason-required", 11);
    await box.fails(["policy", "set", "require-reason", "off", ...box.key], "reason-required", 11);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "1");
  });
});

Deno.test("coffer ls and status warn of values that are older than the policy wants", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    await box.ok(["policy", "set", "max-secret-age", "1", ...box.key]);
    for (const command of [["ls"], ["status"]]) {
      assert.equal((await box.ok([...command, ...box.key])).err.includes("max-secret-age"), false);
    }
    const { Vault } = await import("../../lib/vault.ts");
    const now = Date.now;
    try {
      Date.now = () => now() - 3 * 86_400_000;
      await using vault = await Vault.open(box.vault, { keyFile: Deno.readFileSync(box.path("key")) });
      await vault.secrets.set("old", "1");
    } finally {
      Date.now = now;
    }
    const warning = /warning: 1 secret is older than the policy max-secret-age wants: "old"/;
    assert.match((await box.ok(["ls", ...box.key])).err, warning);
    assert.match((await box.ok(["status", ...box.key])).err, warning);
    assert.doesNotMatch((await box.ok(["ls", "a", ...box.key])).err, warning);
    await box.ok(["set", "old", "--value", "2", ...box.key]);
    assert.doesNotMatch((await box.ok(["ls", ...box.key])).err, warning);
  });
});
