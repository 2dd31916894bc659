/**
 * The runtime's calls on files, answered by a {@linkcode World} for paths under {@linkcode ROOT}; all other paths go to
 * the real files. What is tested runs unchanged on top of it.
 *
 * @module
 */
import { folderOf, type World } from "./world.ts";

/** Paths that a world answers for. */
export const ROOT = "/no-such-machine";

let current: World | undefined;
const real = {
  openSync: Deno.openSync,
  statSync: Deno.statSync,
  lstatSync: Deno.lstatSync,
  realPathSync: Deno.realPathSync,
  linkSync: Deno.linkSync,
  renameSync: Deno.renameSync,
  removeSync: Deno.removeSync,
  readFileSync: Deno.readFileSync,
};

/** Runs some work on a machine. One at a time. */
export async function on<T>(world: World, work: () => T | Promise<T>): Promise<T> {
  const before = current;
  current = world;
  if (before === undefined) Object.assign(Deno, simulated);
  try {
    return await work();
  } finally {
    current = before;
    if (before === undefined) Object.assign(Deno, real);
  }
}

/** Runs some work with real files in a folder in the place of a machine's. */
export async function onFiles<T>(folder: string, work: () => T | Promise<T>): Promise<T> {
  const there = <P>(path: P): P =>
    typeof path === "string" && path.startsWith(`${ROOT}/`) ? folder + path.slice(ROOT.length) as P : path;
  const back = (path: string) => ROOT + path.slice(folder.length);
  Object.assign(Deno, {
    openSync: (path, options) => real.openSync(there(path), options),
    statSync: (path) => real.statSync(there(path)),
    lstatSync: (path) => real.lstatSync(there(path)),
    realPathSync: (path) => back(real.realPathSync(there(path))),
    linkSync: (from, to) => real.linkSync(there(from), there(to)),
    renameSync: (from, to) => real.renameSync(there(from), there(to)),
    removeSync: (path, options) => real.removeSync(there(path), options),
    readFileSync: (path) => real.readFileSync(there(path)),
  } as Partial<typeof Deno>);
  try {
    return await work();
  } finally {
    Object.assign(Deno, real);
  }
}

/** The machine that answers for a path. */
function worldOf(path: string | URL): World | undefined {
  return typeof path === "string" && path.startsWith(`${ROOT}/`) ? current : undefined;
}

const simulated: Partial<typeof Deno> = {
  openSync(path, options = {}) {
    const world = worldOf(path);
    if (world === undefined) return real.openSync(path, options);
    world.call("open");
    if (isFolder(path as string)) return new SimulatedFile(world, undefined, folderOf(path as string)) as never;
    const found = world.lookUp(path as string);
    if (options.createNew && found !== undefined) throw exists();
    if (found === undefined && !options.createNew && !options.create) throw notFound();
    return new SimulatedFile(world, found ?? world.create(path as string), path as string) as never;
  },
  statSync: stat,
  lstatSync: stat,
  realPathSync(path) {
    const world = worldOf(path);
    if (world === undefined) return real.realPathSync(path);
    world.call("stat");
    if (world.lookUp(path as string) === undefined) throw notFound();
    return path as string;
  },
  linkSync(from, to) {
    const world = worldOf(from);
    if (world === undefined) return real.linkSync(from, to);
    world.call("link");
    const file = world.lookUp(from as string);
    if (file === undefined) throw notFound();
    if (world.lookUp(to as string) !== undefined) throw exists();
    world.apply({ op: "name", file, path: to as string });
  },
  renameSync(from, to) {
    const world = worldOf(from);
    if (world === undefined) return real.renameSync(from, to);
    world.call("rename");
    if (world.lookUp(from as string) === undefined) throw notFound();
    world.apply({ op: "rename", from: from as string, to: to as string });
  },
  removeSync(path, options) {
    const world = worldOf(path);
    if (world === undefined) return real.removeSync(path, options);
    world.call("remove");
    if (world.lookUp(path as string) === undefined) throw notFound();
    world.apply({ op: "unname", path: path as string });
  },
  readFileSync(path) {
    const world = worldOf(path);
    if (world === undefined) return real.readFileSync(path);
    world.call("read");
    const file = world.lookUp(path as string);
    if (file === undefined) throw notFound();
    return world.bytesOf(file).slice();
  },
};

