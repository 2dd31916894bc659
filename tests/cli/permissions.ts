/**
 * What permissions each command needs, no more and no less: what tests run, and README's table is held against.
 *
 * @module
 */
import { encodeHex } from "../../lib/bytes.ts";
import { newKeyFile, Vault } from "../../mod.ts";
import { Sandbox, WEAK } from "./coffer.ts";

/** What becomes of a command without a permission, other than `missing-permission`. */
export interface Milder {
  /** Code of its error; none where it does its work all the same, or only ends with another exit code. */
  readonly code?: string;
  /** Its exit code, where it says nothing at all. */
  readonly exit?: number;
  /** What it says of it. */
  readonly says?: RegExp;
}

/** A call of a command, and what it needs. */
export interface Need {
  /** All words of its name. */
  readonly command: string;
  /** What README calls it, where that is not the command alone. */
  readonly row?: string;
  /** What stands behind the name; paths are those of {@linkcode prepare}. */
  readonly args: readonly string[];
  /** What it needs, as README has it: DIR is the vault's folder, OUT another one, other words in capitals see `words`. */
  readonly permissions: readonly string[];
  /** What stands for the words in capitals. */
  readonly words?: Readonly<Record<string, string>>;
  /** Permissions that only make more possible, and what happens without. */
  readonly milder?: Readonly<Record<string, Milder>>;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stdin holds. */
  readonly stdin?: string;
  /** Whether it speaks to a terminal only. */
  readonly terminal?: boolean;
}

const READ = ["--allow-read=DIR"];
const WRITE = ["--allow-read=DIR", "--allow-write=DIR"];
const OUT = [...WRITE, "--allow-read=OUT", "--allow-write=OUT"];
const KEY = ["--keyfile", "key"];
const RDB = ["--certificate-file", "reddb.cert"];
const RDB_TOO = ["--reddb-certificate-file", "reddb.cert", ...KEY];
const QUIET = ["--vault", "quiet.coffer", ...KEY];

function reads(command: string, ...args: readonly string[]): Need {
  return { command, args: [...args, ...KEY], permissions: READ };
}

function writes(command: string, ...args: readonly string[]): Need {
  return { command, args: [...args, ...KEY], permissions: WRITE };
}

