/**
 * Credentials from the environment, in RedDB's order.
 *
 * @module
 */
import { decodeUtf8 } from "../bytes.ts";
import { wipe } from "../crypto/random.ts";
import { ConflictingCredentialsError, FileNotFoundError, MalformedCredentialError } from "../errors.ts";
import { RedDbNoKeyError } from "./errors.ts";
import { systemError } from "../storage/system_errors.ts";
import { type CredentialInput, type RedDbCredential, takeCredential } from "./credential.ts";

/** Gives the value of an environment variable; undefined, or empty, where it is not set. */
export type EnvironmentReader = (variable: string) => string | undefined;

/** Most bytes of a file with a credential. */
const MAX_FILE_SIZE = 64 * 1024;

const VARIABLES = [
  { kind: "certificate", name: "REDDB_CERTIFICATE" },
  { kind: "passphrase", name: "REDDB_VAULT_KEY" },
] as const;

/** Reads the environment as far as this process may; Deno's own prompt never shows. */
export function readEnvironment(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable);
}

/** An environment with nothing in it. */
export function noEnvironment(): undefined {
  return undefined;
}

/**
 * Which credential counts: `REDDB_CERTIFICATE`, else `REDDB_VAULT_KEY`, each also as the name of a file with `_FILE` at
 * its end, else the argument. The caller wipes the bytes.
 *
 * @throws {RedDbNoKeyError} when there is none, or a certificate is not 64 hex digits
 * @throws {ConflictingCredentialsError} when a variable is set in both forms
 * @throws {FileNotFoundError} @throws {MalformedCredentialError} when a file is missing, or holds no text
 */
export async function resolveRedDbCredential(
  argument?: CredentialInput,
  read: EnvironmentReader = readEnvironment,
): Promise<RedDbCredential> {
  for (const { kind, name } of VARIABLES) {
    const text = await readVariable(name, kind, read);
    const credential = text === undefined ? undefined : takeCredential({ [kind]: text });
    if (credential !== undefined) return credential;
  }
  const credential = takeCredential(argument);
  if (credential !== undefined) return credential;
  throw new RedDbNoKeyError(
    "No key for the RedDB vault: REDDB_CERTIFICATE and REDDB_VAULT_KEY are not set, and no credential was given",
  );
}

async function readVariable(name: string, kind: string, read: EnvironmentReader): Promise<string | undefined> {
  const text = read(name) || undefined;
  const path = read(`${name}_FILE`) || undefined;
  if (text !== undefined && path !== undefined) throw new ConflictingCredentialsError([name, `${name}_FILE`]);
  return path === undefined ? text : await readText(path, `${kind} file`);
}

/** Text of a file without the line end that editors put at its end. */
async function readText(path: string, purpose: string): Promise<string> {
  const bytes = await readFile(path, purpose);
  try {
    const text = decodeUtf8(bytes).replace(/\r?\n$/, "");
    if (text !== "") return text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new MalformedCredentialError(`The ${purpose} is not valid UTF-8`);
  } finally {
    wipe(bytes);
  }
  throw new MalformedCredentialError(`The ${purpose} is empty`);
}

async function readFile(path: string, purpose: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_FILE_SIZE + 1);
  let size = 0;
  try {
    using file = await Deno.open(path, { read: true });
    for (let got: number | null = 0; got !== null && size < bytes.length; size += got ?? 0) {
      got = await file.read(bytes.subarray(size));
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new FileNotFoundError(purpose, path, { cause: error });
    throw systemError(error, "read", path);
  }
  if (size > MAX_FILE_SIZE) {
    throw new MalformedCredentialError(`The ${purpose} has more than ${MAX_FILE_SIZE} bytes`);
  }
  return bytes.subarray(0, size);
}
