/**
 * Whether a path still names the file that was opened.
 *
 * Asking the file itself would be simple and dear: on kernels with fine-grained timestamps, whoever looks at a file's
 * times makes its next write update the inode, which a third of a commit's time went into. So the folder is asked.
 * Giving a name to another file changes the folder's own time; while that stands still, so does the name.
 *
 * @module
 */

/** Times may be this coarse: a folder's time counts once it has stood still for so many milliseconds. */
const COARSEST_TIME = 2_500;

/** Identity of a file or folder. */
interface Identity {
  readonly dev: number;
  readonly ino: number | null;
}

/** Watches the name of one open file. */
export class PathWatch {
  readonly #path: string;
  readonly #file: Identity;
  /** The folder as it was seen, since when, and whether the file was looked up after its time had settled. */
  #folder: (Identity & { readonly time: number; readonly since: number; readonly settled: boolean }) | undefined;

  /** Watches a path that should name the given file. */
  constructor(path: string, file: Identity) {
    this.#path = path;
    this.#file = file;
  }

  /** Whether the path names the file. Throws the system's own error when the path can not be looked up. */
  isSame(): boolean {
    const folder = this.#look();
    if (folder !== undefined && this.#folder !== undefined && sameFolder(folder, this.#folder)) {
      if (this.#folder.settled) return true;
      const settled = performance.now() - this.#folder.since > COARSEST_TIME;
      // In this order: the time had settled before the file is looked up, so whatever comes later changes the time.
      this.#folder = { ...this.#folder, settled };
    } else {
      this.#folder = folder === undefined ? undefined : { ...folder, since: performance.now(), settled: false };
    }
    const { dev, ino } = Deno.statSync(this.#path);
    return dev === this.#file.dev && ino === this.#file.ino;
  }

  /** The folder, when its time tells: not through a symbolic link, not without permission to look. */
  #look(): (Identity & { readonly time: number }) | undefined {
    if (Deno.build.os === "windows") return undefined;
    try {
      if (this.#folder === undefined && Deno.lstatSync(this.#path).isSymlink) return undefined;
      const { dev, ino, mtime } = Deno.statSync(folderOf(this.#path));
      return mtime === null ? undefined : { dev, ino, time: mtime.getTime() };
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) return undefined;
      throw error;
    }
  }
}

/** The folder of a path, as a path. */
export function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
  return end < 0 ? "." : path.slice(0, end + 1);
}

function sameFolder(a: Identity & { time: number }, b: Identity & { time: number }): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.time === b.time;
}
