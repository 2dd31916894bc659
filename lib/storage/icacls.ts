/**
 * Access lists of Windows, read and set by its own program `icacls`.
 *
 * What the program prints is meant for people: names of accounts are in the system's language, and in a code page that
 * may not survive. So a group is known by its number (SID): where names do not tell, the program is asked for the few
 * numbers that stand for everybody. Of its answers only the shape is read, never the words.
 *
 * @module
 */

/** What a command answered. */
export interface CommandOutput {
  /** Exit code. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it printed as errors. */
  readonly stderr: string;
}

/** Runs a program to its end. */
export type Runner = (command: string, args: readonly string[]) => Promise<CommandOutput>;

/** The program was run and did not do what it was asked for. */
export class IcaclsFailure extends Error {
  /** Keeps the exit code. */
  constructor(readonly exitCode: number) {
    super(`icacls ended with code ${exitCode}`);
  }
}

/** One entry of an access list that lets somebody in. */
export interface AccessEntry {
  /** Name of an account or group in the system's language, or its number. */
  readonly account: string;
  /** Whether it comes from the folder. */
  readonly inherited: boolean;
}

/** An access list, as far as it says who may do something. */
export interface AccessList {
  /** Entries that let somebody in. */
  readonly entries: readonly AccessEntry[];
  /** Whether there is no list, which lets everyone in: so it is on file systems that have none. */
  readonly missing: boolean;
}

/** Groups that other people are in: number, and name where the system speaks English. */
const WIDE: readonly (readonly [sid: string, name: string])[] = [
  ["S-1-1-0", "Everyone"],
  ["S-1-5-11", "NT AUTHORITY\\Authenticated Users"],
  ["S-1-5-32-545", "BUILTIN\\Users"],
  ["S-1-5-32-546", "BUILTIN\\Guests"],
  ["S-1-5-4", "NT AUTHORITY\\INTERACTIVE"],
  ["S-1-5-2", "NT AUTHORITY\\NETWORK"],
  ["S-1-5-7", "NT AUTHORITY\\ANONYMOUS LOGON"],
];

/** Whoever owns the file, without having to know who that is. */
const OWNER = "S-1-3-4";

/** Accounts that stand above any access list, by number and by English name. */
const ABOVE: readonly string[] = [
  OWNER,
  "OWNER RIGHTS",
  "S-1-5-18",
  "NT AUTHORITY\\SYSTEM",
  "S-1-5-32-544",
  "BUILTIN\\Administrators",
];

/** An account, then its flags and rights: `BUILTIN\Users:(I)(RX)`. */
const ENTRY = /^(\S.*?):((?:\([A-Z0-9_,]+\))+)$/;
/** Rights that are none: refusals, no access at all, entries for files to come, and labels of integrity. */
const NO_ACCESS = /\((?:DENY|N|IO|NW|NR|NX)\)/;

/** Reads what `icacls PATH` prints. */
export function parseAccessList(output: string, path: string): AccessList {
  const entries: AccessEntry[] = [];
  let missing = false;
  for (const [index, line] of output.split(/\r?\n/).entries()) {
    // The path stands before the first entry, the others are indented. What follows are counts of files, in words.
    if (index > 0 && !/^\s+\S/.test(line)) break;
    const text = (index === 0 && fold(line).startsWith(fold(path)) ? line.slice(path.length) : line).trim();
    const [, account, flags] = ENTRY.exec(text) ?? [];
    if (account !== undefined && flags !== undefined) {
      if (!NO_ACCESS.test(flags)) entries.push({ account, inherited: flags.startsWith("(I)") });
    } else if (index > 0) {
      // Not understood, so it may let anyone in: it counts as an account of that name.
      entries.push({ account: text, inherited: false });
    } else if (text !== "") {
      // Words in the place of entries say that there are none at all, and then everyone is let in.
      missing = true;
    }
  }
  return { entries, missing };
}

/**
 * Who besides the owner may do something with a file: groups that everybody is in, by name; and single accounts, of
 * which one may be the owner.
 *
 * @throws {IcaclsFailure}
 */
export async function whoMayAccess(
  path: string,
  run: Runner,
): Promise<{ readonly everybody: readonly string[]; readonly accounts: readonly string[] }> {
  const { entries, missing } = parseAccessList(await icacls(run, [path]), path);
  if (missing) return { everybody: ["Everyone"], accounts: [] };
  const names = [...new Set(entries.map(({ account }) => account))];
  const everybody = new Set(names.map(wideGroup).filter((name) => name !== undefined));
  const accounts = names.filter((name) => wideGroup(name) === undefined && !isAbove(name));
  // What coffer sets itself is told with one question.
  if (names.length === 1 && accounts.length === 1 && await hasEntryFor(path, OWNER, run)) {
    return { everybody: [], accounts: [] };
  }
  // A name that says nothing may be one of those groups in another language.
  if (accounts.length > 0) {
    for (const [sid, name] of WIDE) {
      if (!everybody.has(name) && await hasEntryFor(path, sid, run)) everybody.add(name);
    }
  }
  return { everybody: [...everybody], accounts };
}

/**
 * Lets nobody in but the owner: what comes from the folder is cut off, the owner is granted everything, and whoever is
 * left is taken off. In this order the file is never more open than before.
 *
 * @throws {IcaclsFailure}
 */
export async function grantOwnerOnly(path: string, run: Runner): Promise<void> {
  await icacls(run, [path, "/inheritance:r", "/grant:r", `*${OWNER}:F`]);
  const { entries } = parseAccessList(await icacls(run, [path]), path);
  // Names that did not survive the code page are refused, so groups go by number, and go first.
  for (const [sid] of WIDE) {
    if (entries.length > 1) await icacls(run, [path, "/remove:g", `*${sid}`]);
  }
  for (const { account } of entries) {
    if (wideGroup(account) === undefined && !isAbove(account)) await removeNamed(path, account, run);
  }
}

/** An account whose name cannot be given back stays; the check that follows tells of it. */
async function removeNamed(path: string, account: string, run: Runner): Promise<void> {
  const name = /^S-1-/.test(account) ? `*${account}` : account;
  try {
    await icacls(run, [path, "/remove:g", name]);
  } catch (error) {
    if (!(error instanceof IcaclsFailure)) throw error;
  }
}

/** The program answers with a line that ends with the path when it found an entry, and with words alone when not. */
async function hasEntryFor(path: string, sid: string, run: Runner): Promise<boolean> {
  const name = fold(path).split("\\").at(-1)!;
  const lines = (await icacls(run, [path, "/findsid", `*${sid}`])).split(/\r?\n/);
  return lines.some((line) => fold(line).trim().replace(/\.$/, "").endsWith(name));
}

/** Paths come back with other letters and slashes than they were given with. */
function fold(path: string): string {
  return path.toLowerCase().replaceAll("/", "\\");
}

async function icacls(run: Runner, args: readonly string[]): Promise<string> {
  const { code, stdout } = await run("icacls", args);
  if (code !== 0) throw new IcaclsFailure(code);
  return stdout;
}

function wideGroup(account: string): string | undefined {
  return WIDE.find(([sid, name]) => same(account, sid) || same(account, name))?.[1];
}

function isAbove(account: string): boolean {
  return ABOVE.some((name) => same(account, name));
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
