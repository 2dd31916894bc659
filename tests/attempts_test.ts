import assert from "node:assert/strict";
import { Attempts, type AttemptsStore } from "../lib/attempts.ts";
import { type Bytes, decodeHex, encodeHex } from "../lib/bytes.ts";
import { InputOutputError, PermissionDeniedError, TooManyAttemptsError, WrongCredentialError } from "../lib/errors.ts";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { type AttemptsRecord, decodeAttempts, encodeAttempts, noAttempts } from "../lib/sealed/attempts.ts";
import { AttemptsFile } from "../lib/storage/attempts_file.ts";
import { MemoryMedium } from "../lib/storage/memory.ts";
import { Vault } from "../lib/vault.ts";
import { auditLog } from "./audit_log.ts";
import {
  CHEAP_KDF,
  flipped,
  PASSPHRASE,
  patterned,
  rejectsWith,
  type TestVault,
  withFolder,
  withVault,
} from "./helpers.ts";

const RIGHT = { passphrase: PASSPHRASE };
const WRONG = { passphrase: "incorrect horse" };
const VAULT_ID = patterned(16);

/** A store in memory, with a clock that the test sets. */
class FakeStore implements AttemptsStore {
  readonly path = "/a/app.coffer.attempts";
  bytes: Bytes | undefined;
  now = 1_700_000_000_000;
  writes = 0;
  refusal: Error | undefined;
  readonly attempts = new Attempts(this, VAULT_ID, () => this.now);

  read(): Promise<Bytes | undefined> {
    return Promise.resolve(this.bytes);
  }

  async update(change: (bytes: Bytes | undefined) => Promise<Bytes | undefined>): Promise<void> {
    const next = await change(this.bytes);
    if (next === undefined) return;
    if (this.refusal !== undefined) throw this.refusal;
    this.bytes = next;
    this.writes++;
  }

  async fail(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) await this.attempts.failed(new WrongCredentialError());
  }

  async record(): Promise<AttemptsRecord> {
    return await recordIn(this.bytes);
  }
}

async function recordIn(bytes: Bytes | undefined): Promise<AttemptsRecord> {
  const decoded = await decodeAttempts(bytes!);
  assert.ok(decoded.status === "valid");
  return decoded.record;
}

async function waitOf(work: Promise<unknown>): Promise<number> {
  const error = await rejectsWith(() => work, "too-many-attempts");
  assert.ok(error instanceof TooManyAttemptsError);
  return error.retryAfter;
}

// ---- With a clock of its own ----

Deno.test("Attempts lets five failures pass, then makes each try wait twice as long, until one succeeds", async () => {
  const store = new FakeStore();
  for (let i = 0; i < 5; i++) {
    await store.attempts.assertMayTry();
    await store.fail();
  }
  for (const wait of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900].map((seconds) => seconds * 1000)) {
    assert.equal(await waitOf(store.attempts.assertMayTry()), wait);
    store.now += wait - 1;
    assert.equal(await waitOf(store.attempts.assertMayTry()), 1);
    assert.equal((await store.attempts.status()).retryAfter, 1);
    store.now += 1;
    await store.attempts.assertMayTry();
    await store.fail();
  }
  store.now += 900_000;
  assert.equal(await store.attempts.succeeded(), 17);
  assert.deepEqual(await store.attempts.status(), { failures: 0, retryAfter: 0 });
  await store.fail(4);
  await store.attempts.assertMayTry();
});

Deno.test("Attempts does not write to refuse, nor to succeed when nothing has failed", async () => {
  const store = new FakeStore();
  await store.attempts.assertMayTry();
  assert.equal(await store.attempts.succeeded(), 0);
  await store.fail(5);
  await waitOf(store.attempts.assertMayTry());
  assert.equal(store.writes, 5);
  store.now += 1000;
  for (let i = 0; i < 3; i++) assert.equal(await store.attempts.succeeded(), 5);
  assert.equal(store.writes, 6, "the first success resets, the others find nothing to reset");
});

