/**
 * A store of the `pass` program: a folder of files that `gpg` decrypts.
 *
 * @module
 */
import { type Bytes, concat } from "../../bytes.ts";
import { FileNotFoundError, MissingPermissionError } from "../../errors.ts";
import { type EntryList, MAX_ENTRIES } from "../../exchange/entry.ts";
import { ExchangeLimitError, ImportDecryptionError, MalformedImportError } from "../../exchange/errors.ts";
import { type Item, itemEntries } from "../../exchange/item.ts";
import { parsePass } from "../../exchange/pass.ts";
import { MAX_VALUE_SIZE } from "../../state/secret.ts";
import { systemError } from "../../storage/system_errors.ts";
import { withoutCredentials } from "../child_environment.ts";
import { counted, warn } from "../output.ts";
import { showProgress } from "../progress.ts";

const FORMAT = "pass";
/** How many files are decrypted at once; the agent that holds the key does them one by one anyway. */
const AT_ONCE = 4;
/** Deepest folder within a folder. */
const MAX_DEPTH = 64;

/**
 * Reads a store. The files are decrypted by the program gpg, which asks for its own passphrase if need be.
 *
 * @throws {MissingPermissionError} when gpg may not be run @throws {FileNotFoundError} when there is no gpg
 * @throws {ImportDecryptionError} that names the file @throws {MalformedImportError} when the folder holds no such file
 * @throws {ExchangeLimitError}
 */
export async function readPassStore(folder: string): Promise<EntryList> {
  if (Deno.permissions.querySync({ name: "run", command: "gpg" }).state !== "granted") {
    throw new MissingPermissionError("--allow-run=gpg", "decrypt a store of pass");
  }
  const paths = findFiles(folder);
  if (paths.length === 0) {
    throw new MalformedImportError(FORMAT, undefined, "the folder holds no file that ends with .gpg");
  }
  const items: Item[] = new Array(paths.length);
  const progress = showProgress("decrypted");
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let index = next++; index < paths.length; index = next++) {
      const parts = paths[index]!;
      const path = parts.join("/");
      items[index] = parsePass([...parts.slice(0, -1), parts.at(-1)!.slice(0, -4)], await decrypt(`${folder}/${path}`));
      progress?.(++done, paths.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    // The others come to their end with the file that they are at.
    next = paths.length;
    progress?.(1, 1);
    throw error;
  }
  return itemEntries(FORMAT, items);
}

/** The files of a store, as folders and name, sorted. What is hidden, as `.git`, and what are links is left out. */
function findFiles(folder: string): string[][] {
  const found: string[][] = [];
  let links = 0;
  const look = (parts: readonly string[]) => {
    if (parts.length > MAX_DEPTH) throw new ExchangeLimitError("The folders are nested deeper", MAX_DEPTH);
    const path = [folder, ...parts].join("/");
    try {
      for (const { name, isDirectory, isFile, isSymlink } of Deno.readDirSync(path)) {
        if (name.startsWith(".")) continue;
        if (isSymlink) links++;
        else if (isDirectory) look([...parts, name]);
        else if (isFile && name.endsWith(".gpg")) found.push([...parts, name]);
        if (found.length > MAX_ENTRIES) throw new ExchangeLimitError("The folder has more entries", MAX_ENTRIES);
      }
    } catch (error) {
      throw systemError(error, "read", path);
    }
  };
  look([]);
  if (links > 0) warn(`${counted(links, "link")} in the folder ${links === 1 ? "was" : "were"} passed over`);
  return found.sort((a, b) => a.join("/") < b.join("/") ? -1 : 1);
}

async function decrypt(path: string): Promise<Bytes> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("gpg", {
      args: ["--quiet", "--batch", "--decrypt", "--", path],
      env: withoutCredentials(),
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new FileNotFoundError("program", "gpg", { cause: error });
    throw systemError(error, "run", "gpg");
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of child.stdout) {
    size += part.length;
    if (size > MAX_VALUE_SIZE) break;
    parts.push(part);
  }
  const { success } = await child.status;
  if (size > MAX_VALUE_SIZE) throw new ExchangeLimitError(`The entry "${path}" has more bytes`, MAX_VALUE_SIZE);
  if (!success) {
    throw new ImportDecryptionError(path, {
      hint:
        "Try `gpg --decrypt` on the file; the key may be missing, or locked: `export GPG_TTY=$(tty)` lets gpg ask for " +
        "its passphrase on this terminal",
    });
  }
  return concat(...parts);
}
