/**
 * `coffer key add USER`: a new API key.
 *
 * @module
 */
import type { Role } from "../../auth/role.ts";
import type { NewApiKey } from "../../auth/transaction_api_keys.ts";
import { toUserId } from "../../auth/user_id.ts";
import { encodeUtf8 } from "../../bytes.ts";
import { checkMayCreate } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, showOnce, writeJson, writeOut } from "../output.ts";
import { writeNewFile } from "../private_file.ts";

/** Flags of `key add`. */
export interface KeyAddFlags extends GlobalFlags {
  /** What people call it. */
  readonly name?: string;
  /** What a request with it may do. */
  readonly role?: Role;
  /** Until when it is in force. */
  readonly expires?: Date;
  /** File for the key. */
  readonly out?: string;
}

/** Makes a key and shows it once. A key that nobody could read would be of no use: it goes again. */
export default async function keyAdd(flags: KeyAddFlags, owner: string): Promise<void> {
  const { name, role, expires, out } = flags;
  const id = toUserId(owner);
  const opening = prepareOpening(flags);
  if (out !== undefined) checkMayCreate(out);
  await using vault = await openVault(opening);
  const made = await vault.apiKeys.create({ owner: id, name, role, expiresAt: expires });
  try {
    await show(made, flags);
  } catch (error) {
    await vault.apiKeys.revoke(made.id);
    throw error;
  }
  if (!flags.json && Deno.stderr.isTerminal()) {
    note(`Key ${made.id} of ${made.owner} (${made.role}); it is not shown again`);
  }
}

async function show({ key, ...info }: NewApiKey, { out, json }: KeyAddFlags): Promise<void> {
  if (out !== undefined) {
    writeNewFile(out, encodeUtf8(`${key}\n`));
    if (json) await writeJson({ ...info, out });
  } else if (json) await showOnce(() => writeJson({ ...info, key }));
  else await showOnce(() => writeOut(`${key}\n`));
}
