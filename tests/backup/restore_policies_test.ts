import assert from "node:assert/strict";
import { Vault } from "../../lib/vault.ts";
import { readLog } from "../stored_log.ts";
import { CHEAP_KDF, flipped, rejectsWith, withVault } from "../helpers.ts";

import { backedUp, KEY, restored } from "./restored.ts";

withVault(
  "Vault.restoreTo keeps the stricter policy of backup and vault, with a new key too, and logs it",
  async (test) => {
    const { vault, path } = test;
    await vault.policies.set("max-secret-age", 30);
    await vault.policies.set("audit-reads", true);
    const backup = await backedUp(test);
    await vault.policies.set("plaintext-export", "forbid");
    await vault.policies.set("max-secret-age", 90);
    await vault.policies.set("audit-reads", false, { credential: KEY });
    for (const rotated of [false, true]) {
      if (rotated) {
        await using rotating = await Vault.open(path, KEY);
        await rotating.rotate({ credentials: [KEY] });
      }
      await using source = await Vault.open(backup, KEY);
      const report = await source.restoreTo(path, { rollback: true, credential: KEY });
      const policies = {
        "audit-reads": true,
        "plaintext-export": "forbid",
        "require-reason": false,
        "max-secret-age": 30,
      };
      assert.deepEqual([report.policies, report.policiesFrom], [policies, "both"]);
      await using again = await Vault.open(path, KEY);
      assert.deepEqual(await again.policies.list(), policies);
      const said = (await readLog(path, KEY)).slice(-2);
      assert.deepEqual(said.map(({ operation, name, to, count }) => [operation, name, to, count]), [
        ["vault.restore", undefined, "both", 4],
        ["policy.set", "plaintext-export", "forbid", undefined],
      ]);
    }
  },
);

withVault("Vault.restoreTo wants a reason where the vault that it replaces does", async (test) => {
  const { vault, path } = test;
  const backup = await backedUp(test);
  await vault.policies.set("require-reason", true);
  const before = Deno.readFileSync(path);
  await rejectsWith(() => restored(backup, path, true), "reason-required");
  assert.deepEqual(Deno.readFileSync(path), before);
  await using source = await Vault.open(backup, { ...KEY, reason: "drill" });
  assert.equal((await source.restoreTo(path, { rollback: true })).policies["require-reason"], true);
});

withVault("Vault.restoreTo says that it has the backup's policies when the vault there does not open", async (test) => {
  const { vault, path } = test;
  const backup = await backedUp(test);
  await vault.policies.set("plaintext-export", "forbid");
  await vault.rotate({ credentials: [KEY] });
  await vault.changePassphrase("another passphrase", CHEAP_KDF);
  // Now the older meta page has the slots with the old passphrase no more either.
  await vault.secrets.set("a", "1");
  await vault.close();
  const rotated = Deno.readFileSync(path);
  const damaged = flipped(flipped(rotated, 60), 4096 + 60);
  for (const [file, credential] of [[rotated, KEY], [rotated, undefined], [damaged, KEY], [null, KEY]] as const) {
    if (file === null) Deno.removeSync(path);
    else Deno.writeFileSync(path, file);
    await using source = await Vault.open(backup, KEY);
    const { policies, policiesFrom } = await source.restoreTo(path, { rollback: true, credential });
    assert.deepEqual([policies["plaintext-export"], policiesFrom], ["allow", "backup"]);
    assert.equal((await readLog(path, KEY)).at(-1)!.to, "backup");
  }
});
