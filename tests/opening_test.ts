import assert from "node:assert/strict";
import { CorruptVaultError, VaultRotatedError } from "../lib/errors.ts";
import { underOneKey } from "../lib/opening.ts";
import { MemoryMedium } from "../lib/storage/memory.ts";
import { Vault } from "../lib/vault.ts";

const KEY = { keyFile: new Uint8Array(32).fill(7) };

Deno.test("underOneKey() says that the vault was rotated, not damaged, when each try met another key", async () => {
  const medium = new MemoryMedium();
  await using vault = await Vault.create(medium, KEY);
  let tries = 0;
  const open = async () => {
    tries++;
    await vault.rotate({ credentials: [KEY] });
    throw new CorruptVaultError("it is sealed under another key");
  };
  await assert.rejects(underOneKey(medium, {}, open), VaultRotatedError);
  assert.ok(tries > 8, `${tries} tries`);
});

Deno.test("underOneKey() calls a vault damaged at once where nothing changed, and in the end where its key did not", async () => {
  const medium = new MemoryMedium();
  await using vault = await Vault.create(medium, KEY);
  let tries = 0;
  const open = (change: () => Promise<unknown>) => async () => {
    tries++;
    await change();
    throw new CorruptVaultError("a segment is");
  };
  await assert.rejects(underOneKey(medium, {}, open(() => Promise.resolve())), CorruptVaultError);
  assert.equal(tries, 1);
  await assert.rejects(underOneKey(medium, {}, open(() => vault.secrets.set("a", "b"))), CorruptVaultError);
  assert.ok(tries > 8, `${tries} tries`);
});
