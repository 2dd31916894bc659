import assert from "node:assert/strict";
import { decodeBase64, encodeBase64 } from "../lib/bytes.ts";
import { CofferError } from "../lib/errors.ts";
import type { ErrorCode } from "../lib/error_table.ts";
import { checkStructure } from "../lib/storage/check.ts";
import { MemoryDisk, MemoryFile } from "../lib/storage/disk_memory.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { type OpenOptions, Vault } from "../lib/vault.ts";
import { checkWhole, gather, rejectsWith, withFolder } from "./helpers.ts";

interface ExpectedRecord {
  readonly valueBase64: string;
  readonly version: number;
  readonly note?: string;
  readonly tags?: readonly string[];
  readonly expiresAt?: number;
  readonly type?: string;
  readonly versions?: readonly { readonly version: number; readonly valueBase64: string }[];
}

/** A vault that opens. */
interface Opens {
  readonly records: Record<string, ExpectedRecord>;
  readonly recovered?: boolean;
  readonly users?: Record<string, { readonly role: string; readonly enabled: boolean }>;
  readonly apiKeys?: readonly {
    readonly owner: string;
    readonly name: string;
    readonly role: string;
    readonly key?: string;
  }[];
  readonly policies?: Record<string, unknown>;
  readonly logins?: Record<string, string>;
  readonly backup?: boolean;
  readonly problems?: boolean;
  readonly logError?: ErrorCode;
  readonly attempts?: ExpectedAttempts;
}

/** What the file of failed tries says. */
interface ExpectedAttempts {
  readonly failures: number;
  readonly waits: boolean;
}

interface Vector {
  readonly name: string;
  readonly file: string;
  readonly anchor?: string;
  readonly attempts?: string;
  readonly what: string;
  readonly credential: {
    readonly passphrase?: string;
    readonly keyFileBase64?: string;
    readonly recoveryCode?: string;
    readonly certificate?: string;
  };
  readonly expect:
    | ErrorCode
    | { readonly reading: ErrorCode; readonly problems?: boolean }
    | { readonly error: ErrorCode; readonly attempts: ExpectedAttempts }
    | Opens;
}

const FOLDER = new URL("vectors/", import.meta.url);
const VECTORS: readonly Vector[] = JSON.parse(await Deno.readTextFile(new URL("index.json", FOLDER)));
/** The largest file of a vector. */
const MAX_SIZE = 96 * 1024;

