import assert from "node:assert/strict";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, patterned, rejectsWith, withVault } from "./helpers.ts";

withVault("Slots.add() makes slots that open, numbered on from one", async ({ vault, path }) => {
  const keyFile = newKeyFile();
  await vault.secrets.set("a", "1");
  const secrets: string[] = [];
  const onSecret = (text: string) => void secrets.push(text);
  await vault.slots.add({ kind: "passphrase", passphrase: "second", label: "two", ...CHEAP_KDF });
  await vault.slots.add({ kind: "keyfile", keyFile });
  await vault.slots.add({ kind: "recovery" }, { onSecret });
  await vault.slots.add({ kind: "certificate", label: "ops" }, { onSecret });
  const list = await vault.slots.list();
  assert.deepEqual(list.map(({ id, kind, label }) => [id, kind, label]), [
    [1, "passphrase", ""],
    [2, "passphrase", "two"],
    [3, "keyfile", ""],
    [4, "recovery", ""],
    [5, "certificate", "ops"],
  ]);
  assert.deepEqual(list.map(({ kdf }) => kdf !== undefined), [true, true, false, false, false]);
  const credentials = [{ passphrase: "second" }, { keyFile }, { recoveryCode: secrets[0]! }, {
    certificate: secrets[1]!,
  }];
  for (const [index, credential] of credentials.entries()) {
    await using other = await Vault.open(path, credential);
    assert.equal(await other.secrets.getText("a"), "1");
    assert.equal((await other.status()).openedWith, index + 2);
  }
});

withVault("Slots.remove() shuts one out, never gives its number again, and keeps the last one", async (test) => {
  const { vault, path } = test;
  const keyFile = patterned(64);
  await rejectsWith(() => vault.slots.remove(1), "last-slot");
  await rejectsWith(() => vault.slots.remove(2), "slot-not-found");
  const { id } = await vault.slots.add({ kind: "keyfile", keyFile });
  assert.equal((await vault.slots.remove(id)).kind, "keyfile");
  await rejectsWith(() => Vault.open(path, { keyFile }), "wrong-credential");
  assert.equal((await vault.slots.add({ kind: "keyfile", keyFile })).id, id + 1);
  await vault.slots.remove(1);
  await rejectsWith(() => Vault.open(path, test.credential), "wrong-credential");
  test.credential = { keyFile };
  await rejectsWith(() => vault.slots.remove(id + 1), "last-slot");
});

withVault("Slots.add() refuses a seventeenth slot", async ({ vault }) => {
  for (let i = 2; i <= 16; i++) await vault.slots.add({ kind: "keyfile", keyFile: patterned(32, i) });
  await rejectsWith(() => vault.slots.add({ kind: "keyfile", keyFile: patterned(32) }), "slots-full");
  await rejectsWith(() => vault.slots.add({ kind: "certificate" }), "slots-full");
  assert.equal((await vault.slots.list()).length, 16);
});

withVault("Slots.add() leaves no slot when onSecret throws, or input is bad", async ({ vault }) => {
  const onSecret = () => Promise.reject(new RangeError("no printer"));
  for (const kind of ["recovery", "certificate"] as const) {
    await assert.rejects(vault.slots.add({ kind }, { onSecret }), RangeError);
  }
  await rejectsWith(() => vault.slots.add({ kind: "recovery", label: "a".repeat(33) }), "invalid-metadata");
  await rejectsWith(() => vault.slots.add({ kind: "passphrase", passphrase: "", ...CHEAP_KDF }), "weak-credential");
  await rejectsWith(() => vault.slots.add({ kind: "passphrase", passphrase: "a", memory: 8, passes: 1 }), "weak-kdf");
  await rejectsWith(() => vault.slots.add({ kind: "keyfile", keyFile: patterned(31) }), "malformed-credential");
  assert.equal((await vault.slots.list()).length, 1);
  assert.equal((await vault.status()).generation, 1);
});

withVault("Slots.add() makes another certificate each time, also after one was removed", async ({ vault, path }) => {
  const certificates: string[] = [];
  const onSecret = (text: string) => void certificates.push(text);
  const { id } = await vault.slots.add({ kind: "certificate" }, { onSecret });
  await vault.slots.remove(id);
  await vault.slots.add({ kind: "certificate" }, { onSecret });
  await using other = await Vault.open(path, { certificate: certificates[1]! });
  await other.slots.add({ kind: "certificate" }, { onSecret });
  assert.equal(new Set(certificates).size, 3);
  assert.ok(certificates.every((text) => /^[0-9a-f]{64}$/.test(text)));
  await rejectsWith(() => Vault.open(path, { certificate: certificates[0]! }), "wrong-credential");
});

withVault(
  "Slots are seen by other vaults on the file, and two that add at once both count",
  async ({ vault, path, credential }) => {
    await using other = await Vault.open(path, credential);
    await Promise.all(
      [1, 2, 3, 4].map((i) => (i % 2 === 0 ? vault : other).slots.add({ kind: "keyfile", keyFile: patterned(32, i) })),
    );
    assert.deepEqual((await vault.slots.list()).map(({ id }) => id), [1, 2, 3, 4, 5]);
    assert.deepEqual(await other.slots.list(), await vault.slots.list());
  },
);
