/**
 * From a path or a disk to the pages of a file, under a lock.
 *
 * @module
 */
import type { Disk, LockMode, LockOptions } from "../storage/disk.ts";
import { DenoDisk } from "../storage/disk_deno.ts";
import { systemError } from "../storage/system_errors.ts";
import { PageFile } from "./page_file.ts";
import { FileSidecar, NO_SIDECAR, type Sidecar } from "./sidecar.ts";

/** How a RedDB file is reached. */
export interface WhereOptions extends LockOptions {
  /** Accepts a file that group or others may read or write. @default {false} */
  readonly allowInsecurePermissions?: boolean;
  /** Where the note of a running save is; beside the file by default, nowhere for a disk of the caller's. */
  readonly sidecar?: Sidecar;
}

/** An open disk, and the place of the note that goes with it. */
export interface Place {
  readonly disk: Disk;
  readonly sidecar: Sidecar;
}

/** Opens a file, or takes a disk as it is. */
export function openPlace(where: string | Disk, options: WhereOptions): Place {
  if (typeof where !== "string") return { disk: where, sidecar: options.sidecar ?? NO_SIDECAR };
  const { allowInsecurePermissions = false } = options;
  const disk = DenoDisk.open(where, { allowInsecurePermissions });
  try {
    return { disk, sidecar: options.sidecar ?? new FileSidecar(realPath(where)) };
  } catch (error) {
    disk.close();
    throw error;
  }
}

/** The file's own name: whoever comes by way of a link must find the note as well. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    // Following a link may need a permission that the file itself does not.
    if (error instanceof Deno.errors.NotCapable) return path;
    throw systemError(error, "look up", path);
  }
}

/** Runs with the file's pages as they are under the lock. Page 0 is read anew each time: another may have changed it. */
export async function locked<T>(
  { disk }: Place,
  mode: LockMode,
  options: LockOptions,
  work: (file: PageFile) => Promise<T>,
): Promise<T> {
  const lock = await disk.lock(mode, options);
  try {
    return await work(await PageFile.read(disk));
  } finally {
    lock.release();
  }
}

/** Runs once with the pages of a file that is read only, and closes what it opened. */
export async function glance<T>(
  where: string | Disk,
  options: WhereOptions,
  work: (file: PageFile, sidecar: Sidecar) => Promise<T>,
): Promise<T> {
  const place = openPlace(where, options);
  try {
    return await locked(place, "shared", options, (file) => work(file, place.sidecar));
  } finally {
    if (typeof where === "string") place.disk.close();
  }
}