for (const vector of VECTORS) {
  Deno.test(`Vault.open() of the vector ${vector.name}: ${vector.what}`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/vector.coffer`;
      const bytes = await Deno.readFile(new URL(vector.file, FOLDER));
      await Deno.writeFile(path, bytes, { mode: 0o600 });
      for (const kind of ["anchor", "attempts"] as const) {
        const file = vector[kind];
        if (file !== undefined) await Deno.copyFile(new URL(file, FOLDER), `${path}.${kind}`);
      }
      await judge(vector, path, bytes);
    }));
}

async function judge(vector: Vector, path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const credential = credentialOf(vector);
  const { expect } = vector;
  // What stands beside the file does not go with a vault in memory.
  const alone = vector.attempts === undefined && vector.anchor === undefined && expect !== "anchor-missing";
  const memory = alone ? () => new FileMedium(new MemoryDisk(new MemoryFile(bytes))) : () => path;
  if (typeof expect === "string") {
    await rejectsWith(() => Vault.open(path, credential), expect);
    await rejectsWith(() => Vault.open(memory(), credential), expect);
    assert.deepEqual(await Deno.readFile(path), bytes, "a vault that does not open is left alone");
    return;
  }
  if ("attempts" in expect && expect.attempts !== undefined) await compareAttempts(path, expect.attempts);
  if ("error" in expect) return void await rejectsWith(() => Vault.open(path, credential), expect.error);
  if ("reading" in expect) {
    for (const where of [path, memory()]) {
      await using vault = await Vault.open(where, credential);
      await rejectsWith(() => readAll(vault), expect.reading);
      if (expect.problems) assert.notDeepEqual((await vault.check()).problems, []);
      assert.notDeepEqual((await vault.check({ deep: true })).problems, [], "no check finds it");
    }
    return;
  }
  for (const where of [memory(), path]) {
    await using vault = await Vault.open(where, credential);
    await compare(vault, expect);
  }
  assert.deepEqual(await Deno.readFile(path), bytes, "reading changes no byte");
  if (expect.backup) {
    await using vault = await Vault.open(path, credential);
    await rejectsWith(() => vault.secrets.set("added by the test", "1"), "backup-read-only");
  } else if (!expect.problems && expect.logError === undefined) await goOn(path, credential, expect);
}

/** What writes to the vault: changes, and the time of a key's last use. */
async function goOn(path: string, credential: OpenOptions, { records, apiKeys, logins }: Opens): Promise<void> {
  {
    await using vault = await Vault.open(path, credential);
    await vault.secrets.set("added by the test", "1");
    for (const { key, owner, role } of apiKeys ?? []) {
      if (key === undefined) continue;
      const holder = await vault.apiKeys.check(key);
      assert.deepEqual([holder.user, holder.role], [owner, role]);
    }
    for (const [user, password] of Object.entries(logins ?? {})) {
      assert.equal((await vault.auth.login(user, password)).user, user);
    }
  }
  await using vault = await Vault.open(path, credential);
  assert.equal(await vault.secrets.getText("added by the test"), "1");
  await vault.secrets.delete("added by the test");
  await compare(vault, { records });
  await checkWhole(path, credential);
}

async function compare(vault: Vault, expect: Opens): Promise<void> {
  assert.equal((await vault.status()).recovered, expect.recovered ?? false);
  const list = await vault.secrets.list();
  assert.deepEqual(list.map(({ name }) => name).sort(), Object.keys(expect.records).sort());
  for (const { name, version, note, tags, expiresAt, type } of list) {
    const expected = expect.records[name]!;
    assert.equal(encodeBase64(await vault.secrets.get(name)), expected.valueBase64, name);
    assert.deepEqual(
      { version, note, tags, expiresAt: expiresAt?.getTime(), type },
      {
        version: expected.version,
        note: expected.note,
        tags: expected.tags ?? [],
        expiresAt: expected.expiresAt,
        type: expected.type,
      },
    );
    for (const { version, valueBase64 } of expected.versions ?? []) {
      assert.equal(encodeBase64(await vault.secrets.get(name, { version })), valueBase64);
    }
  }
  await compareUsers(vault, expect);
  const problems = (await vault.check()).problems;
  assert.equal(problems.length > 0, expect.problems ?? false, JSON.stringify(problems));
  if (expect.logError !== undefined) await rejectsWith(() => gather(vault.audit.entries()), expect.logError);
}

async function compareUsers(vault: Vault, { users, apiKeys, policies }: Opens): Promise<void> {
  if (users !== undefined) {
    const found = (await vault.users.list()).map(({ user, role, enabled }) => [user, { role, enabled }]);
    assert.deepEqual(Object.fromEntries(found), users);
  }
  if (apiKeys !== undefined) {
    const found = (await vault.apiKeys.list()).map(({ owner, name, role }) => ({ owner, name, role }));
    assert.deepEqual(found, apiKeys.map(({ owner, name, role }) => ({ owner, name, role })));
  }
  const set: Record<string, unknown> = { ...await vault.policies.list() };
  for (const [name, value] of Object.entries(policies ?? {})) assert.equal(set[name], value, name);
}

async function compareAttempts(path: string, expected: ExpectedAttempts): Promise<void> {
  const { attempts } = await Vault.inspect(path);
  assert.deepEqual({ failures: attempts?.failures, waits: attempts!.retryAfter > 0 }, { ...expected });
}

/** Everything in a vault that a reader decodes only when it is asked for. */
async function readAll(vault: Vault): Promise<void> {
  for (const { name } of await vault.secrets.list()) {
    for (const { version } of await vault.secrets.history(name)) await vault.secrets.get(name, { version });
  }
  await vault.users.list();
  await vault.apiKeys.list();
  await vault.policies.list();
}

Deno.test("checkStructure() of every vector reports, or throws with a code", async () => {
  for (const { file } of VECTORS) {
    const disk = new MemoryDisk(new MemoryFile(await Deno.readFile(new URL(file, FOLDER))));
    try {
      await checkStructure(disk);
    } catch (error) {
      assert.ok(error instanceof CofferError, `${file}: ${error}`);
    }
  }
});

Deno.test("the vectors are 150 or more, 90 of them malformed; each file is named, and none is large", async () => {
  const files = new Set(VECTORS.map(({ file }) => file));
  const malformed = VECTORS.filter(({ name, expect }) =>
    !name.startsWith("good/") &&
    (typeof expect === "string" || !("records" in expect) || expect.recovered || expect.problems)
  );
  assert.ok(files.size >= 150, `${files.size} files`);
  assert.ok(malformed.length >= 90, `${malformed.length} malformed`);
  assert.equal(new Set(VECTORS.map(({ name }) => name)).size, VECTORS.length);
  const named = new Set(VECTORS.flatMap(({ file, anchor, attempts }) => [file, anchor, attempts]));
  for await (const file of filesIn(FOLDER)) {
    if (/\.(coffer|anchor|attempts)$/.test(file)) assert.ok(named.has(file), `${file} is not in the index`);
  }
  for (const file of named) {
    if (file !== undefined) assert.ok((await Deno.stat(new URL(file, FOLDER))).size <= MAX_SIZE, file);
  }
});

async function* filesIn(folder: URL, start = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesIn(new URL(`${name}/`, folder), `${start}${name}/`);
    else yield start + name;
  }
}

function credentialOf({ credential: { keyFileBase64, ...credential } }: Vector): OpenOptions {
  return keyFileBase64 === undefined ? credential : { keyFile: decodeBase64(keyFileBase64) };
}