/** Every command at least once. */
export const NEEDS: readonly Need[] = [
  { command: "help", args: [], permissions: [] },
  { command: "--version", args: [], permissions: [] },
  { command: "completions", args: ["bash"], permissions: [] },
  {
    command: "completions",
    row: "completions --names secrets",
    args: ["--names", "secrets", ...KEY],
    permissions: READ,
    milder: { "--allow-read=DIR": { exit: 1 } },
  },
  { command: "generate", row: "generate", args: [], permissions: [] },

  reads("ls"),
  reads("history", "a"),
  reads("find", "a"),
  { command: "status", args: [], permissions: READ },
  { command: "check", args: [], permissions: READ },
  { command: "slot ls", args: [], permissions: READ },
  { command: "doctor", args: [], permissions: READ },
  {
    command: "doctor",
    row: "doctor for the room on the disk",
    args: ["--json"],
    permissions: [...READ, "--allow-sys=statfs"],
    milder: { "--allow-sys=statfs": { says: /space-unknown/ } },
  },
  {
    command: "doctor",
    row: "doctor --fix",
    args: ["--fix"],
    permissions: WRITE,
    milder: {
      "--allow-write=DIR": {
        says: /^coffer: warning: Could not mend left-vault: .*--allow-write=/m,
      },
    },
  },
  { command: "recovery verify", args: ["--recovery-file", "code"], permissions: READ },
  { command: "anchor status", args: [], permissions: READ },
  reads("audit ls"),
  reads("policy ls"),
  reads("user ls"),
  reads("user show", "acme/alice"),
  reads("user scram", "acme/alice"),
  reads("key ls"),
  reads("key check", "--file", "api.key"),
  reads("session verify", "--file", "token"),
  reads("verify", "key", "--signature-file", "signature"),
  { command: "meta", row: "meta NAME", args: ["a", ...KEY], permissions: READ },
  { command: "get", row: "get while audit-reads is off", args: ["a", ...QUIET], permissions: READ },
  { command: "repair", row: "repair --dry-run", args: ["--dry-run", ...KEY], permissions: READ },
  { command: "reddb show", args: ["app.rdb", ...RDB], permissions: READ },
  { command: "reddb unseal", args: ["app.rdvx", ...RDB], permissions: READ },
  { command: "reddb check", args: ["app.rdb"], permissions: READ },
  { command: "reddb export", args: ["app.rdb", ...RDB], permissions: READ },

  { command: "init", args: ["--vault", "new.coffer", "--new-keyfile", "new.key", "--no-recovery"], permissions: WRITE },
  writes("set", "b", "--value", "v"),
  writes("get", "a"),
  writes("rm", "a"),
  writes("mv", "a", "b"),
  writes("restore-version", "a", "1"),
  { command: "meta", row: "meta NAME --tag TAG", args: ["a", "--tag", "x", ...KEY], permissions: WRITE },
  { ...writes("inject"), stdin: "coffer://a" },
  { command: "generate", row: "generate NAME", args: ["b", ...KEY], permissions: WRITE },
  writes("otp", "otp"),
  writes("audit-passwords"),
  { ...writes("copy", "a", "--for", "1"), terminal: true },
  writes("export", "--plaintext", "--yes-plaintext", "vault.coffer", "--out", "all.json"),
  writes("import", "app.env"),
  writes("repair"),
  writes("salvage", "rescued.coffer"),
  {
    command: "passwd",
    args: ["--passphrase-file", "pass", "--new-passphrase-file", "pass.new", ...WEAK],
    permissions: WRITE,
  },
  writes("slot add", "--kind", "certificate"),
  { command: "slot add", row: "slot add", args: ["--kind", "recovery", ...KEY], permissions: WRITE },
  {
    command: "slot add",
    row: "slot add",
    args: ["--kind", "keyfile", "--new-keyfile", "k", ...KEY],
    permissions: WRITE,
  },
  writes("slot rm", "2"),
  writes("rotate", "--drop-others"),
  writes("backup", "copy.coffer"),
  writes("restore", "old.coffer", "--rollback"),
  writes("recovery new"),
  writes("anchor trust"),
  writes("anchor move", "moved.anchor"),
  writes("audit prune", "--before", "2999-01-01"),
  writes("policy set", "max-secret-age", "90"),
  writes("bootstrap", "--new-password-file", "pass"),
  writes("user add", "acme/bob", "--role", "read", "--no-password"),
  writes("user passwd", "acme/alice", "--new-password-file", "pass"),
  writes("user role", "acme/alice", "read"),
  writes("user enable", "acme/alice"),
  writes("user disable", "acme/alice"),
  writes("user rm", "acme/alice"),
  writes("key add", "acme/alice"),
  writes("key revoke", "KEYID"),
  // A password that is right changes nothing; that one was wrong is written down.
  {
    ...writes("login", "acme/alice", "--password-file", "pass"),
    milder: { "--allow-write=DIR": { says: /"user":"acme\/alice"/ } },
  },
  writes("session revoke", "acme/alice"),
  // The first signature makes the master secret, later ones only read it.
  { command: "sign", args: ["key", ...QUIET], permissions: WRITE },
  writes("certificate rotate"),
  {
    command: "reddb bootstrap",
    args: ["new.rdb", "--user", "root", "--password-file", "pass"],
    permissions: WRITE,
  },
  { command: "reddb set", args: ["app.rdb", "b", "--value", "v", ...RDB], permissions: WRITE },
  { command: "reddb rm", args: ["app.rdb", "a", ...RDB], permissions: WRITE },
  { command: "reddb import", args: ["app.rdb", "--no-users", "--prefix", "reddb/", ...RDB_TOO], permissions: WRITE },
  {
    command: "reddb write",
    args: ["app.rdb", "--only", "a", "--on-conflict", "overwrite", ...RDB_TOO],
    permissions: WRITE,
  },

  {
    command: "run",
    args: ["--env", "A=a", ...KEY, "--", "true"],
    permissions: [...WRITE, "--allow-run=COMMAND"],
    words: { COMMAND: "true" },
  },
  {
    command: "edit",
    args: ["a", ...KEY],
    permissions: [...WRITE, "--allow-run=EDITOR", "--allow-env=VISUAL,EDITOR"],
    words: { "=EDITOR": "=true" },
    env: { EDITOR: "true" },
    milder: { "--allow-env=VISUAL,EDITOR": { code: "usage", says: /--allow-env=VISUAL,EDITOR/ } },
  },
  {
    command: "import",
    row: "import of a store of pass",
    args: ["store", ...KEY],
    permissions: [...WRITE, "--allow-run=gpg"],
  },
  { command: "get", row: "get --out FILE", args: ["a", "--out", "../out/a", ...KEY], permissions: OUT },
  { command: "backup", row: "backup FILE elsewhere", args: ["../out/b", ...KEY], permissions: OUT },
  { command: "anchor move", row: "anchor move PATH elsewhere", args: ["../out/anchor", ...KEY], permissions: OUT },
  {
    command: "ls",
    row: "ls with a credential from a variable",
    args: [],
    permissions: [...READ, "--allow-env=NAME"],
    words: { NAME: "COFFER_KEYFILE" },
    env: { COFFER_KEYFILE: "key" },
    milder: { "--allow-env=NAME": { code: "no-credential" } },
  },
];

