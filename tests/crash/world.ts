/**
 * A model of a file system that a machine may lose parts of: files, the names of files, and which changes to either are
 * durable. It is as forgetful as POSIX allows: what was not synced may be gone, in any combination, and the name of a
 * file is durable only once its folder was synced.
 *
 * @module
 */
import type { Bytes } from "../../lib/bytes.ts";

/** One change to a file or to the names in a folder, or what makes earlier ones durable. */
export type Change =
  | { readonly op: "write"; readonly file: number; readonly offset: number; readonly data: Bytes }
  | { readonly op: "truncate"; readonly file: number; readonly size: number }
  | { readonly op: "name"; readonly file: number; readonly path: string }
  | { readonly op: "unname"; readonly path: string }
  | { readonly op: "rename"; readonly from: string; readonly to: string }
  | { readonly op: "sync"; readonly file: number }
  | { readonly op: "sync-folder"; readonly folder: string };

/** What stands on a disk: the bytes of files by number, and their names. */
export interface Image {
  readonly files: ReadonlyMap<number, Bytes>;
  readonly names: ReadonlyMap<string, number>;
}

/** A disk with nothing on it. */
export const NOTHING: Image = { files: new Map(), names: new Map() };

/** Which changes reached the disk, and of which write only the first bytes. */
export interface Survivors {
  readonly keeps: (index: number) => boolean;
  readonly torn?: { readonly index: number; readonly bytes: number } | undefined;
}

/** How a call fails: an error of the system, or fewer bytes than were asked for. */
export const FAULTS = ["EIO", "ENOSPC", "EACCES", "EINTR", "short read", "short write"] as const;
/** One of {@linkcode FAULTS}. */
export type FaultKind = typeof FAULTS[number];

/** What goes wrong, at which call, counted from 0, and whether it stays so. */
export interface Fault {
  readonly kind: FaultKind;
  readonly call: number;
  readonly forEver: boolean;
}

/** A running machine: what its processes see, and every change since it began. */
export class World {
  readonly initial: Image;
  readonly log: Change[] = [];
  /** What each call was, mutating or not. */
  readonly calls: string[] = [];
  /** What goes wrong. */
  fault: Fault | undefined;
  /** Faults that were met. */
  faults = 0;
  /** Files that are open. */
  open = 0;
  readonly #files = new Map<number, Bytes>();
  readonly #names: Map<string, number>;
  readonly #holders = new Map<number, Map<object, boolean>>();
  /** The time of a folder: it passes with every change of a name. */
  #time = 0;
  #next = 1;

  /** Changes that no later sync makes durable: the system gave them up when a sync failed, and told that once. */
  readonly givenUp = new Set<number>();
  /** Whether a folder could not be synced. */
  namesLost = false;

  /** A machine that starts with what is on its disk, and what processes that ended have changed since. */
  constructor(initial: Image = NOTHING, died: readonly Change[] = []) {
    this.initial = initial;
    for (const [file, bytes] of initial.files) {
      this.#files.set(file, bytes.slice());
      this.#next = Math.max(this.#next, file + 1);
    }
    this.#names = new Map(initial.names);
    for (const change of died) this.apply(change);
  }

  /** Everything as the processes see it. */
  get image(): Image {
    return imageAfter(this.initial, this.log, { keeps: () => true });
  }

