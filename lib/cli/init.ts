/**
 * `coffer init`: makes a vault.
 *
 * @module
 */
import { ConflictingCredentialsError, NoCredentialError, UsageError } from "../errors.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { newKdf } from "../sealed/kdf_limits.ts";
import { checkLabel } from "../sealed/slot.ts";
import { assertFree } from "../storage/create.ts";
import { credentialFrom, findCredential, readNewPassphrase } from "./credential.ts";
import { checkMayCreate, checkMayWrite, claimStdin, STDIN } from "./files.ts";
import { type GlobalFlags, type KdfFlags, kdfOptions } from "./flags.ts";
import { isGiven, refuseBoth } from "./metadata.ts";
import { checkMayEnsure, ensureKeyFile, withNewFile } from "./new_credential.ts";
import { auditOptions, fileOptions, vaultPath } from "./open.ts";
import { note, shown, showOnce, warn, writeJson, writeOut } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { confirmRecoveryCode, layOut } from "./recovery.ts";
import { askNewPassphrase, canAsk } from "./terminal.ts";
import { warnOfWeak } from "./weak_passphrase.ts";

/** Flags of `init`. */
export interface InitFlags extends GlobalFlags, KdfFlags {
  /** File with the passphrase. */
  readonly newPassphraseFile?: string;
  /** Key file, made when it is missing. */
  readonly newKeyfile?: string;
  /** Label of the first slot. */
  readonly label?: string;
  /** File for the recovery code. */
  readonly recoveryOut?: string;
  /** Whether the vault gets no recovery slot. */
  readonly noRecovery: boolean;
  /** Whether the vault gets no anchor. */
  readonly noAnchor: boolean;
  /** Whether the code is not asked back. */
  readonly noConfirm: boolean;
  /** Whether the log says nothing of reads. */
  readonly noAuditReads: boolean;
}

/** Makes a vault, with a recovery slot unless told otherwise. */
export default async function init(flags: InitFlags): Promise<void> {
  const path = vaultPath(flags);
  const { label = "", recoveryOut, noRecovery, json } = flags;
  refuseBoth({ "--no-recovery": noRecovery, "--recovery-out": recoveryOut });
  refuseBoth({ "--no-anchor": flags.noAnchor, "--anchor": flags.anchor });
  const kdf = kdfOptions(flags);
  newKdf(kdf);
  checkLabel(label);
  const { credential, from } = newCredential(flags);
  assertFree(path);
  checkMayWrite(path, "create vault");
  if (flags.anchor !== undefined) checkMayWrite(flags.anchor, "create anchor");
  if (recoveryOut !== undefined) checkMayCreate(recoveryOut);
  if (flags.newKeyfile !== undefined) checkMayEnsure(flags.newKeyfile);
  // A variable that was set for another vault would be taken without a word otherwise.
  if (from?.startsWith("COFFER_")) note(`The vault opens with the ${credentialName(credential)} from ${from}`);

  const { Vault } = await import("../vault.ts");
  await withNewFile(recoveryOut, async (write) => {
    const onRecoveryCode = async (code: string) => {
      if (recoveryOut === undefined) await showCode(code, flags, path);
      else write(code);
    };
    const { passphrase } = credential;
    const judged = async () => await warnOfWeak(typeof passphrase === "function" ? await passphrase() : passphrase!);
    const options = {
      ...credential,
      ...(passphrase === undefined ? {} : { passphrase: judged }),
      ...kdf,
      label,
      ...fileOptions(flags),
      ...auditOptions(flags),
      ...(flags.noAnchor ? { anchor: null } : {}),
      ...(noRecovery ? {} : { onRecoveryCode }),
      policies: { "audit-reads": !flags.noAuditReads },
    };
    await using _vault = await waitingFor("making the vault", () => Vault.create(path, options));
  });
  await warnUnenforced(path);
  if (!json && Deno.stderr.isTerminal()) note(`Created ${shown(path)}`);
  if (json && noRecovery) await writeJson({ vault: path });
  if (json && recoveryOut !== undefined) await writeJson({ vault: path, recoveryFile: recoveryOut });
}

/** Where nothing keeps other users from the new file, that is said. A file with a mode was made with it. */
async function warnUnenforced(path: string): Promise<void> {
  if (Deno.build.os !== "windows") return;
  const { checkPrivate } = await import("../storage/permissions.ts");
  const privacy = await checkPrivate(path);
  if (privacy.state === "unenforced") warn(`Nothing is known to keep other users from the vault: ${privacy.reason}`);
}

/** The credential of the first slot, and the flag or variable that it comes from unless it is asked for. */
interface FirstCredential {
  readonly credential: Pick<CredentialOptions, "passphrase" | "keyFile">;
  readonly from?: string;
}

/** The credential of the first slot, to be read or asked for once the path is known to be free. */
function newCredential(flags: InitFlags): FirstCredential {
  const { newPassphraseFile, newKeyfile } = flags;
  const given = Object.entries({
    "--passphrase-file": flags.passphraseFile,
    "--keyfile": flags.keyfile,
    "--new-passphrase-file": newPassphraseFile,
    "--new-keyfile": newKeyfile,
    "--recovery-file": flags.recoveryFile,
    "--certificate-file": flags.certificateFile,
  }).filter(([, value]) => isGiven(value)).map(([name]) => name);
  if (given.length > 1) throw new ConflictingCredentialsError(given);
  if (newKeyfile !== undefined) {
    return { credential: { keyFile: async () => await ensureKeyFile(newKeyfile) }, from: "--new-keyfile" };
  }
  if (newPassphraseFile !== undefined) {
    if (newPassphraseFile === STDIN) claimStdin("--new-passphrase-file");
    const passphrase = async () => await readNewPassphrase(newPassphraseFile);
    return { credential: { passphrase }, from: "--new-passphrase-file" };
  }
  const source = findCredential(flags);
  if (source === undefined) return { credential: { passphrase: askForOne } };
  const { from } = source;
  const { passphrase, keyFile } = credentialFrom(source);
  if (passphrase !== undefined) return { credential: { passphrase }, from };
  if (keyFile !== undefined) return { credential: { keyFile }, from };
  throw new UsageError(`A vault begins with a passphrase or a key file, not with ${from}`, {
    hint: "Add other slots later with `coffer slot add`",
  });
}

function credentialName({ keyFile }: FirstCredential["credential"]): string {
  return keyFile === undefined ? "passphrase" : "key file";
}

async function askForOne(): Promise<string> {
  if (canAsk()) return await askNewPassphrase();
  throw new NoCredentialError({
    hint: "Give --passphrase-file, --keyfile or --new-keyfile, or run on a terminal",
  });
}

/** Shows the code before the vault is made: there is never a vault whose recovery code nobody has seen. */
async function showCode(code: string, flags: InitFlags, path: string): Promise<void> {
  if (flags.json) return await showOnce(() => writeJson({ vault: path, recoveryCode: code }));
  note("Recovery code. It opens the vault when all else is lost, and is shown this once: write it down.");
  await showOnce(() => writeOut(layOut(code)));
  if (!flags.noConfirm && canAsk() && Deno.stderr.isTerminal()) await confirmRecoveryCode(code);
}