Deno.test("Attempts hands over what the log has to be told until it is told, and loses nothing meanwhile", async () => {
  const store = new FakeStore();
  await store.attempts.logged(1);
  assert.equal(store.bytes, undefined);
  await store.fail(3);
  assert.equal(await store.attempts.succeeded(), 3);
  assert.equal(await store.attempts.succeeded(), 3, "the log was not told yet");
  await store.fail(1);
  await store.attempts.logged(3);
  assert.equal(await store.attempts.succeeded(), 1);
  await store.attempts.logged(1);
  assert.equal(await store.attempts.succeeded(), 0);
});

Deno.test("Attempts begins the wait anew when the clock is set back, writes that down, and lets it pass", async () => {
  const store = new FakeStore();
  await store.fail(7);
  store.now -= 86_400_000;
  assert.deepEqual(await store.attempts.status(), { failures: 7, retryAfter: 4000 });
  assert.equal(await waitOf(store.attempts.assertMayTry()), 4000);
  assert.equal((await store.record()).last, store.now);
  store.now += 3999;
  assert.equal(await waitOf(store.attempts.assertMayTry()), 1);
  store.now -= 3999;
  assert.equal(await waitOf(store.attempts.assertMayTry()), 4000);
  store.now += 4000;
  await store.attempts.assertMayTry();
});

Deno.test("Attempts says how to go on when the clock was set back and the file cannot be written", async () => {
  const store = new FakeStore();
  await store.fail(7);
  store.now -= 86_400_000;
  store.refusal = new PermissionDeniedError("write", store.path);
  const error = await rejectsWith(() => store.attempts.assertMayTry(), "too-many-attempts");
  assert.equal(error.cause, store.refusal);
  assert.match(error.hint, /app\.coffer\.attempts/);
});

Deno.test("Attempts answers tries that ran side by side with the wait that came meanwhile, right or wrong", async () => {
  const store = new FakeStore();
  for (let i = 0; i < 8; i++) await store.attempts.assertMayTry();
  const answers: string[] = [];
  for (let i = 0; i < 7; i++) answers.push((await store.attempts.failed(new WrongCredentialError())).code);
  assert.deepEqual(answers, [...Array(5).fill("wrong-credential"), ...Array(2).fill("too-many-attempts")]);
  assert.equal(await waitOf(store.attempts.succeeded()), 4000);
  assert.equal((await store.record()).failures, 7, "each one counts, and a success that came too early resets nothing");
});

Deno.test("Attempts tells of a wrong credential even when the failure cannot be counted, with the reason", async () => {
  const store = new FakeStore();
  store.refusal = new PermissionDeniedError("write", store.path);
  const error = await store.attempts.failed(new WrongCredentialError());
  assert.equal(error.code, "wrong-credential");
  assert.equal(error.message, new WrongCredentialError().message);
  assert.equal(error.cause, store.refusal);
});

Deno.test("Attempts accepts a success that cannot be noted because the file may not be written", async () => {
  const store = new FakeStore();
  await store.fail(3);
  store.refusal = new PermissionDeniedError("write", store.path);
  assert.equal(await store.attempts.succeeded(), 3);
  assert.equal((await store.attempts.status()).failures, 3);
});

Deno.test("Attempts.succeeded() tells of a disk that fails, unlike of one that may not be written", async () => {
  const store = new FakeStore();
  await store.fail(3);
  store.refusal = new InputOutputError("write", store.path);
  await assert.rejects(store.attempts.succeeded(), store.refusal);
});

// ---- Processes ----

Deno.test("failures counted by 8 processes at once are all counted", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const script = new URL("count_failures.ts", import.meta.url).pathname;
    const args = ["run", "--no-prompt", "--quiet", `--allow-read=${folder}`, `--allow-write=${folder}`, script];
    const results = await Promise.all(Array.from({ length: 8 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: [...args, path, encodeHex(VAULT_ID), "25"],
        stderr: "piped",
      }).output()));
    for (const { code, stderr } of results) assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { failures, unlogged } = await recordIn(await new AttemptsFile(path).read());
    assert.deepEqual({ failures, unlogged }, { failures: 200, unlogged: 200 });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.coffer.attempts"]);
  }));