/** What README calls a need. */
export function rowOf({ command, row }: Need): string {
  return row ?? command;
}

/** The arguments and permissions of a need in a sandbox, whose folder is DIR. */
export function inSandbox(need: Need, box: Sandbox): { args: readonly string[]; permissions: readonly string[] } {
  const words = Object.entries({ "=DIR": `=${box.folder}`, "=OUT": `=${box.path("../out")}`, ...need.words });
  const id = Deno.readTextFileSync(box.path("api.id"));
  return {
    args: [...need.command.split(" "), ...need.args.map((word) => word === "KEYID" ? id : word)],
    permissions: need.permissions.map((flag) => words.reduce((text, [word, value]) => text.replace(word, value), flag)),
  };
}

/** Makes the folders that all calls begin with: a vault with a bit of everything, and what flags name. */
export async function prepare(base: string): Promise<void> {
  await Deno.mkdir(`${base}/out`);
  for (const folder of ["store", "bin"]) await Deno.mkdir(`${base}/vault/${folder}`, { recursive: true });
  const box = new Sandbox(`${base}/vault`);
  const keyFile = newKeyFile();
  box.file("key", keyFile);
  box.file("pass", "correct horse\n");
  box.file("pass.new", "battery staple\n");
  box.file("app.env", "DB_URL=postgres://localhost/app\n");
  box.file("store/bank.gpg", "not looked at");
  box.file("bin/gpg", "#!/bin/sh\necho a password\n", 0o700);
  await using quiet = await Vault.create(box.path("quiet.coffer"), { keyFile });
  await quiet.secrets.set("a", "1");
  {
    await using vault = await Vault.create(box.vault, {
      keyFile,
      policies: { "audit-reads": true, "plaintext-export": "allow" },
      onRecoveryCode: (code) => void box.file("code", code),
    });
    await vault.slots.add({
      kind: "passphrase",
      passphrase: "correct horse",
      memory: 1024,
      passes: 1,
      allowWeakKdf: true,
    });
    await vault.slots.add({ kind: "certificate" }, { onSecret: () => {} });
    await vault.secrets.set("a", "1");
    box.file("old.coffer", (await vault.backup()).bytes);
    await vault.secrets.set("a", "2");
    await vault.secrets.set("otp", "JBSWY3DPEHPK3PXP");
    await vault.secrets.set("db/password", "kV9#tq2LmZ8!xw4R", { type: "password" });
    await vault.users.create({ tenant: "acme", name: "alice", role: "write", password: "correct horse" });
    const { key, id } = await vault.apiKeys.create({ owner: "acme/alice", name: "ci" });
    box.file("api.key", key);
    box.file("api.id", id);
    const { user } = await vault.auth.login("acme/alice", "correct horse");
    box.file("token", await vault.auth.createSession(user));
    box.file("signature", encodeHex(await vault.keyPair.sign(keyFile)));
  }
  const [made, reddb] = [["--user", "root", "--password-file", "pass"], ["--certificate-file", "reddb.cert"]];
  await box.ok(["reddb", "bootstrap", "app.rdb", ...made, "--certificate-out", "reddb.cert"]);
  await box.ok(["reddb", "set", "app.rdb", "a", "--value", "1", ...reddb]);
  await box.ok(["reddb", "export", "app.rdb", "--out", "app.rdvx", ...reddb]);
  // What a process that was killed long ago left.
  const left = box.file(".vault.coffer.0123456789abcdef.tmp", "");
  await Deno.utime(left, new Date(0), new Date(0));
}
