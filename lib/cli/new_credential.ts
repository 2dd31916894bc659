/**
 * Credentials for new vaults and new slots.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { FileExistsError, FileNotFoundError } from "../errors.ts";
import { newKeyFile } from "../sealed/keyfile.ts";
import { readKeyFile } from "./credential.ts";
import { checkMayWrite, isThere, removeFile, writeNewFile } from "./files.ts";

/**
 * The contents of a key file, which is made when it is missing. It is never taken away again, whatever fails later:
 * another process may have found it by then, and used it.
 */
export async function ensureKeyFile(path: string): Promise<Uint8Array> {
  try {
    return await readKeyFile(path);
  } catch (error) {
    if (!(error instanceof FileNotFoundError)) throw error;
  }
  try {
    writeNewFile(path, newKeyFile());
  } catch (error) {
    // Another process was faster; its file is whole when it appears.
    if (!(error instanceof FileExistsError)) throw error;
  }
  return await readKeyFile(path);
}

/**
 * Refuses a key file that is missing and may not be made, before other work is done.
 *
 * @throws {MissingPermissionError}
 */
export function checkMayEnsure(path: string): void {
  if (!isThere(path)) checkMayWrite(path, "write");
}

/** Runs work that writes a new file, and takes the file away again when the work fails after that. */
export async function withNewFile<T>(
  path: string | undefined,
  work: (write: (text: string) => void) => Promise<T>,
): Promise<T> {
  let written = false;
  try {
    return await work((text) => {
      writeNewFile(path!, encodeUtf8(`${text}\n`));
      written = true;
    });
  } catch (error) {
    if (written) removeFile(path!);
    throw error;
  }
}
