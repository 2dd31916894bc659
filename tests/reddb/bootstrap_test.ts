import assert from "node:assert/strict";
import { bootstrapState, RedDbVault, VaultState } from "../../lib/reddb/mod.ts";
import { rejectsWith, withFolder } from "../helpers.ts";

Deno.test("bootstrapState() makes an administrator with a hash, a verifier and an API key, and a master secret", async () => {
  const { state, pair, apiKey } = await bootstrapState("root", "a long password");
  const again = VaultState.deserialize(state.serialize());
  assert.deepEqual(again, state);
  assert.equal(state.bootstrapped, true);
  assert.deepEqual(state.masterSecret, pair.masterSecret);
  const [user] = state.users;
  assert.deepEqual([user?.username, user?.tenant, user?.role, user?.enabled], ["root", null, "admin", true]);
  assert.equal(user?.scram?.iterations, 16_384);
  assert.deepEqual(state.apiKeys.map(({ key, role }) => [key, role]), [[apiKey, "admin"]]);
  assert.match(state.kv.get("red.secret.aes_key")!, /^[0-9a-f]{64}$/);
  const other = await bootstrapState("root", "a long password");
  assert.notEqual(other.apiKey, apiKey);
  assert.notEqual(other.pair.certificateHex, pair.certificateHex);
});

Deno.test("RedDbVault.saveFirst() saves once, whoever asks", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    const { state, pair } = await bootstrapState("root", "a long password");
    const credential = { certificate: pair.certificate };
    await using vault = await RedDbVault.create(path, credential, { environment: () => undefined });
    await vault.saveFirst(state);
    await rejectsWith(() => vault.saveFirst(state), "vault-exists");
    await using other = await RedDbVault.openWithoutEnvironment(path, { passphrase: "another" });
    await rejectsWith(() => other.saveFirst(VaultState.empty()), "vault-exists");
    assert.deepEqual((await vault.load())?.users.length, 1);
  }));
