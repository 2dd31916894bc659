import assert from "node:assert/strict";
import { encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { hmac, importHmacKey } from "../../lib/crypto/hmac.ts";
import { Vault } from "../../mod.ts";
import { flipped, PASSPHRASE, rejectsWith, withVault } from "../helpers.ts";

withVault("KeyPair.sign() makes signatures that only this vault verifies", async ({ vault, path }) => {
  const data = encodeUtf8("order 17, paid");
  assert.equal(await vault.keyPair.verify(data, new Uint8Array(32)), false);
  const signature = await vault.keyPair.sign(data);
  assert.equal(signature.length, 32);
  assert.deepEqual(await vault.keyPair.sign(data), signature);
  await using again = await Vault.open(path, { passphrase: PASSPHRASE });
  assert.ok(await again.keyPair.verify(data, signature));
  for (let at = 0; at < signature.length; at++) assert.ok(!await again.keyPair.verify(data, flipped(signature, at)));
  assert.ok(!await again.keyPair.verify(encodeUtf8("order 18, paid"), signature));
  assert.ok(!await again.keyPair.verify(data, signature.subarray(0, 31)));
  // A new vault key leaves signatures as they are.
  await vault.rotate({ credentials: [{ passphrase: PASSPHRASE }] });
  assert.ok(await vault.keyPair.verify(data, signature));
});

withVault("KeyPair.sign() never gives a certificate, whatever it is asked to sign", async ({ vault, path }) => {
  let certificate = "";
  await vault.slots.add({ kind: "certificate" }, { onSecret: (text) => void (certificate = text) });
  for (const number of [1, 2, 3]) {
    const signature = await vault.keyPair.sign(encodeUtf8(`coffer/v1/certificate/${number}`));
    assert.notEqual(encodeHex(signature), certificate);
    await rejectsWith(() => Vault.open(path, { certificate: encodeHex(signature) }), "wrong-credential");
  }
});

withVault("Slots.rotateCertificate() puts a new certificate in the place of the old one", async (test) => {
  const { vault, path } = test;
  const shown: string[] = [];
  const onSecret = (text: string) => void shown.push(text);
  await rejectsWith(() => vault.slots.rotateCertificate(undefined, { onSecret }), "slot-not-found");
  const made = await vault.slots.add({ kind: "certificate", label: "ops" }, { onSecret });
  const replaced = await vault.slots.rotateCertificate(undefined, { onSecret });
  assert.deepEqual([replaced.id, replaced.label, replaced.kind], [made.id, "ops", "certificate"]);
  assert.equal(new Set(shown).size, 2);
  await rejectsWith(() => Vault.open(path, { certificate: shown[0]! }), "wrong-credential");
  {
    await using again = await Vault.open(path, { certificate: shown[1]! });
    assert.equal((await again.status()).openedWith, made.id);
  }
  // A certificate that could not be shown does not count.
  const refuse = () => Promise.reject(new Error("no paper"));
  await assert.rejects(vault.slots.rotateCertificate(made.id, { onSecret: refuse }), /no paper/);
  await using again = await Vault.open(path, { certificate: shown[1]! });
  assert.equal((await again.slots.list()).length, 2);
  await rejectsWith(() => vault.slots.rotateCertificate(1, { onSecret }), "slot-not-found");
  await vault.slots.add({ kind: "certificate" }, { onSecret });
  await rejectsWith(() => vault.slots.rotateCertificate(undefined, { onSecret }), "slot-not-found");
  const told = [];
  for await (const { name } of vault.audit.entries({ operation: "slot.certificate" })) told.push(name);
  assert.deepEqual(told, [String(made.id)]);
});

withVault("Auth.bootstrap() works once", async ({ vault, path }) => {
  const shown: string[] = [];
  const onCertificate = (text: string) => void shown.push(text);
  assert.equal(await vault.auth.isBootstrapped(), false);
  // What cannot be shown is not done.
  const refuse = () => Promise.reject(new Error("no paper"));
  await assert.rejects(
    vault.auth.bootstrap({ name: "root", password: "a password", onCertificate: refuse }),
    /no paper/,
  );
  assert.deepEqual([await vault.auth.isBootstrapped(), await vault.users.list()], [false, []]);

  const both = await Promise.allSettled([
    vault.auth.bootstrap({ name: "root", password: "a password", onCertificate }),
    vault.auth.bootstrap({ name: "other", password: "a password", onCertificate }),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const [admin] = await vault.users.list();
  assert.deepEqual([admin?.role, admin?.tenant, (await vault.users.list()).length], ["admin", null, 1]);
  assert.equal(shown.length, 1);
  await rejectsWith(
    () => vault.auth.bootstrap({ name: "third", password: "x", onCertificate }),
    "already-bootstrapped",
  );
  assert.equal(await vault.auth.isBootstrapped(), true);
  await using again = await Vault.open(path, { certificate: shown[0]! });
  assert.equal((await again.auth.login(admin!.user, "a password")).role, "admin");
});

withVault("Auth.bootstrap() is not for a vault that has an admin of the platform", async ({ vault }) => {
  await vault.users.create({ tenant: "acme", name: "boss", role: "admin" });
  await vault.users.create({ name: "alice", role: "write" });
  await vault.users.create({ name: "off", role: "admin", enabled: false });
  const onCertificate = () => assert.fail("a certificate was shown");
  await rejectsWith(() => vault.auth.bootstrap({ name: "root", password: "x", onCertificate }), "already-bootstrapped");
  await rejectsWith(() => vault.auth.bootstrap({ name: "a/b", password: "x", onCertificate }), "invalid-user-name");
});

withVault("KeyPair.verify() takes no HMAC under a secret that is not the vault's", async ({ vault }) => {
  const data = encodeUtf8("from before");
  assert.ok(await vault.keyPair.verify(data, await vault.keyPair.sign(data)));
  const foreign = await hmac(await importHmacKey(new Uint8Array(32).fill(7)), data);
  assert.ok(!await vault.keyPair.verify(data, foreign));
});