// ---- With a vault ----

/** Puts a record for the vault in its place: so many failures, the last one so many milliseconds ago. */
async function pretend({ vault, path }: TestVault, failures: number, ago: number): Promise<void> {
  const vaultId = decodeHex((await vault.status()).vaultId);
  const record = { vaultId, failures, last: Date.now() - ago, unlogged: failures };
  await new AttemptsFile(path).update(() => encodeAttempts(record));
}

withVault("Vault.open() refuses the sixth try after five failures, asking for and deriving nothing", async (test) => {
  for (let i = 0; i < 5; i++) await rejectsWith(() => Vault.open(test.path, WRONG), "wrong-credential");
  let asked = false;
  const passphrase = () => {
    asked = true;
    return PASSPHRASE;
  };
  const wait = await waitOf(Vault.open(test.path, { passphrase }));
  assert.ok(wait > 0 && wait <= 1000);
  assert.equal(asked, false);
  assert.equal((await Vault.inspect(test.path)).attempts!.failures, 5);
  await pretend(test, 5, 1000);
  await using vault = await Vault.open(test.path, { passphrase });
  assert.deepEqual((await vault.status()).attempts, { failures: 0, retryAfter: 0 });
});

withVault("Vault.open() begins the count anew after a success", async ({ path }) => {
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) await rejectsWith(() => Vault.open(path, WRONG), "wrong-credential");
    await (await Vault.open(path, RIGHT)).close();
  }
});

withVault("Vault tells of failed tries in its log with the next change after them, once", async ({ vault, path }) => {
  await vault.close();
  const told = async () =>
    (await auditLog(path)).filter(({ operation }) => operation === "unlock.failed").map(({ count }) => count);
  for (let i = 0; i < 2; i++) await rejectsWith(() => Vault.open(path, WRONG), "wrong-credential");
  for (let round = 0; round < 2; round++) {
    await using open = await Vault.open(path, RIGHT);
    for (const value of ["1", "2"]) await open.secrets.set("a", value);
    assert.deepEqual(await told(), [2]);
  }
  await rejectsWith(() => Vault.open(path, WRONG), "wrong-credential");
  // By itself it is no reason for a commit, and is not forgotten for that.
  {
    await using open = await Vault.open(path, RIGHT);
    assert.equal(await open.secrets.getText("a"), "2");
  }
  assert.deepEqual(await told(), [2]);
  await using open = await Vault.open(path, RIGHT);
  await open.secrets.set("a", "3");
  assert.deepEqual(await told(), [2, 1]);
});

withVault("Vault.open() counts every kind of credential, and only what was tried", async ({ path }) => {
  const wrong = [
    WRONG,
    { passphrase: "" },
    { keyFile: newKeyFile() },
    { recoveryCode: `${"abandon ".repeat(23)}art` },
    { certificate: "00".repeat(32) },
  ];
  await rejectsWith(() => Vault.open(path, { certificate: "00" }), "malformed-credential");
  await rejectsWith(() => Vault.open(path, {}), "no-credential");
  for (const [index, credential] of wrong.entries()) {
    assert.equal((await Vault.inspect(path)).attempts!.failures, index);
    await rejectsWith(() => Vault.open(path, credential), "wrong-credential");
  }
  await waitOf(Vault.open(path, RIGHT));
  await Deno.remove(`${path}.attempts`);
});

withVault("Vault.open() with attempts false neither counts nor waits", async (test) => {
  const options = { ...WRONG, attempts: false };
  for (let i = 0; i < 7; i++) await rejectsWith(() => Vault.open(test.path, options), "wrong-credential");
  assert.deepEqual([...Deno.readDirSync(test.folder)].map(({ name }) => name).sort(), [
    "app.coffer",
    "app.coffer.anchor",
  ]);
  await pretend(test, 20, 0);
  await using vault = await Vault.open(test.path, { ...RIGHT, attempts: false });
  assert.ok(!("attempts" in await vault.status()));
  assert.ok(!("attempts" in await Vault.inspect(test.path, { attempts: false })));
  await Deno.remove(`${test.path}.attempts`);
});

