import assert from "node:assert/strict";
import { SlotsWouldDropError } from "../lib/errors.ts";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { resolveCredential } from "../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../lib/sealed/key_slot.ts";
import { deriveKeys } from "../lib/sealed/keys.ts";
import { decodeMeta } from "../lib/sealed/meta.ts";
import { readGeneration } from "../lib/sealed/store.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { Vault } from "../lib/vault.ts";
import { readLog } from "./stored_log.ts";
import { CHEAP_KDF, checkWhole, gather, PASSPHRASE, rejectsWith, withVault } from "./helpers.ts";

const OWN = { credentials: [{ passphrase: PASSPHRASE }] };

withVault("Vault.rotate seals everything under a new key and keeps passphrase, values and history", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  await vault.secrets.set("a", "2", { tags: ["x"], note: "n" });
  await vault.secrets.set("large", new Uint8Array(3_000_000));
  const before = await vault.status();
  const report = await vault.rotate(OWN);
  assert.deepEqual([report.epoch, report.dropped], [2, []]);
  assert.deepEqual(report.slots, before.slots, "the slot is the same, wrapped anew");
  const after = await vault.status();
  assert.deepEqual([after.epoch, after.generation], [2, before.generation + 1]);
  assert.ok(after.seals < 8, "seals are counted anew");
  await vault.secrets.set("a", "3");
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.equal(await again.secrets.getText("a"), "3");
  assert.equal(await again.secrets.getText("a", { version: 1 }), "1");
  assert.equal((await again.secrets.get("large")).length, 3_000_000);
  assert.deepEqual((await again.secrets.list())[0]!.tags, ["x"]);
  const log = await readLog(path, { passphrase: PASSPHRASE });
  assert.deepEqual(log.filter(({ operation }) => operation === "vault.rotate").map(({ count }) => count), [2]);
  assert.equal(log.at(0)!.operation, "vault.create", "the log from before is kept");
  assert.equal(log.length, after.generation + 1);
});

withVault(
  "Vault.rotate leaves nothing that the old key opens; older copies open with it and with nothing new",
  async (test) => {
    const { vault, path, folder } = test;
    const keyFile = newKeyFile();
    await vault.slots.add({ kind: "keyfile", keyFile });
    await vault.secrets.set("a", "1");
    const copy = `${folder}/copy`;
    Deno.copyFileSync(path, copy);
    Deno.copyFileSync(`${path}.anchor`, `${copy}.anchor`);
    const { vaultKey, slot } = await unwrapVaultKey(
      decodeMeta(await sealedMeta(copy)),
      await resolveCredential({ keyFile }),
    );
    assert.equal(slot, 2);

    let code = "";
    await vault.rotate({ ...OWN, dropOthers: true, onRecoveryCode: (text) => void (code = text) });
    const medium = await FileMedium.open(path);
    const { vaultId } = decodeMeta((await medium.read())!.meta);
    await rejectsWith(async () => await readGeneration(medium, await deriveKeys(vaultKey, vaultId)), "corrupt-vault");
    medium.close();
    await rejectsWith(() => Vault.open(path, { keyFile }), "wrong-credential");
    await using old = await Vault.open(copy, { keyFile });
    assert.equal(await old.secrets.getText("a"), "1");
    await rejectsWith(() => Vault.open(copy, { recoveryCode: code }), "wrong-credential");
    // In the vault's place the copy is what the anchor is there to tell.
    Deno.renameSync(path, `${path}.new`);
    Deno.copyFileSync(copy, path);
    await rejectsWith(() => Vault.open(path, { keyFile }), "rollback-detected");
    Deno.renameSync(`${path}.new`, path);
  },
);

