/**
 * PostgreSQL's own programs: a server on a folder and a port of its own, and `psql`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { withFolder } from "../helpers.ts";

/** A server that runs for one test. */
export interface Postgres {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Runs SQL as the superuser and gives what comes out, one line a row. */
  readonly query: (sql: string) => Promise<string>;
}

/** How a call of `psql` ended. */
export interface PsqlResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const SUPERUSER = "postgres";
const SUPERUSER_PASSWORD = "of the test";
/** How often another port is tried when one is taken. */
const PORTS = 20;

const bin = await findPrograms();

/** Why tests with PostgreSQL cannot run here; undefined where they can. */
export const postgresMissing = typeof bin === "string" ? undefined : bin.missing;

if (postgresMissing !== undefined) {
  // deno-lint-ignore no-console
  console.warn(`SKIPPED: tests with PostgreSQL's programs: ${postgresMissing}`);
}

/** Runs `psql` once against a port of this machine. */
export async function psql(port: number, user: string, password: string, sql: string): Promise<PsqlResult> {
  const { success, stdout, stderr } = await new Deno.Command(`${bin}/psql`, {
    args: ["-X", "-w", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", `${port}`, "-U", user, "-c", sql],
    env: {
      PGPASSWORD: password,
      PGDATABASE: "postgres",
      PGCLIENTENCODING: "UTF8",
      PGSSLMODE: "prefer",
      PGCONNECT_TIMEOUT: "60",
      LC_ALL: "C",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { success, stdout: text(stdout), stderr: text(stderr) };
}

/** A text as a literal of SQL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Hands a fresh server to a function, and stops it afterwards whatever happens. */
export async function withPostgres<T>(run: (postgres: Postgres) => Promise<T>): Promise<T> {
  return await withFolder(async (folder) => {
    const account = await findAccount();
    const passwordFile = `${folder}/password`;
    await Deno.writeTextFile(passwordFile, SUPERUSER_PASSWORD);
    if (account !== undefined) {
      for (const path of [folder, passwordFile]) await Deno.chown(path, account.uid, account.gid);
    }
    const data = `${folder}/data`;
    const made = await command(account, "initdb", [
      ...["-D", data, "-U", SUPERUSER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`],
      ...["-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"],
    ]).output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));

    const server = await start(account, data);
    try {
      return await run({
        port: server.port,
        query: async (sql) => {
          const { success, stdout, stderr } = await psql(server.port, SUPERUSER, SUPERUSER_PASSWORD, sql);
          assert.ok(success, stderr);
          return stdout;
        },
      });
    } finally {
      // Asks for a quick end: clients are cut off, nothing is waited for.
      server.process.kill("SIGINT");
      await Promise.all([server.process.status, server.log]);
    }
  });
}

async function start(account: Account | undefined, data: string) {
  for (let tries = 0; tries < PORTS; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const process = command(account, "postgres", [
      ...["-D", data, "-h", "127.0.0.1", "-p", `${port}`, "-k", "", "-F"],
      ...["-c", "shared_buffers=2MB", "-c", "max_connections=20", "-c", "password_encryption=scram-sha-256"],
    ]).spawn();
    let log = "";
    const ready = Promise.withResolvers<boolean>();
    // Read to its end, or the server would stand still once the pipe is full.
    const drained = (async () => {
      for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
        log += text;
        if (log.includes("ready to accept connections")) ready.resolve(true);
      }
      ready.resolve(false);
    })();
    if (await ready.promise) return { process, port, log: drained };
    await Promise.all([process.status, drained]);
    assert.match(log, /could not bind|in use/, log);
  }
  throw new Error(`None of ${PORTS} ports is free`);
}

function command(account: Account | undefined, program: string, args: readonly string[]): Deno.Command {
  const options = { stdin: "null", stdout: "null", stderr: "piped", env: { LC_ALL: "C", TZ: "UTC" } } as const;
  const path = `${bin}/${program}`;
  if (account === undefined) return new Deno.Command(path, { args: [...args], ...options });
  // The server refuses to run as root. It takes the place of this program, so its process id is the one that is killed;
  // should this process be killed itself, the system sends the signal.
  const { uid, gid } = account;
  return new Deno.Command("setpriv", {
    args: [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--pdeathsig=INT", path, ...args],
    cwd: "/",
    ...options,
  });
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** An account without rights for a server that may not run as root; undefined where this process has no more either. */
async function findAccount(): Promise<Account | undefined> {
  if (Deno.uid() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all(["-u", "-g"].map((flag) => new Deno.Command("id", { args: [flag, name] }).output()));
    if (!ids.every(({ success }) => success)) continue;
    const [uid, gid] = ids.map(({ stdout }) => Number(new TextDecoder().decode(stdout)));
    return { uid: uid!, gid: gid! };
  }
  throw new Error("There is neither an account postgres nor nobody");
}

/** The newest of Debian's folders that has all programs, or why there is none. */
async function findPrograms(): Promise<string | { readonly missing: string }> {
  const root = "/usr/lib/postgresql";
  const versions: number[] = [];
  try {
    for await (const { name } of Deno.readDir(root)) versions.push(Number(name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const version of versions.sort((a, b) => b - a)) {
    const folder = `${root}/${version}/bin`;
    const found = await Promise.all(["initdb", "postgres", "psql"].map((name) => exists(`${folder}/${name}`)));
    if (found.every(Boolean)) return folder;
  }
  return { missing: "there is no PostgreSQL (apt-get install postgresql)" };
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
