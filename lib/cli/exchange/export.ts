/**
 * `coffer export`: secrets in a file, encrypted as a matter of course.
 *
 * @module
 */
import { encodeUtf8 } from "../../bytes.ts";
import { SecretNotFoundError, UsageError } from "../../errors.ts";
import { ExportRefusedError } from "../../exchange/errors.ts";
import type { ExportedSecret } from "../../exchange/exported.ts";
import { globMatcher } from "../../state/names.ts";
import type { Vault } from "../../vault.ts";
import { ageEncrypter, agePassphraseEncrypter } from "../age.ts";
import { readNewPassphrase } from "../credential.ts";
import { checkMayCreate, claimStdin, STDIN } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { isGiven, refuseBoth } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, note, shown, shownSize, warn, writeJson, writeOut } from "../output.ts";
import { waitingFor } from "../progress.ts";
import { writeNewFile } from "../private_file.ts";
import { askLine, askNewPassphrase, canAsk } from "../terminal.ts";
import { warnOfWeak } from "../weak_passphrase.ts";
import type { ExportFormat } from "./commands.ts";

/** Flags of `export`. */
export interface ExportFlags extends GlobalFlags {
  /** File to write. */
  readonly out?: string;
  /** Age recipients. */
  readonly to?: readonly string[];
  /** File with the passphrase to encrypt under. */
  readonly newPassphraseFile?: string;
  /** Whether nothing is encrypted. */
  readonly plaintext: boolean;
  /** The format without encryption. */
  readonly format?: ExportFormat;
  /** The vault's name, as a confirmation. */
  readonly yesPlaintext?: string;
  /** Whether older versions are exported too. */
  readonly history: boolean;
  /** Path that names are taken from below. */
  readonly under?: string;
}

/** Stands for stdout where a file is asked for. */
const STDOUT = "-";

type Encrypt = (bytes: Uint8Array) => Promise<Uint8Array>;

/** Writes an export, whole or not at all. */
export default async function exportCommand(flags: ExportFlags, ...globs: readonly string[]): Promise<void> {
  const { out, plaintext, format = "json", history, under } = flags;
  checkFlags(flags);
  globs.forEach(globMatcher);
  const opening = prepareOpening(flags);
  const name = fileName(opening.path);
  if (plaintext) checkConfirmation(flags, name);
  if (out === STDOUT) checkStdout(flags);
  else checkMayCreate(out!);
  const given = plaintext ? undefined : await givenEncryption(flags);

  await using vault = await openVault(opening);
  if (plaintext) await confirmPlaintext(vault, flags, name);
  const encrypt = plaintext
    ? undefined
    : given ?? await agePassphraseEncrypter(await warnOfWeak(await askNewPassphrase()));
  const secrets = await waitingFor("exporting", () => vault.exportSecrets({ plaintext, globs, under, history }));
  if (secrets.length === 0 && globs.length > 0) throw new SecretNotFoundError(globs.join(" "));
  const text = encodeUtf8(await formatted(format, secrets));
  const bytes = encrypt === undefined ? text : await waitingFor("encrypting", () => encrypt(text));
  if (out === STDOUT) await writeOut(bytes);
  else writeNewFile(out!, bytes);
  text.fill(0);

  const document = { file: out, format: plaintext ? format : "age", secrets: secrets.length, size: bytes.length };
  if (flags.json) return await writeJson(document);
  if (Deno.stderr.isTerminal()) {
    note(`Wrote ${counted(secrets.length, "secret")} to ${shown(out!)}, ${shownSize(bytes.length)}`);
  }
  if (plaintext) warn("What was written is not encrypted; remove it as soon as it is not needed");
}

function checkFlags({ out, to, newPassphraseFile, plaintext, format, yesPlaintext, history }: ExportFlags): void {
  if (out === undefined) throw new UsageError("Nothing says where to write", { hint: "Give the file with --out" });
  refuseBoth({ "--plaintext": plaintext, "--to": to });
  refuseBoth({ "--plaintext": plaintext, "--new-passphrase-file": newPassphraseFile });
  // The age program does not open a file that has both.
  refuseBoth({ "--to": to, "--new-passphrase-file": newPassphraseFile });
  for (const [name, value] of Object.entries({ "--format": format, "--yes-plaintext": yesPlaintext })) {
    if (!plaintext && isGiven(value)) throw new UsageError(`${name} needs --plaintext`);
  }
  if (history && format !== undefined && format !== "json") throw new UsageError("--history needs the format json");
}

function checkStdout({ json }: ExportFlags): void {
  if (json) throw new UsageError("--json and --out - cannot be used together");
  if (Deno.stdout.isTerminal()) {
    throw new UsageError("stdout is a terminal, which exports are not written to", { hint: "Name a file with --out" });
  }
}

/** A name that is wrong, or that nobody can be asked for, ends the command before anything is opened. */
function checkConfirmation({ yesPlaintext }: ExportFlags, name: string): void {
  if (yesPlaintext === undefined && !canAsk()) {
    throw new UsageError("An export without encryption has to be confirmed, and stdin is not a terminal", {
      hint: "Give the name of the vault's file with --yes-plaintext",
    });
  }
  if (yesPlaintext !== undefined && yesPlaintext !== name) {
    throw new UsageError("--yes-plaintext does not name this vault", { hint: "It takes the name of the vault's file" });
  }
}

/** The policy is asked first: nobody types a name in vain. */
async function confirmPlaintext(vault: Vault, { yesPlaintext }: ExportFlags, name: string): Promise<void> {
  if (await vault.policies.get("plaintext-export") === "forbid") throw new ExportRefusedError();
  if (yesPlaintext !== undefined) return;
  note("Everybody who can read the file will read the secrets in it.");
  if (await askLine(`Type the name of the vault, ${name}, to write them without encryption:`) !== name) {
    throw new UsageError("That is not the name of the vault; nothing was written");
  }
}

/** What the flags say of the encryption; undefined when a passphrase is to be asked for. */
async function givenEncryption({ to = [], newPassphraseFile }: ExportFlags): Promise<Encrypt | undefined> {
  if (to.length > 0) return await ageEncrypter(to);
  if (newPassphraseFile !== undefined) {
    if (newPassphraseFile === STDIN) claimStdin("--new-passphrase-file");
    return await agePassphraseEncrypter(await warnOfWeak(await readNewPassphrase(newPassphraseFile)));
  }
  if (canAsk()) return undefined;
  throw new UsageError("Nothing says whom to encrypt for, and stdin is not a terminal", {
    hint: "Give an age recipient with --to, or a passphrase with --new-passphrase-file",
  });
}

async function formatted(format: ExportFormat, secrets: readonly ExportedSecret[]): Promise<string> {
  switch (format) {
    case "json":
      return (await import("../../exchange/json.ts")).formatJson(secrets);
    case "dotenv":
      return (await import("../../exchange/dotenv.ts")).formatDotenv(secrets);
    case "csv":
      return (await import("../../exchange/csv_secrets.ts")).formatCsvSecrets(secrets);
  }
}

function fileName(path: string): string {
  return path.replace(/^.*[/\\]/, "");
}
