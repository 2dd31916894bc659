/**
 * `coffer reddb write FILE`: secrets into a RedDB vault.
 *
 * @module
 */
import type { CredentialInput, RedDbVault } from "../../reddb/mod.ts";
import { isThere } from "../files.ts";
import { listOptions } from "../ls.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, note, writeJson } from "../output.ts";
import type { OnConflict } from "./commands.ts";
import { sortConflicts, type Sorted } from "./conflict.ts";
import { redDbCredential, type RedDbFlags, redDbOptions } from "./open.ts";
import { warnOfKeptLines } from "./state.ts";

/** Flags of `reddb write`. */
export interface RedDbWriteFlags extends RedDbFlags {
  /** Only names that match. */
  readonly only?: string;
  /** What to do with entries that have another value. */
  readonly onConflict?: OnConflict;
}

/** Writes all secrets, or those that match, in one save. */
export default async function write(flags: RedDbWriteFlags, path: string): Promise<void> {
  const filter = listOptions(flags.only);
  const credential = redDbCredential(flags, path);
  const secrets = await readSecrets(flags, filter);
  const { set, unchanged, skipped } = await save(flags, path, await credential(), secrets);
  if (flags.json) return await writeJson({ file: path, written: set, unchanged, skipped });
  note(`Wrote ${counted(set.length, "secret")}, ${unchanged.length} unchanged, ${skipped.length} skipped`);
}

/** All values of one moment, read before the other file is touched: one that is not text stops it. */
async function readSecrets(
  flags: RedDbWriteFlags,
  filter: ReturnType<typeof listOptions>,
): Promise<ReadonlyMap<string, string>> {
  await using vault = await openVault(prepareOpening(flags));
  const names = await vault.secrets.list(filter);
  const entries = new Map<string, string>();
  for (const { name } of names) entries.set(name, await vault.secrets.getText(name));
  return entries;
}

async function save(
  flags: RedDbWriteFlags,
  path: string,
  credential: CredentialInput | undefined,
  secrets: ReadonlyMap<string, string>,
): Promise<Sorted> {
  const { RedDbVault } = await import("../../reddb/mod.ts");
  if (isThere(path)) {
    await using vault = await RedDbVault.open(path, credential, redDbOptions(flags, path));
    return await update(vault, secrets, flags.onConflict);
  }
  await using vault = await RedDbVault.create(path, credential, redDbOptions(flags, path));
  return await update(vault, secrets, flags.onConflict);
}

async function update(
  vault: RedDbVault,
  secrets: ReadonlyMap<string, string>,
  onConflict: OnConflict | undefined,
): Promise<Sorted> {
  return await vault.update((state) => {
    warnOfKeptLines(state);
    const sorted = sortConflicts(secrets, (name) => state.kv.get(name), onConflict);
    for (const name of sorted.set) state.kv.set(name, secrets.get(name)!);
    return sorted;
  });
}
