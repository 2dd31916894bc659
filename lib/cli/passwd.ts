/**
 * `coffer passwd`: changes a passphrase.
 *
 * @module
 */
import { NoCredentialError } from "../errors.ts";
import { newKdf } from "../sealed/kdf_limits.ts";
import { checkMayChange, claimStdin, STDIN } from "./files.ts";
import { readNewPassphrase } from "./credential.ts";
import { type GlobalFlags, type KdfFlags, kdfOptions } from "./flags.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, writeJson } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { askNewPassphrase, canAsk } from "./terminal.ts";
import { warnOfWeak } from "./weak_passphrase.ts";

/** Flags of `passwd`. */
export interface PasswdFlags extends GlobalFlags, KdfFlags {
  /** File with the new passphrase. */
  readonly newPassphraseFile?: string;
  /** Which slot, when it is not the one that opens the vault. */
  readonly slot?: number;
}

/** Wraps the vault key anew for a new passphrase. */
export default async function passwd(flags: PasswdFlags): Promise<void> {
  const kdf = kdfOptions(flags);
  newKdf(kdf);
  const opening = prepareOpening(flags);
  checkMayChange(opening.path);
  const given = await readNew(flags.newPassphraseFile);

  await using vault = await openVault(opening);
  const slot = await waitingFor(
    "deriving the key",
    () =>
      vault.changePassphrase(async () => await warnOfWeak(given ?? await askNewPassphrase()), {
        ...kdf,
        ...(flags.slot === undefined ? {} : { slot: flags.slot }),
      }),
  );
  if (flags.json) await writeJson(slot);
  else if (Deno.stderr.isTerminal()) note(`Changed the passphrase of slot ${slot.id}`);
}

async function readNew(file: string | undefined): Promise<string | undefined> {
  if (file === STDIN) claimStdin("--new-passphrase-file");
  if (file !== undefined) return await readNewPassphrase(file);
  if (canAsk()) return undefined;
  throw new NoCredentialError({ hint: "Give the new passphrase with --new-passphrase-file, or run on a terminal" });
}
