/**
 * Giving a whole, synced file its name.
 *
 * @module
 */
import { VaultExistsError } from "../errors.ts";
import { discard, openFolder, syncFolder } from "../storage/create.ts";
import { systemError } from "../storage/system_errors.ts";

/**
 * Gives a new file its name, at which there must be nothing, and makes that durable.
 *
 * @throws {VaultExistsError} when there is something
 */
export function giveName(temporary: string, path: string): void {
  const folder = openFolder(path);
  try {
    keepBeside(temporary, path);
    // That it stays beside the new file is no reason to say that there is none.
    discard(temporary);
    syncFolder(folder);
  } catch (error) {
    throw systemError(error, "create", path);
  } finally {
    folder?.close();
  }
}

/**
 * Gives a file a second name, exclusively; where there are no hard links, a copy that is synced.
 *
 * @throws {VaultExistsError} when there is something at the second name
 */
export function keepBeside(path: string, copy: string): void {
  try {
    Deno.linkSync(path, copy);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new VaultExistsError(copy, { cause: error });
    copyFile(path, copy);
  }
}

/**
 * Copies a file to a new one of mode 0600, and syncs it.
 *
 * @throws {VaultExistsError} when there is something at the path of the copy
 */
export function copyFile(path: string, copy: string): void {
  try {
    using from = Deno.openSync(path, { read: true });
    using to = Deno.openSync(copy, { write: true, createNew: true, mode: 0o600 });
    const buffer = new Uint8Array(256 * 1024);
    for (let got; (got = from.readSync(buffer)) !== null;) {
      for (let done = 0; done < got;) done += to.writeSync(buffer.subarray(done, got));
    }
    to.syncSync();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new VaultExistsError(copy, { cause: error });
    throw systemError(error, "copy", path);
  }
}

/**
 * Puts a whole, synced file in the place of another, and makes that durable. Whoever looks sees one or the other.
 */
export function replace(temporary: string, path: string): void {
  const folder = openFolder(path);
  try {
    Deno.renameSync(temporary, path);
    syncFolder(folder);
  } catch (error) {
    throw systemError(error, "replace", path);
  } finally {
    folder?.close();
  }
}