withVault("Vault.rotate refuses to drop slots without a word, and names them", async (test) => {
  const { vault } = test;
  const keyFile = newKeyFile();
  let certificate = "";
  await vault.slots.add({ kind: "keyfile", keyFile, label: "ci" });
  await vault.slots.add({ kind: "certificate" }, { onSecret: (text) => void (certificate = text) });
  await vault.slots.add({ kind: "recovery" });
  const { generation } = await vault.status();
  const shown: string[] = [];
  const onRecoveryCode = (code: string) => void shown.push(code);
  const error = await rejectsWith(() => vault.rotate({ ...OWN, onRecoveryCode }), "slots-would-drop");
  assert.ok(error instanceof SlotsWouldDropError);
  assert.deepEqual(error.slots.map(({ id, kind, label }) => [id, kind, label]), [[2, "keyfile", "ci"], [
    3,
    "certificate",
    "",
  ]]);
  assert.match(error.message, /2 \(keyfile "ci"\), 3 \(certificate\)/);
  await rejectsWith(
    () => vault.rotate({ credentials: [...OWN.credentials, { keyFile }, { certificate }] }),
    "slots-would-drop",
  );
  await rejectsWith(() => vault.rotate({ credentials: [] }), "no-credential");
  await rejectsWith(
    () => vault.rotate({ credentials: [{ passphrase: "wrong" }], dropOthers: true }),
    "wrong-credential",
  );
  assert.deepEqual([shown.length, (await vault.status()).generation], [0, generation]);

  const report = await vault.rotate({
    credentials: [{ certificate }, ...OWN.credentials, { keyFile }, { keyFile }],
    onRecoveryCode,
  });
  assert.deepEqual(report.dropped.map(({ id }) => id), [4]);
  assert.deepEqual(report.slots.map(({ id, kind }) => [id, kind]), [
    [1, "passphrase"],
    [2, "keyfile"],
    [3, "certificate"],
    [5, "recovery"],
  ]);
  for (const credential of [{ keyFile }, { certificate }, { recoveryCode: shown[0]! }]) {
    await checkWhole(test.path, credential);
  }
});

withVault("Vault.rotate changes nothing when the new recovery code could not be shown", async ({ vault, path }) => {
  const bytes = Deno.readFileSync(path);
  const failing = () => {
    throw new RangeError("nobody there");
  };
  await assert.rejects(() => vault.rotate({ ...OWN, onRecoveryCode: failing }), RangeError);
  assert.deepEqual(Deno.readFileSync(path), bytes);
});

withVault("Vault.rotate is refused when slots changed while keys were derived", async ({ vault, path }) => {
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  const onRecoveryCode = async () => void await other.slots.add({ kind: "keyfile", keyFile: newKeyFile() });
  await rejectsWith(() => vault.rotate({ ...OWN, onRecoveryCode }), "conflict");
  assert.equal((await vault.status()).epoch, 1);
});

withVault("Vault.rotate tells other open vaults that they must be opened again", async ({ vault, path }) => {
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  await vault.secrets.set("a", "1");
  assert.equal(await other.secrets.getText("a"), "1");
  await vault.rotate(OWN);
  await rejectsWith(() => other.secrets.getText("a"), "vault-rotated");
  await rejectsWith(() => other.secrets.set("a", "2"), "vault-rotated");
  await rejectsWith(() => other.rotate(OWN), "vault-rotated");
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  await again.secrets.set("a", "2");
  assert.equal(await vault.secrets.getText("a"), "2");
});

withVault(
  "Vault that follows rotations goes on under the new key, and under an older one that comes back",
  async (test) => {
    const { vault, path, folder } = test;
    const keyFile = newKeyFile();
    await vault.slots.add({ kind: "keyfile", keyFile });
    await vault.secrets.set("a", "1");
    Deno.writeFileSync(`${folder}/backup`, (await vault.backup()).bytes, { mode: 0o600 });
    let asked = 0;
    const passphrase = () => {
      asked++;
      return PASSPHRASE;
    };
    await using following = await Vault.open(path, { passphrase, followRotations: true });
    await using keyed = await Vault.open(path, { keyFile, followRotations: true });
    await vault.rotate({ ...OWN, dropOthers: true });
    assert.equal(await following.secrets.getText("a"), "1");
    await vault.secrets.set("a", "2");
    await vault.rotate(OWN);
    await following.secrets.set("b", "3");
    assert.deepEqual([asked, (await following.status()).epoch], [1, 3]);
    await rejectsWith(() => keyed.secrets.getText("a"), "wrong-credential");
    await following.rotate(OWN);
    await using backup = await Vault.open(`${folder}/backup`, { keyFile });
    await backup.restoreTo(path, { rollback: true });
    await following.slots.add({ kind: "recovery" }, { onSecret: () => {} });
    assert.equal(await following.secrets.getText("a"), "1");
    assert.equal(await keyed.secrets.getText("a"), "1");
    assert.deepEqual([(await following.status()).openedWith, (await keyed.status()).openedWith], [1, 2]);
    await following.check();
  },
);