Deno.test("Vault.open() of a medium counts nothing", async () => {
  const medium = new MemoryMedium();
  await using vault = await Vault.create(medium, { ...RIGHT, ...CHEAP_KDF });
  assert.ok(!("attempts" in await vault.status()));
});

withVault("Vault.create() takes away what an earlier vault at the path has left", async (test) => {
  await pretend(test, 20, 0);
  await Deno.rename(test.path, `${test.folder}/old`);
  await Deno.rename(`${test.path}.anchor`, `${test.folder}/old.anchor`);
  {
    await using vault = await Vault.create(test.path, { ...RIGHT, ...CHEAP_KDF });
    assert.deepEqual((await vault.status()).attempts, { failures: 0, retryAfter: 0 });
  }
  assert.deepEqual((await Vault.inspect(test.path)).attempts, { failures: 0, retryAfter: 0 });
  // The test's own vault goes back to its place, for the check at the end.
  await Deno.rename(`${test.folder}/old`, test.path);
  await Deno.rename(`${test.folder}/old.anchor`, `${test.path}.anchor`);
});

/** What an attempts file may be, and what Vault.open() with the right credential makes of it. */
const STATES: Record<string, { make: (record: AttemptsRecord) => Promise<Uint8Array | undefined>; opens: boolean }> = {
  "missing": { make: () => Promise.resolve(undefined), opens: true },
  "of no failures": { make: encodeAttempts, opens: true },
  "of few failures": { make: (record) => encodeAttempts({ ...record, failures: 4, last: Date.now() }), opens: true },
  "empty": { make: () => Promise.resolve(new Uint8Array(0)), opens: false },
  "short": { make: async (record) => (await encodeAttempts(record)).slice(0, 40), opens: false },
  "long": { make: async (record) => Uint8Array.from([...await encodeAttempts(record), 0]), opens: false },
  "flipped": { make: async (record) => flipped(await encodeAttempts(record), 12), opens: false },
  "of another vault": { make: () => encodeAttempts(noAttempts(patterned(16))), opens: false },
  "something else": { make: () => Promise.resolve(patterned(5000)), opens: false },
};

for (const [name, { make, opens }] of Object.entries(STATES)) {
  withVault(`Vault.open() with an attempts file that is ${name} ${opens ? "opens" : "waits 32 s"}`, async (test) => {
    const file = new AttemptsFile(test.path);
    const bytes = await make(noAttempts(decodeHex((await test.vault.status()).vaultId)));
    if (bytes !== undefined) await Deno.writeFile(file.path, bytes);
    if (opens) return await (await Vault.open(test.path, RIGHT)).close();
    assert.deepEqual((await Vault.inspect(test.path)).attempts, { failures: 10, retryAfter: 32_000 });
    assert.deepEqual(await Deno.readFile(file.path), bytes, "looking changes nothing");
    assert.equal(await waitOf(Vault.open(test.path, RIGHT)), 32_000);
    // From here on the wait runs; a file that counted anew each time would never let anyone in.
    const { failures, last } = await recordIn(await file.read());
    assert.equal(failures, 10);
    assert.ok(Math.abs(Date.now() - last) < 3_600_000);
    await pretend(test, failures, 32_000);
  });
}

withVault("Vault.open() refuses an attempts file of a later version, and one that is no file", async ({ path }) => {
  const file = new AttemptsFile(path);
  const later = flipped(await encodeAttempts(noAttempts(VAULT_ID)), 8, 3).slice(0, 48);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", later));
  await Deno.writeFile(file.path, Uint8Array.from([...later, ...digest]));
  const error = await rejectsWith(() => Vault.open(path, RIGHT), "unsupported-version");
  assert.match(error.message, /app\.coffer\.attempts/);
  await Deno.remove(file.path);
  await Deno.mkdir(file.path);
  const { message } = await rejectsWith(() => Vault.open(path, RIGHT), "io-error");
  assert.match(message, /app\.coffer\.attempts/);
  await Deno.remove(file.path);
});
