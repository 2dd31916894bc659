/**
 * Whether a file is private, and making it so: by mode bits, by the access list of Windows, or not at all, which is
 * then said with its reason.
 *
 * @module
 */
import { InsecurePermissionsError } from "../errors.ts";
import { logger } from "../log.ts";
import { type CommandOutput, grantOwnerOnly, IcaclsFailure, type Runner, whoMayAccess } from "./icacls.ts";
import { systemError } from "./system_errors.ts";

/** What is known of who may use a file. */
export type Privacy =
  /** Nobody but the owner, and on Windows the accounts named; one of them may be the owner. */
  | { readonly state: "private"; readonly accounts: readonly string[] }
  /** Others may: mode bits where there are some, else the accounts and groups that are let in. */
  | { readonly state: "open"; readonly lets: number | readonly string[] }
  /** Nothing is enforced, or nothing is known of it. */
  | { readonly state: "unenforced"; readonly reason: string };

/** The system that files are on; tests bring one of their own. */
export interface FileSystem {
  /** As in `Deno.build.os`. */
  readonly os: string;
  /** Runs a program; missing when this process may not. */
  readonly run?: Runner;
}

const MODE = 0o777;
const OTHERS = 0o077;
const POSIX: readonly string[] = [
  "linux",
  "darwin",
  "freebsd",
  "netbsd",
  "openbsd",
  "aix",
  "solaris",
  "illumos",
  "android",
];

/** This system. Asks which programs may be run, and never for more. */
export async function thisFileSystem(): Promise<FileSystem> {
  const { os } = Deno.build;
  if (os !== "windows") return { os };
  const { state } = await Deno.permissions.query({ name: "run", command: "icacls" });
  return state === "granted" ? { os, run: runProgram } : { os };
}

/**
 * Says who may use a file.
 *
 * @throws {InputOutputError} and its kin when the file cannot be looked at
 */
export async function checkPrivate(path: string, system?: FileSystem): Promise<Privacy> {
  const { os, run } = system ?? await thisFileSystem();
  if (POSIX.includes(os)) {
    const mode = modeOf(path);
    if (mode === null) return unenforced("its file system has no modes");
    return (mode & OTHERS) === 0 ? { state: "private", accounts: [] } : { state: "open", lets: mode & MODE };
  }
  if (os !== "windows") return unenforced(`coffer knows no permissions of files on ${os}`);
  if (run === undefined) return unenforced("this process runs without --allow-run=icacls");
  return await withIcacls(async () => {
    const { everybody, accounts } = await whoMayAccess(path, run);
    return everybody.length === 0 ? { state: "private", accounts } : { state: "open", lets: everybody };
  });
}

/**
 * Makes a file private, and says what it is afterwards.
 *
 * @throws {PermissionDeniedError} @throws {MissingPermissionError} when it may not be changed
 */
export async function makePrivate(path: string, system?: FileSystem): Promise<Privacy> {
  const own = system ?? await thisFileSystem();
  const { os, run } = own;
  if (POSIX.includes(os)) {
    try {
      Deno.chmodSync(path, 0o600);
    } catch (error) {
      throw systemError(error, "change the mode of", path);
    }
  } else if (os === "windows" && run !== undefined) {
    const failed = await withIcacls(async () => {
      await grantOwnerOnly(path, run);
      return undefined;
    });
    if (failed !== undefined) return failed;
  }
  return await checkPrivate(path, own);
}

/**
 * Who besides the owner may put other files into a folder, or take files away, by its mode: others, the group, or
 * nobody. A folder with the sticky bit lets each change their own files only. Undefined where modes say nothing.
 */
export function writersOfFolder(path: string, system: FileSystem): "nobody" | "group" | "others" | undefined {
  if (!POSIX.includes(system.os)) return undefined;
  const mode = modeOf(path);
  if (mode === null) return undefined;
  if ((mode & 0o1000) !== 0) return "nobody";
  if ((mode & 0o002) !== 0) return "others";
  return (mode & 0o020) !== 0 ? "group" : "nobody";
}

/**
 * Checks a file whose system has no modes when it is opened; those with modes were looked at when it was. Where nothing
 * can be enforced the log says so.
 *
 * @throws {InsecurePermissionsError} when others are let in
 */
export async function assertPrivate(path: string, system: FileSystem): Promise<void> {
  const privacy = await checkPrivate(path, system);
  if (privacy.state === "open") throw new InsecurePermissionsError(path, privacy.lets);
  if (privacy.state === "unenforced") warnUnenforced(path, privacy.reason);
}

/** Makes a file private that was made just now. Where that cannot be, the log says so. */
export async function keepPrivate(path: string, system: FileSystem): Promise<void> {
  const privacy = await makePrivate(path, system);
  if (privacy.state === "unenforced") warnUnenforced(path, privacy.reason);
}

function warnUnenforced(path: string, reason: string): void {
  logger("storage", "warning")?.("Nothing keeps other users from {path}: {reason}", { path, reason });
}

function modeOf(path: string): number | null {
  try {
    return Deno.statSync(path).mode;
  } catch (error) {
    throw systemError(error, "look up", path);
  }
}

/** A program that does not do what it should leaves everything as it was: that is no answer, and not a failure. */
async function withIcacls<T>(work: () => Promise<T>): Promise<T | Extract<Privacy, { state: "unenforced" }>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof IcaclsFailure) return unenforced(`icacls failed with code ${error.exitCode}`);
    if (error instanceof Deno.errors.NotFound) return unenforced("there is no program icacls");
    throw error;
  }
}

async function runProgram(command: string, args: readonly string[]): Promise<CommandOutput> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function unenforced(reason: string): Extract<Privacy, { state: "unenforced" }> {
  return { state: "unenforced", reason };
}