function stat(path: string | URL): Deno.FileInfo {
  const world = worldOf(path);
  if (world === undefined) return real.lstatSync(path);
  world.call("stat");
  if (isFolder(path as string)) return infoOf(world, undefined);
  const file = world.lookUp(path as string);
  if (file === undefined) throw notFound();
  return infoOf(world, file);
}

function isFolder(path: string): boolean {
  return path.endsWith("/");
}

function infoOf(world: World, file: number | undefined): Deno.FileInfo {
  const isFile = file !== undefined;
  return {
    isFile,
    isDirectory: !isFile,
    isSymlink: false,
    size: isFile ? world.bytesOf(file).length : 0,
    mtime: new Date(1_700_000_000_000 + world.time),
    dev: 1,
    ino: file ?? 1_000_000,
    mode: isFile ? 0o100600 : 0o40700,
  } as Deno.FileInfo;
}

/** An open file, or folder. */
class SimulatedFile {
  readonly #world: World;
  readonly #file: number | undefined;
  readonly #path: string;
  #position = 0;
  #closed = false;

  constructor(world: World, file: number | undefined, path: string) {
    this.#world = world;
    this.#file = file;
    this.#path = path;
    world.open++;
  }

  readSync(target: Uint8Array): number | null {
    const file = this.#use();
    const bytes = this.#world.bytesOf(file);
    const left = Math.min(target.length, Math.max(0, bytes.length - this.#position));
    const got = this.#world.call("read", left);
    if (got === 0) return target.length === 0 ? 0 : null;
    target.set(bytes.subarray(this.#position, this.#position + got));
    this.#position += got;
    return got;
  }

  writeSync(data: Uint8Array): number {
    const file = this.#use();
    const size = this.#world.call("write", data.length);
    const part = new Uint8Array(data.subarray(0, size));
    if (size > 0) this.#world.apply({ op: "write", file, offset: this.#position, data: part });
    this.#position += size;
    return size;
  }

  // deno-lint-ignore require-await
  async read(target: Uint8Array): Promise<number | null> {
    return this.readSync(target);
  }

  // deno-lint-ignore require-await
  async write(data: Uint8Array): Promise<number> {
    return this.writeSync(data);
  }

  seekSync(offset: number, whence: Deno.SeekMode): number {
    this.#use();
    this.#world.call("seek");
    if (whence !== Deno.SeekMode.Start) throw new TypeError("Only from the start");
    return this.#position = offset;
  }

  syncSync(): void {
    this.#assertOpen();
    this.#world.sync(
      this.#file === undefined ? { op: "sync-folder", folder: this.#path } : { op: "sync", file: this.#file },
    );
  }

  syncDataSync(): void {
    this.syncSync();
  }

  // deno-lint-ignore require-await
  async syncData(): Promise<void> {
    this.syncSync();
  }

  statSync(): Deno.FileInfo {
    this.#assertOpen();
    this.#world.call("stat");
    return infoOf(this.#world, this.#file);
  }

  truncateSync(size: number): void {
    const file = this.#use();
    this.#world.call("truncate");
    this.#world.apply({ op: "truncate", file, size });
  }

  tryLockSync(exclusive: boolean): boolean {
    const file = this.#use();
    this.#world.call("lock");
    return this.#world.lock(file, this, exclusive);
  }

  lockSync(exclusive: boolean): void {
    if (!this.tryLockSync(exclusive)) throw new Error("It would wait for ever: there is one process");
  }

  unlockSync(): void {
    const file = this.#use();
    this.#world.call("unlock");
    this.#world.unlock(file, this);
  }

  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.#world.open--;
    if (this.#file !== undefined) this.#world.unlock(this.#file, this);
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
  }

  #use(): number {
    this.#assertOpen();
    if (this.#file === undefined) throw new Deno.errors.IsADirectory("Is a directory (os error 21)");
    return this.#file;
  }
}

function notFound(): Error {
  return Object.assign(new Deno.errors.NotFound("No such file or directory (os error 2)"), { code: "ENOENT" });
}

function exists(): Error {
  return Object.assign(new Deno.errors.AlreadyExists("File exists (os error 17)"), { code: "EEXIST" });
}
