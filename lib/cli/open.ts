/**
 * Opening the vault that the flags name.
 *
 * @module
 */
import { UsageError, WrongCredentialError } from "../errors.ts";
import { type CredentialOptions, provided } from "../sealed/credential.ts";
import type { AuditOptions, FileOptions, OpenOptions, Vault } from "../vault.ts";
import { type CredentialSource, findCredential, givenCredential } from "./credential.ts";
import { environment } from "./environment.ts";
import type { GlobalFlags } from "./flags.ts";
import { warn } from "./output.ts";
import { waitingFor } from "./progress.ts";

/** What the arguments say about the vault. To have it means that they make sense; nothing was read yet. */
export interface Opening {
  /** Path of the vault. */
  readonly path: string;
  /** How to open it. */
  readonly options: OpenOptions;
  /** Where the credential comes from; undefined when it is asked for. */
  readonly source?: CredentialSource | undefined;
}

/** Path of the vault: --vault, else COFFER_VAULT, else a file in the current folder. */
export function vaultPath(flags: GlobalFlags): string {
  const path = flags.vault ?? environment("COFFER_VAULT") ?? "vault.coffer";
  if (path === "") throw new UsageError("The path of the vault is empty");
  return path;
}

/** How to reach the vault's file. */
export function fileOptions(flags: GlobalFlags): Omit<FileOptions, "anchor"> & { readonly anchor?: string } {
  return {
    ...(flags.anchor === undefined ? {} : { anchor: flags.anchor }),
    ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }),
    allowInsecurePermissions: flags.allowInsecurePermissions,
  };
}

/** Path of the anchor of a vault that has one. */
export function anchorOf(flags: GlobalFlags, vault: string): string {
  return flags.anchor ?? `${vault}.anchor`;
}

/** What the vault's log is to say of who runs the command. */
export function auditOptions({ actor, reason }: GlobalFlags): AuditOptions {
  return { ...(actor === undefined ? {} : { actor }), ...(reason === undefined ? {} : { reason }) };
}

/** How to open the vault, as the flags and the environment say. */
export function prepareOpening(flags: GlobalFlags): Opening {
  const path = vaultPath(flags);
  const credential = givenCredential(flags, `Passphrase for ${path}:`);
  const options = { ...credential, ...fileOptions(flags), ...auditOptions(flags) };
  return { path, options, source: findCredential(flags) };
}

/** Opens the vault. */
export async function openVault({ path, options, source }: Opening): Promise<Vault> {
  const { Vault } = await import("../vault.ts");
  try {
    const vault = await waitingFor("opening the vault", async (say) => {
      // A command is short: that the vault gets a new key in between is no reason to fail.
      return await Vault.open(path, { ...options, ...sayingWhen(options, say), followRotations: true });
    });
    if (vault.recovered) warnRecovered();
    return vault;
  } catch (error) {
    if (!(error instanceof WrongCredentialError)) throw error;
    throw new WrongCredentialError({ hint: wrongHint(source, error.hint), cause: error });
  }
}

/** The same for every kind of credential; but a variable may have been set for another vault and forgotten. */
function wrongHint(source: CredentialSource | undefined, usual: string): string {
  const origin = source?.from.startsWith("COFFER_") ? `It came from ${source.from}. ` : "";
  return `${origin}${usual}; \`coffer passwd --recovery-file FILE\` sets a new passphrase for a forgotten one`;
}

/** The passphrase of options, told of once it is there: what follows it may be long. */
function sayingWhen({ passphrase }: CredentialOptions, say: (what: string) => void): CredentialOptions {
  if (passphrase === undefined) return {};
  return {
    passphrase: async () => {
      const text = await provided(passphrase);
      // Which of the two it is, only the library knows.
      say("deriving the key and opening the vault");
      return text;
    },
  };
}

/** Says what a torn meta page, or one that was wiped, may mean. */
export function warnRecovered(): void {
  warn("A meta page is torn or wiped, so a newer commit may be lost: a crash, or somebody's doing");
}
