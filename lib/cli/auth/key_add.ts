/**
 * `coffer key add USER`: a new API key.
 *
 * @module
 */
import type { Role } from "../../auth/role.ts";
import type { NewApiKey } from "../../auth/transaction_api_keys.ts";
import { toUserId } from "../../auth/user_id.ts";
import { checkMayChange, checkMayCreate } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { withNewFile } from "../new_credential.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, showOnce, writeJson, writeOut } from "../output.ts";

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

/** Makes a key, and shows it once before it counts: there is never a key in force that nobody has seen. */
export default async function keyAdd(flags: KeyAddFlags, owner: string): Promise<void> {
  const { name, role, expires, out } = flags;
  const id = toUserId(owner);
  const opening = prepareOpening(flags);
  if (out !== undefined) checkMayCreate(out);
  checkMayChange(opening.path);
  await using vault = await openVault(opening);
  const make = (write: (text: string) => void) =>
    vault.transaction(async ({ apiKeys }) => {
      const made = await apiKeys.create({ owner: id, name, role, expiresAt: expires });
      if (out !== undefined) write(made.key);
      else await showOnce(() => show(made, flags));
      return made;
    });
  const made = await withNewFile(out, (write) => suggesting(vault, () => make(write)));
  if (out !== undefined && flags.json) {
    const { key: _, ...info } = made;
    await writeJson({ ...info, out });
  }
  if (!flags.json && Deno.stderr.isTerminal()) {
    note(`Key ${made.id} of ${made.owner} (${made.role}); it is not shown again`);
  }
}

async function show({ key, ...info }: NewApiKey, { json }: KeyAddFlags): Promise<void> {
  if (json) await writeJson({ ...info, key });
  else await writeOut(`${key}\n`);
}
