/**
 * `coffer rotate`: a new vault key.
 *
 * @module
 */
import { ConflictingCredentialsError } from "../errors.ts";
import type { RotateReport } from "../rotate.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import type { SlotInfo } from "../slots.ts";
import type { Vault } from "../vault.ts";
import { credentialFrom, type CredentialKind } from "./credential.ts";
import { checkMayChange, checkMayCreate, claimStdin, STDIN } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { refuseBoth } from "./metadata.ts";
import { withNewFile } from "./new_credential.ts";
import { type Opening, openVault, prepareOpening } from "./open.ts";
import { note, shown, showOnce, writeJson } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { showRecoveryCode } from "./recovery.ts";
import { assertWanted } from "./terminal.ts";
import { remembered } from "../sealed/remembered.ts";

/** Flags of `rotate`. */
export interface RotateFlags extends GlobalFlags {
  /** Whether slots go whose credentials were not given. */
  readonly dropOthers: boolean;
  /** Whether not to ask before they go. */
  readonly yes: boolean;
  /** Whether no recovery code is made. */
  readonly noRecovery: boolean;
  /** File for the recovery code. */
  readonly recoveryOut?: string;
  /** Whether the code is not asked back. */
  readonly noConfirm: boolean;
  /** Files with passphrases of further slots. */
  readonly alsoPassphraseFile?: readonly string[];
  /** Key files of further slots. */
  readonly alsoKeyfile?: readonly string[];
  /** Files with certificates of further slots. */
  readonly alsoCertificateFile?: readonly string[];
  /** Files with recovery codes that stay. */
  readonly alsoRecoveryFile?: readonly string[];
}

/** Gives the vault a new key. The slots stay whose credentials are given, the one that opens it among them. */
export default async function rotate(flags: RotateFlags): Promise<void> {
  const { dropOthers, noRecovery, recoveryOut, json } = flags;
  refuseBoth({ "--no-recovery": noRecovery, "--recovery-out": recoveryOut });
  const { path, options, ...from } = prepare(flags);
  const others = furtherCredentials(flags);
  if (recoveryOut !== undefined) checkMayCreate(recoveryOut);
  checkMayChange(path);

  // It opens the vault first, and is wanted once more for the new key.
  const opening = remembered(options);
  await using vault = await openVault({ ...from, path, options: { ...options, ...opening } });
  let code: string | undefined;
  const report = await withNewFile(recoveryOut, async (write) => {
    const onRecoveryCode = async (text: string) => {
      if (recoveryOut !== undefined) write(text);
      else if (json) code = text;
      else await showRecoveryCode(text, flags.noConfirm);
    };
    const credentials = [opening, ...others];
    const onDrop = (slots: readonly SlotInfo[]) => assertWanted(flags.yes, dropping(slots));
    const rotating = { credentials, dropOthers, onDrop, ...(noRecovery ? {} : { onRecoveryCode }) };
    return await waitingFor("sealing everything anew", () => vault.rotate(rotating));
  });
  if (json) await printJson(vault, report, code, recoveryOut);
  else tell(report);
}

/** One credential opens the vault; of several, the others go behind flags of their own. */
function prepare(flags: GlobalFlags): Opening {
  try {
    return prepareOpening(flags);
  } catch (error) {
    if (!(error instanceof ConflictingCredentialsError)) throw error;
    const hint = "Open the vault with one; give the others with --also-passphrase-file, --also-keyfile, " +
      "--also-certificate-file or --also-recovery-file";
    throw new ConflictingCredentialsError(error.given, { hint, cause: error });
  }
}

function furtherCredentials(flags: RotateFlags): CredentialOptions[] {
  const files: readonly [CredentialKind, string, readonly string[] | undefined][] = [
    ["passphrase", "--also-passphrase-file", flags.alsoPassphraseFile],
    ["keyFile", "--also-keyfile", flags.alsoKeyfile],
    ["certificate", "--also-certificate-file", flags.alsoCertificateFile],
    ["recoveryCode", "--also-recovery-file", flags.alsoRecoveryFile],
  ];
  return files.flatMap(([kind, from, paths = []]) =>
    paths.map((file) => {
      if (file === STDIN) claimStdin(from);
      return credentialFrom({ kind, from, file });
    })
  );
}

function tell({ epoch, dropped }: RotateReport): void {
  if (Deno.stderr.isTerminal()) note(`The vault has a new key, of epoch ${epoch}`);
  for (const slot of dropped) note(`Slot ${shown(described(slot))} went: its credential opens the vault no more`);
}

function dropping(slots: readonly SlotInfo[]): string {
  const named = slots.map(described).join(", ");
  return slots.length === 1
    ? `Remove slot ${named}? Its credential will open this vault no more.`
    : `Remove slots ${named}? Their credentials will open this vault no more.`;
}

function described({ id, kind, label }: SlotInfo): string {
  return `${id} (${kind}${label === "" ? "" : ` "${label}"`})`;
}

/** One document with report and code. A slot whose code nobody could read would be of no use: it goes again. */
async function printJson(vault: Vault, report: RotateReport, code: string | undefined, file?: string): Promise<void> {
  if (code === undefined) return await writeJson({ ...report, ...(file === undefined ? {} : { recoveryFile: file }) });
  try {
    await showOnce(() => writeJson({ ...report, recoveryCode: code }));
  } catch (error) {
    // The newest slot is the one that was made.
    await vault.slots.remove(Math.max(...report.slots.map(({ id }) => id)));
    throw error;
  }
}
