/**
 * Which credential opens the vault: a flag, else a variable, else a prompt.
 *
 * @module
 */
import { decodeUtf8 } from "../bytes.ts";
import { ConflictingCredentialsError, MalformedCredentialError, NoCredentialError } from "../errors.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { environment } from "./environment.ts";
import { claimStdin, readFile, readStdin, STDIN } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { warn } from "./output.ts";

/** Most bytes of a file with a credential. */
const MAX_FILE_SIZE = 64 * 1024;

/** What a credential is, in the library's words. */
export type CredentialKind = keyof CredentialOptions;

/** Where a credential comes from. Nothing is read yet. */
export interface CredentialSource {
  readonly kind: CredentialKind;
  /** The flag or the variable. */
  readonly from: string;
  /** The file that holds it. */
  readonly file?: string;
  /** The credential itself. */
  readonly text?: string;
}

interface Origin {
  readonly kind: CredentialKind;
  readonly name: string;
  /** Whether what is given is the path of a file. */
  readonly isFile: boolean;
}

const VARIABLES: readonly Origin[] = [
  { kind: "certificate", name: "COFFER_CERTIFICATE", isFile: false },
  { kind: "certificate", name: "COFFER_CERTIFICATE_FILE", isFile: true },
  { kind: "passphrase", name: "COFFER_PASSPHRASE", isFile: false },
  { kind: "passphrase", name: "COFFER_PASSPHRASE_FILE", isFile: true },
  { kind: "keyFile", name: "COFFER_KEYFILE", isFile: true },
  { kind: "recoveryCode", name: "COFFER_RECOVERY_FILE", isFile: true },
];

/** The variables that a credential may come from: what is run for others must not see them. */
export const CREDENTIAL_VARIABLES: readonly string[] = VARIABLES.map(({ name }) => name);

/** What each kind of credential is called in a message. */
const PURPOSES: Readonly<Record<CredentialKind, string>> = {
  passphrase: "passphrase file",
  keyFile: "key file",
  recoveryCode: "recovery file",
  certificate: "certificate file",
};

/** What each kind is asked for as, where - stands for stdin and stdin is a terminal. */
const QUESTIONS: Readonly<Record<CredentialKind, string>> = {
  passphrase: "Passphrase:",
  keyFile: "Key file:",
  recoveryCode: "Recovery code:",
  certificate: "Certificate:",
};

/**
 * The credential that was given by a flag, else by a variable. Several flags, or several variables, are refused.
 *
 * @throws {ConflictingCredentialsError}
 */
export function findCredential(flags: GlobalFlags): CredentialSource | undefined {
  const source = onlyOne(fromFlags(flags)) ?? onlyOne(fromVariables());
  if (source?.file === STDIN) claimStdin(source.from);
  return source;
}

/** The credential of a source, to be read when the library asks for it. */
export function credentialFrom(source: CredentialSource): CredentialOptions {
  const { kind, file, text = "" } = source;
  if (kind === "keyFile") return { keyFile: async () => await readCredentialFile(file!, kind) };
  return { [kind]: file === undefined ? text : async () => await readCredentialText(file, kind) };
}

/** The credential that was given, else one that is asked for when the library wants it: not for a vault that is missing. */
export function givenCredential(flags: GlobalFlags, question: string): CredentialOptions {
  const source = findCredential(flags);
  if (source !== undefined) return credentialFrom(source);
  return {
    passphrase: async () => {
      const { askPassphrase, canAsk } = await import("./terminal.ts");
      if (!canAsk()) throw new NoCredentialError();
      return await askPassphrase(question);
    },
  };
}

/** The new passphrase in a file that a flag names, read now; on a terminal, - asks for it. */
export async function readNewPassphrase(path: string): Promise<string> {
  if (path === STDIN && Deno.stdin.isTerminal()) return await (await import("./terminal.ts")).askNewPassphrase();
  return await readCredentialText(path, "passphrase");
}

/** The contents of a key file. */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  return await readCredentialFile(path, "keyFile");
}

function* fromFlags(flags: GlobalFlags): Generator<CredentialSource> {
  const { passphraseFile, keyfile, recoveryFile, certificateFile } = flags;
  if (passphraseFile !== undefined) yield { kind: "passphrase", from: "--passphrase-file", file: passphraseFile };
  if (keyfile !== undefined) yield { kind: "keyFile", from: "--keyfile", file: keyfile };
  if (recoveryFile !== undefined) yield { kind: "recoveryCode", from: "--recovery-file", file: recoveryFile };
  if (certificateFile !== undefined) yield { kind: "certificate", from: "--certificate-file", file: certificateFile };
}

function* fromVariables(): Generator<CredentialSource> {
  for (const { kind, name, isFile } of VARIABLES) {
    const value = environment(name);
    if (value !== undefined) yield { kind, from: name, ...(isFile ? { file: value } : { text: value }) };
  }
}

function onlyOne(sources: Iterable<CredentialSource>): CredentialSource | undefined {
  const all = [...sources];
  if (all.length > 1) throw new ConflictingCredentialsError(all.map(({ from }) => from));
  return all[0];
}

/** Text of a file without the line end that editors put at its end. */
export async function readCredentialText(path: string, kind: CredentialKind): Promise<string> {
  const bytes = await readCredentialFile(path, kind);
  let text: string;
  try {
    text = decodeUtf8(bytes);
  } catch {
    throw new MalformedCredentialError(`The ${PURPOSES[kind]} is not valid UTF-8`);
  } finally {
    bytes.fill(0);
  }
  const line = text.replace(/\r?\n$/, "");
  if (line === "") throw new MalformedCredentialError(`The ${PURPOSES[kind]} is empty`);
  return line;
}

async function readCredentialFile(path: string, kind: CredentialKind): Promise<Uint8Array> {
  const purpose = PURPOSES[kind];
  // Reading a terminal as a file would show what is typed, and say nothing of what is waited for.
  if (path === STDIN && Deno.stdin.isTerminal()) {
    return await (await import("./terminal.ts")).askHidden(QUESTIONS[kind]);
  }
  const { bytes, mode } = path === STDIN
    ? { bytes: await readStdin(MAX_FILE_SIZE), mode: undefined }
    : await readFile(path, purpose, MAX_FILE_SIZE);
  if (bytes.length > MAX_FILE_SIZE) {
    throw new MalformedCredentialError(`The ${purpose} has more than ${MAX_FILE_SIZE} bytes`);
  }
  if (Deno.build.os !== "windows" && mode !== undefined && (mode & 0o077) !== 0) {
    warn(`Other users can read the ${purpose} "${path}"; make it private: chmod 600`);
  }
  return bytes;
}
