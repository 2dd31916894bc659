/**
 * Backups of a vault that a test has, and what a restore makes of them.
 *
 * @module
 */
import { inspectAnchor } from "../../lib/sealed/anchor.ts";
import { type OpenOptions, Vault } from "../../lib/vault.ts";
import { PASSPHRASE, type TestVault } from "../helpers.ts";

export const KEY = { passphrase: PASSPHRASE };

/** Writes a backup of what is there now beside the vault; gives its path. */
export async function backedUp({ path, folder }: TestVault, name = "backup"): Promise<string> {
  await using vault = await Vault.open(path, KEY);
  const backup = `${folder}/${name}`;
  Deno.writeFileSync(backup, (await vault.backup()).bytes, { mode: 0o600 });
  return backup;
}

export async function restored(backup: string, path: string, rollback = false): ReturnType<Vault["restoreTo"]> {
  await using vault = await Vault.open(backup, KEY);
  return await vault.restoreTo(path, { rollback });
}

export async function valueAt(path: string, credential: OpenOptions = KEY): Promise<string> {
  await using vault = await Vault.open(path, credential);
  return await vault.secrets.getText("a");
}

export function anchored(path: string): number {
  return Math.max(...inspectAnchor(Deno.readFileSync(`${path}.anchor`), path).map(({ generation }) => generation));
}