withVault(
  "Vault that follows rotations is known to the log by the slot that opened it anew",
  async ({ vault, path }) => {
    const keyFile = newKeyFile();
    await vault.slots.add({ kind: "keyfile", keyFile });
    await using following = await Vault.open(path, { passphrase: PASSPHRASE, followRotations: true });
    await using keyed = await Vault.open(path, { keyFile });
    await keyed.slots.remove(1);
    const { id } = await keyed.slots.add({ kind: "passphrase", passphrase: PASSPHRASE, ...CHEAP_KDF });
    await keyed.rotate({ credentials: [{ passphrase: PASSPHRASE }, { keyFile }] });
    await following.secrets.set("a", "1");
    assert.equal((await following.status()).openedWith, id);
    const { operation, slot } = (await gather(keyed.audit.entries())).at(-1)!;
    assert.deepEqual([operation, slot, id], ["secret.set", 3, 3]);
  },
);

withVault("Vault that follows rotations takes no other history under another key", async (test) => {
  const { vault, path, folder } = test;
  await vault.secrets.set("a", "1");
  const copy = `${folder}/copy`;
  Deno.writeFileSync(copy, Deno.readFileSync(path), { mode: 0o600 });
  await vault.secrets.set("a", "2");
  {
    await using apart = await Vault.open(copy, { passphrase: PASSPHRASE, trustAnchor: true });
    await apart.rotate(OWN);
  }
  await using following = await Vault.open(path, { passphrase: PASSPHRASE, followRotations: true });
  // One that trusting the copy's anchor has made longer is one generation ahead.
  await following.secrets.set("a", "3");
  const mine = Deno.readFileSync(path);
  Deno.writeFileSync(path, Deno.readFileSync(copy));
  await rejectsWith(() => following.secrets.getText("a"), "fork-detected");
  await rejectsWith(() => following.secrets.set("a", "4"), "fork-detected");
  Deno.writeFileSync(path, mine);
});

withVault("Vault.rotate begins anew when slots changed meanwhile and no code was shown", async ({ vault, path }) => {
  const other = await Vault.open(path, { passphrase: PASSPHRASE, followRotations: true });
  let times = 0;
  const passphrase = async () => {
    // The slots were read: another key comes in between, once.
    if (times++ === 0) await vault.rotate(OWN);
    return PASSPHRASE;
  };
  assert.equal((await other.rotate({ credentials: [{ passphrase }] })).epoch, 3);
  await other.close();
  await rejectsWith(() => vault.secrets.list(), "vault-rotated");
});

withVault(
  "Vault.open asks once for the credential of a vault that gets a new key meanwhile, and opens it",
  async (test) => {
    const { vault, path } = test;
    await vault.secrets.set("a", "1");
    let asked = 0;
    const passphrase = async () => {
      asked++;
      // The slots were read, the state not yet.
      await vault.rotate(OWN);
      return PASSPHRASE;
    };
    await using again = await Vault.open(path, { passphrase });
    assert.equal(await again.secrets.getText("a"), "1");
    assert.deepEqual([asked, (await again.status()).epoch], [1, 2]);
  },
);

async function sealedMeta(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const medium = await FileMedium.open(path);
  try {
    return new Uint8Array((await medium.read())!.meta);
  } finally {
    medium.close();
  }
}
