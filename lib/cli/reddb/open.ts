/**
 * Reaching a RedDB file, and what opens it.
 *
 * @module
 */
import { UsageError, VaultNotFoundError } from "../../errors.ts";
import type { CredentialInput, RedDbOpenOptions } from "../../reddb/mod.ts";
import { readCredentialText } from "../credential.ts";
import { environment } from "../environment.ts";
import { claimStdin, STDIN } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { isGiven, refuseBoth } from "../metadata.ts";
import { warn } from "../output.ts";
import { askPassphrase, canAsk } from "../terminal.ts";

/** Flags of commands that open a RedDB vault. */
export interface RedDbFlags extends GlobalFlags {
  /** File with its passphrase. */
  readonly reddbPassphraseFile?: string;
  /** File with its certificate. */
  readonly reddbCertificateFile?: string;
}

const VARIABLES = ["REDDB_CERTIFICATE", "REDDB_CERTIFICATE_FILE", "REDDB_VAULT_KEY", "REDDB_VAULT_KEY_FILE"];

/** What opens the RedDB vault, to be read or asked for when the arguments are known to make sense. */
export type RedDbCredentialSource = () => Promise<CredentialInput | undefined>;

/**
 * The credential of a command that opens nothing but a RedDB vault: the flags of every command mean it too.
 *
 * @throws {UsageError} for flags that no RedDB vault opens with
 */
export function ownCredential(flags: RedDbFlags, path: string): RedDbCredentialSource {
  for (const [name, value] of Object.entries({ "--keyfile": flags.keyfile, "--recovery-file": flags.recoveryFile })) {
    if (isGiven(value)) throw new UsageError(`${name} opens no RedDB vault: it takes a certificate or a passphrase`);
  }
  const { passphraseFile, certificateFile, reddbPassphraseFile, reddbCertificateFile } = flags;
  refuseBoth({
    "--reddb-passphrase-file": reddbPassphraseFile,
    "--passphrase-file": passphraseFile,
    "--reddb-certificate-file": reddbCertificateFile,
    "--certificate-file": certificateFile,
  });
  return credentialFrom(reddbPassphraseFile ?? passphraseFile, reddbCertificateFile ?? certificateFile, path);
}

/** The credential of a RedDB vault beside a coffer vault, which the flags of every command open. */
export function redDbCredential(flags: RedDbFlags, path: string): RedDbCredentialSource {
  const { reddbPassphraseFile, reddbCertificateFile } = flags;
  refuseBoth({ "--reddb-passphrase-file": reddbPassphraseFile, "--reddb-certificate-file": reddbCertificateFile });
  return credentialFrom(reddbPassphraseFile, reddbCertificateFile, path);
}

/** RedDB's order: the environment goes before an argument. The library reads it; here it only keeps from asking. */
function credentialFrom(passphrase: string | undefined, certificate: string | undefined, path: string) {
  const file = passphrase ?? certificate;
  if (file === STDIN) claimStdin("the credential");
  return async () => {
    const variable = VARIABLES.find((name) => environment(name) !== undefined);
    if (variable !== undefined) {
      if (file !== undefined) warn(`${variable} is set, so the credential file is not used`);
      return undefined;
    }
    if (passphrase !== undefined) return { passphrase: await readCredentialText(passphrase, "passphrase") };
    if (certificate !== undefined) return { certificate: await readCredentialText(certificate, "certificate") };
    return canAsk() ? { passphrase: await askPassphrase(`Passphrase for ${path}:`) } : undefined;
  };
}

/** How to reach a RedDB file. One that others can read is RedDB's own doing: it is read, and warned of. */
export function redDbOptions(flags: GlobalFlags, path: string): RedDbOpenOptions {
  if (!flags.allowInsecurePermissions) warnOfOthers(path);
  return { ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }), allowInsecurePermissions: true };
}

/** Runs work on a RedDB file; when the file is missing, the hint is about RedDB. */
export async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VaultNotFoundError)) throw error;
    throw new VaultNotFoundError(error.path, {
      hint: "Check the path, or make the vault with `coffer reddb bootstrap`",
      cause: error,
    });
  }
}

function warnOfOthers(path: string): void {
  if (Deno.build.os === "windows") return;
  try {
    const { mode } = Deno.statSync(path);
    if (mode !== null && (mode & 0o077) !== 0) warn(`Other users can open "${path}"; make it private: chmod 600`);
  } catch {
    // That it is missing, or may not be looked at, is said when it is opened.
  }
}
