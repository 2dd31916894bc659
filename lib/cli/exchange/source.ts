/**
 * What an import reads: a file of some format, stdin, or the folder of a store.
 *
 * @module
 */
import type { Bytes } from "../../bytes.ts";
import { NoCredentialError, UsageError } from "../../errors.ts";
import { type EntryList, MAX_EXCHANGE_SIZE } from "../../exchange/entry.ts";
import { ExchangeLimitError, ImportDecryptionError } from "../../exchange/errors.ts";
import { guessFormat, parseEntries, type TextFormat } from "../../exchange/formats.ts";
import { systemError } from "../../storage/system_errors.ts";
import { type AgeCredential, isAge, openAge, wantsPassphrase } from "../age.ts";
import { readCredentialText } from "../credential.ts";
import { claimStdin, readFile, readStdin, STDIN } from "../files.ts";
import { askPassphrase, canAsk } from "../terminal.ts";
import type { ImportFormat } from "./commands.ts";

/** The flags that say how something is read. */
export interface SourceFlags {
  /** The format, where it is not to be found out. */
  readonly format?: ImportFormat;
  /** File with age identities. */
  readonly identity?: string;
  /** File with the passphrase of an age file. */
  readonly agePassphraseFile?: string;
}

/** Entries, and the format that they were read in. */
export interface Source {
  /** The format; of what was inside where that was encrypted. */
  readonly format: ImportFormat;
  /** What stands there, not judged yet. */
  readonly list: EntryList;
}

/**
 * Reads what the flags and the argument name.
 *
 * @throws {UsageError} when the format is not certain, or a flag does not fit @throws {NoCredentialError}
 * @throws {ImportDecryptionError} @throws {MalformedImportError} @throws {ExchangeLimitError}
 */
export async function readSource(flags: SourceFlags, path: string): Promise<Source> {
  const { format } = flags;
  if (path === "") throw new UsageError("A file name is empty");
  const info = path === STDIN ? undefined : lookUp(path);
  if (info?.isDirectory) {
    if (format !== undefined && format !== "pass") throw new UsageError(`The format ${format} is a file, not a folder`);
    const { readPassStore } = await import("./pass_store.ts");
    return { format: "pass", list: await readPassStore(path) };
  }
  if (format === "pass") throw new UsageError("A store of pass is a folder", { hint: "Often it is ~/.password-store" });
  // A size that is known ends it before anything is read.
  checkSize(info?.size ?? 0);
  const bytes = path === STDIN ? await stdin() : (await readFile(path, "file to import", MAX_EXCHANGE_SIZE)).bytes;
  checkSize(bytes.length);
  const encrypted = isAge(bytes);
  if (!encrypted) {
    if (format === "age") throw new ImportDecryptionError(path, { hint: "It is no age file; check the path" });
    refuseCredential(flags);
  }
  const inner = encrypted ? await decrypt(bytes, flags, path) : bytes;
  const innerPath = encrypted ? path.replace(/\.age$/, "") : path;
  const found = isTextFormat(format) ? format : await guessFormat(innerPath, inner) ?? (encrypted ? "json" : undefined);
  if (found === undefined) {
    throw new UsageError("The format of the file is not certain", { hint: "Name it with --format" });
  }
  const list = await parseEntries(found, inner);
  inner.fill(0);
  return { format: found, list };
}

function isTextFormat(format: ImportFormat | undefined): format is TextFormat {
  return format !== undefined && format !== "age" && format !== "pass";
}

function lookUp(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    // Reading it says better what is the matter.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw systemError(error, "read", path);
  }
}

async function stdin(): Promise<Bytes> {
  claimStdin("FILE");
  return await readStdin(MAX_EXCHANGE_SIZE);
}

function checkSize(size: number): void {
  if (size > MAX_EXCHANGE_SIZE) throw new ExchangeLimitError("The file has more bytes", MAX_EXCHANGE_SIZE);
}

function refuseCredential({ identity, agePassphraseFile }: SourceFlags): void {
  if (identity === undefined && agePassphraseFile === undefined) return;
  throw new UsageError("A key for an age file was given, and the file is none");
}

async function decrypt(bytes: Bytes, flags: SourceFlags, path: string): Promise<Bytes> {
  const credential = await ageCredential(bytes, flags, path);
  return await openAge(bytes, credential, () => new ImportDecryptionError(path));
}

async function ageCredential(bytes: Bytes, flags: SourceFlags, path: string): Promise<AgeCredential> {
  const { identity, agePassphraseFile } = flags;
  if (!await wantsPassphrase(bytes)) {
    if (identity !== undefined) return { identityFile: identity };
    throw new NoCredentialError({ hint: "The file is encrypted for a recipient: give the identity with --identity" });
  }
  if (agePassphraseFile !== undefined) {
    if (agePassphraseFile === STDIN) claimStdin("--age-passphrase-file");
    return { passphrase: await readCredentialText(agePassphraseFile, "passphrase") };
  }
  if (canAsk()) return { passphrase: await askPassphrase(`Passphrase for ${path}:`) };
  throw new NoCredentialError({
    hint: "The file is encrypted under a passphrase: give it with --age-passphrase-file",
  });
}
