/**
 * `coffer reddb import FILE`: a RedDB vault's entries as secrets.
 *
 * @module
 */
import { encodeUtf8 } from "../../bytes.ts";
import { VaultNotFoundError } from "../../errors.ts";
import type { VaultState } from "../../reddb/mod.ts";
import { checkName } from "../../state/names.ts";
import { checkValue } from "../../state/secret.ts";
import type { TransactionSecrets } from "../../secrets.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, note, warn, writeJson } from "../output.ts";
import type { OnConflict } from "./commands.ts";
import { sortConflicts } from "./conflict.ts";
import { reaching, redDbCredential, type RedDbCredentialSource, type RedDbFlags, redDbOptions } from "./open.ts";
import { isExport, readExport } from "./read_export.ts";
import { warnOfKeptLines } from "./state.ts";

/** Flags of `reddb import`. */
export interface RedDbImportFlags extends RedDbFlags {
  /** Put before every name. */
  readonly prefix?: string;
  /** What to do with names that have another value. */
  readonly onConflict?: OnConflict;
}

/** Takes all entries over in one commit. */
export default async function importState(flags: RedDbImportFlags, path: string): Promise<void> {
  const opening = prepareOpening(flags);
  const state = await readState(flags, path, redDbCredential(flags, path));
  warnOfKeptLines(state);
  // All names and sizes are judged before the vault is opened, and so before anything is asked or changed.
  const entries = new Map([...state.kv].map(([key, value]) => {
    checkValue(encodeUtf8(value));
    return [checkName(`${flags.prefix ?? ""}${key}`), value];
  }));

  await using vault = await openVault(opening);
  const { set, unchanged, skipped } = await vault.transaction(({ secrets }) => {
    const sorted = sortConflicts(entries, (name) => current(secrets, name), flags.onConflict);
    for (const name of sorted.set) secrets.set(name, entries.get(name)!);
    return sorted;
  });
  const leftOut = {
    users: state.users.length,
    apiKeys: state.apiKeys.length,
    masterSecret: state.masterSecret !== null,
    lines: state.kept.length,
  };
  if (flags.json) return await writeJson({ imported: set, unchanged, skipped, leftOut });
  note(`Imported ${counted(set.length, "secret")}, ${unchanged.length} unchanged, ${skipped.length} skipped`);
  const left = [
    ...(leftOut.users > 0 ? [counted(leftOut.users, "user")] : []),
    ...(leftOut.apiKeys > 0 ? [counted(leftOut.apiKeys, "API key")] : []),
    ...(leftOut.masterSecret ? ["the master secret"] : []),
    ...(leftOut.lines > 0 ? [counted(leftOut.lines, "line")] : []),
  ];
  if (left.length > 0) warn(`Not taken over: ${left.join(", ")}`);
}

async function readState(
  flags: RedDbImportFlags,
  path: string,
  credential: RedDbCredentialSource,
): Promise<VaultState> {
  if (await isExport(path)) return await readExport(path, credential);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  return await reaching(async () => {
    const options = redDbOptions(flags, path);
    if (!await RedDbVault.hasSavedState(path, options)) throw new VaultNotFoundError(path);
    await using vault = await RedDbVault.open(path, await credential(), options);
    const state = await vault.load();
    if (state === null) throw new VaultNotFoundError(path);
    return state;
  });
}

/** The value as text when it is text, else as bytes, which equal no text. */
function current(secrets: TransactionSecrets, name: string): string | Uint8Array | undefined {
  if (!secrets.has(name)) return undefined;
  const bytes = secrets.get(name);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}