  /** The names that there are. */
  get names(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  /** A time that changes when a name does. */
  get time(): number {
    return this.#time;
  }

  /** Syncs a file, or a folder. When that fails, what was to be synced is not tried again. */
  sync(change: Extract<Change, { op: "sync" | "sync-folder" }>): void {
    try {
      this.call("sync");
    } catch (error) {
      if (change.op === "sync-folder") this.namesLost = true;
      for (const index of change.op === "sync" ? unsynced(this.log, this.log.length) : []) {
        if (placeOf(this.log[index]!) === placeOf(change)) this.givenUp.add(index);
      }
      throw error;
    }
    this.apply(change);
  }

  /** Notes a call, and says how many bytes it may move, or throws what goes wrong with it. */
  call(what: string, bytes = 0): number {
    const number = this.calls.push(what) - 1;
    const { fault } = this;
    if (fault === undefined || (fault.forEver ? number < fault.call : number !== fault.call)) return bytes;
    const { kind } = fault;
    if (kind === "short read" || kind === "short write") {
      if (!kind.endsWith(what) || bytes < 2) return bytes;
      this.faults++;
      return Math.ceil(bytes / 3);
    }
    this.faults++;
    throw systemErrorOf(kind);
  }

  /** The file that has a name. */
  lookUp(path: string): number | undefined {
    return this.#names.get(path);
  }

  /** The bytes of a file. */
  bytesOf(file: number): Bytes {
    return this.#files.get(file)!;
  }

  /** Makes a file. */
  create(path: string): number {
    const file = this.#next;
    this.apply({ op: "name", file, path });
    return file;
  }

  /** Does a change. */
  apply(change: Change): void {
    this.log.push(change);
    if (change.op === "name" && !this.#files.has(change.file)) {
      this.#files.set(change.file, new Uint8Array(0));
      this.#next = Math.max(this.#next, change.file + 1);
    }
    if (isOfName(change)) this.#time++;
    applyTo(this.#files, this.#names, change);
  }

  /** Locks a file for an open handle; false when another one is in the way. */
  lock(file: number, holder: object, exclusive: boolean): boolean {
    const holders = this.#holders.get(file) ?? new Map<object, boolean>();
    this.#holders.set(file, holders);
    for (const [other, alone] of holders) if (other !== holder && (alone || exclusive)) return false;
    holders.set(holder, exclusive);
    return true;
  }

  /** Gives up a lock. */
  unlock(file: number, holder: object): void {
    this.#holders.get(file)?.delete(holder);
  }

  /** How many locks are held. */
  get locks(): number {
    return [...this.#holders.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

/** The disk after some changes of a log, each kept or not. */
export function imageAfter(initial: Image, log: readonly Change[], { keeps, torn }: Survivors): Image {
  const files = new Map(initial.files);
  const names = new Map(initial.names);
  const own = new Set<number>();
  for (const [index, change] of log.entries()) {
    // A file has no bytes before its first write, whether or not it has its name.
    if (change.op === "name" && !files.has(change.file)) files.set(change.file, new Uint8Array(0));
    if (!keeps(index)) continue;
    if ((change.op === "write" || change.op === "truncate") && !own.has(change.file)) {
      own.add(change.file);
      files.set(change.file, files.get(change.file)!.slice());
    }
    const cut = torn?.index === index && change.op === "write";
    applyTo(files, names, cut ? { ...change, data: change.data.subarray(0, torn.bytes) } : change);
  }
  const used = new Set(names.values());
  for (const file of files.keys()) if (!used.has(file)) files.delete(file);
  return { files, names };
}

/**
 * The indexes of the first `end` changes that a loss of power after them may take away.
 *
 * @param died how many changes are of a process that was killed: the names that it gave and could not sync any more count as
 *   durable with the next sync of anything, as they are where names are kept in a journal
 */
export function unsynced(log: readonly Change[], end: number, died = 0): readonly number[] {
  const open: number[] = [];
  const synced = new Set<number | string>();
  const later = log.slice(died, end).some(({ op }) => op === "sync" || op === "sync-folder");
  for (let index = end - 1; index >= 0; index--) {
    const change = log[index]!;
    if (change.op === "sync") synced.add(change.file);
    else if (change.op === "sync-folder") synced.add(change.folder);
    else if (isOfName(change) && index < died && later) continue;
    else if (!synced.has(placeOf(change))) open.push(index);
  }
  return open.reverse();
}

function isOfName({ op }: Change): boolean {
  return op === "name" || op === "unname" || op === "rename";
}

/** What must be synced for a change to be durable. */
function placeOf(change: Change): number | string {
  switch (change.op) {
    case "sync":
      return change.file;
    case "sync-folder":
      return change.folder;
    case "write":
    case "truncate":
      return change.file;
    case "name":
    case "unname":
      return folderOf(change.path);
    case "rename":
      return folderOf(change.to);
  }
}

/** The folder of a path, without a slash at its end. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function applyTo(files: Map<number, Bytes>, names: Map<string, number>, change: Change): void {
  switch (change.op) {
    case "write": {
      const { file, offset, data } = change;
      const bytes = sized(files.get(file)!, Math.max(files.get(file)!.length, offset + data.length));
      bytes.set(data, offset);
      files.set(file, bytes);
      return;
    }
    case "truncate":
      files.set(change.file, sized(files.get(change.file)!, change.size));
      return;
    case "name":
      names.set(change.path, change.file);
      return;
    case "unname":
      names.delete(change.path);
      return;
    case "rename": {
      const file = names.get(change.from);
      // The name that it had may have been lost with the power; then the new one was never given.
      if (file === undefined) return;
      names.delete(change.from);
      names.set(change.to, file);
    }
  }
}

function sized(bytes: Bytes, size: number): Bytes {
  if (bytes.length === size) return bytes;
  const resized = new Uint8Array(size);
  resized.set(bytes.subarray(0, size));
  return resized;
}

/** The errors that the runtime throws for the system's. */
function systemErrorOf(code: "EIO" | "ENOSPC" | "EACCES" | "EINTR"): Error {
  const error = code === "EACCES"
    ? new Deno.errors.PermissionDenied("Permission denied (os error 13)")
    : code === "EINTR"
    ? new Deno.errors.Interrupted("Interrupted system call (os error 4)")
    : new Error(code === "EIO" ? "Input/output error (os error 5)" : "No space left on device (os error 28)");
  return Object.assign(error, { code });
}
