import assert from "node:assert/strict";
import { encodeHex } from "../lib/bytes.ts";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { MemoryMedium, MemoryStore } from "../lib/storage/memory.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, checkWhole, PASSPHRASE, patterned, rejectsWith, withFolder, withVault } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

// ---- Create and open ----

withVault("Vault.create() makes a private file that opens again", async ({ vault, path, folder }) => {
  const { generation, epoch, secrets, openedWith, slots, recovered } = await vault.status();
  assert.deepEqual({ generation, epoch, secrets, openedWith, recovered }, {
    generation: 1,
    epoch: 1,
    secrets: 0,
    openedWith: 1,
    recovered: false,
  });
  assert.deepEqual(slots.map(({ id, kind }) => [id, kind]), [[1, "passphrase"]]);
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
    "app.coffer",
    "app.coffer.anchor",
  ], "nothing but its anchor lies beside it");
});

Deno.test("Vault.create() opens with every kind of credential afterwards", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const keyFile = newKeyFile();
    let recoveryCode = "";
    let certificate = "";
    {
      const onRecoveryCode = (code: string) => void (recoveryCode = code);
      await using vault = await Vault.create(path, { keyFile, label: "laptop", onRecoveryCode });
      await vault.secrets.set("a", "1");
      await vault.slots.add({ kind: "passphrase", passphrase: PASSPHRASE, ...CHEAP_KDF });
      await vault.slots.add({ kind: "certificate" }, { onSecret: (text) => void (certificate = text) });
    }
    const credentials = [
      [{ keyFile }, 1],
      [{ recoveryCode }, 2],
      [{ recoveryCode: ` ${recoveryCode.toUpperCase().replaceAll(" ", "\n ")} ` }, 2],
      [{ passphrase: PASSPHRASE }, 3],
      [{ passphrase: () => Promise.resolve(PASSPHRASE) }, 3],
      [{ certificate }, 4],
      [{ certificate: () => `${certificate.toUpperCase()}\n` }, 4],
    ] as const;
    for (const [credential, slot] of credentials) {
      await using vault = await Vault.open(path, credential);
      assert.equal(await vault.secrets.getText("a"), "1");
      assert.equal((await vault.status()).openedWith, slot);
    }
    await rejectsWith(() => Vault.open(path, { passphrase: "another" }), "wrong-credential");
    await rejectsWith(() => Vault.open(path, { keyFile: newKeyFile() }), "wrong-credential");
    await rejectsWith(() => Vault.open(path, { certificate: "00".repeat(32) }), "wrong-credential");
    await rejectsWith(() => Vault.open(path, { certificate: "00" }), "malformed-credential");
    await rejectsWith(() => Vault.open(path, { recoveryCode: "abandon ".repeat(24) }), "malformed-credential");
    await rejectsWith(() => Vault.open(path, {}), "no-credential");
    await rejectsWith(() => Vault.open(path, { keyFile, certificate }), "conflicting-credentials");
    await checkWhole(path);
  }));

withVault("Vault.open() takes a passphrase in any Unicode form", async (test) => {
  test.credential = { passphrase: "Zo\u00eb" };
  await test.vault.changePassphrase("Zoe\u0308", CHEAP_KDF);
  await (await Vault.open(test.path, test.credential)).close();
});

Deno.test("Vault.create() refuses before it writes", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await rejectsWith(() => Vault.create(path, { ...CREDENTIAL, memory: 8, passes: 1 }), "weak-kdf");
    await rejectsWith(() => Vault.create(path, { ...CHEAP, memory: 2 ** 22 }), "kdf-limit");
    await rejectsWith(() => Vault.create(path, { ...CHEAP, memory: 15, lanes: 2 }), "kdf-limit");
    await rejectsWith(() => Vault.create(path, { ...CHEAP, passphrase: "" }), "weak-credential");
    await rejectsWith(() => Vault.create(path, { ...CHEAP, passphrase: "\ud800" }), "malformed-credential");
    await rejectsWith(() => Vault.create(path, { ...CHEAP, label: "a".repeat(33) }), "invalid-metadata");
    await rejectsWith(() => Vault.create(path, {}), "no-credential");
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("Vault.create() never replaces what is there, and of two at once one comes to be", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await Deno.writeTextFile(`${folder}/file`, "mine");
    await rejectsWith(() => Vault.create(`${folder}/file`, CHEAP), "vault-exists");
    assert.equal(await Deno.readTextFile(`${folder}/file`), "mine");
    await Deno.remove(`${folder}/file`);
    const results = await Promise.allSettled([1, 2, 3].map(() => Vault.create(path, CHEAP)));
    const made = results.filter((result) => result.status === "fulfilled");
    assert.equal(made.length, 1);
    for (const { value } of made) await value.close();
    await checkWhole(path);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["app.coffer", "app.coffer.anchor"]);
  }));

Deno.test("Vault.create() leaves no file when onRecoveryCode throws", () =>
  withFolder(async (folder) => {
    const failing = Vault.create(`${folder}/app.coffer`, {
      ...CHEAP,
      onRecoveryCode: () => Promise.reject(new RangeError("no printer")),
    });
    await assert.rejects(failing, new RangeError("no printer"));
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("Vault.open() names what is wrong with the file", () =>
  withFolder(async (folder) => {
    const write = async (bytes: Uint8Array) => {
      const path = `${folder}/${bytes.length}`;
      await Deno.writeFile(path, bytes, { mode: 0o600 });
      return path;
    };
    await rejectsWith(() => Vault.open(`${folder}/none`, CREDENTIAL), "vault-not-found");
    await rejectsWith(() => Vault.open(folder, CREDENTIAL), "not-a-file");
    await rejectsWith(async () => Vault.open(await write(new Uint8Array(0)), CREDENTIAL), "empty-file");
    await rejectsWith(async () => Vault.open(await write(patterned(9000)), CREDENTIAL), "not-a-vault");
    if (Deno.build.os === "windows") return;
    await using vault = await Vault.create(`${folder}/app.coffer`, CHEAP);
    await vault.close();
    await Deno.chmod(`${folder}/app.coffer`, 0o640);
    await rejectsWith(() => Vault.open(`${folder}/app.coffer`, CREDENTIAL), "insecure-permissions");
    await (await Vault.open(`${folder}/app.coffer`, { ...CREDENTIAL, allowInsecurePermissions: true })).close();
  }));

Deno.test("Vault.inspect() tells without a credential what the file says", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await using vault = await Vault.create(path, { ...CHEAP, label: "mine" });
    await vault.secrets.set("a", "1");
    const summary = await Vault.inspect(path);
    const { secrets: _, openedWith: __, ...status } = await vault.status();
    assert.deepEqual(summary, status);
    assert.deepEqual(summary.slots[0]!.kdf, { memory: 8, passes: 1, lanes: 1 });
    assert.equal(summary.slots[0]!.label, "mine");
    assert.equal(summary.generation, 2);
  }));

Deno.test("Vault lives on a memory medium as it does on a file", async () => {
  const store = new MemoryStore();
  await using first = await Vault.create(new MemoryMedium(store), CHEAP);
  await using second = await Vault.open(new MemoryMedium(store), CREDENTIAL);
  for (let i = 0; i < 40; i++) await (i % 2 === 0 ? first : second).secrets.set("a", `${i}`);
  assert.equal(await first.secrets.getText("a"), "39");
  assert.deepEqual((await first.check()).problems, []);
  await rejectsWith(() => Vault.open(new MemoryMedium(), CREDENTIAL), "vault-not-found");
});

// ---- Several that share a file ----

withVault("Vault sees what another one in the same process committed", async ({ vault, path }) => {
  await using other = await Vault.open(path, CREDENTIAL);
  for (let i = 0; i < 30; i++) {
    const [writer, reader] = i % 2 === 0 ? [vault, other] : [other, vault];
    await writer.secrets.set("a", `${i}`);
    assert.equal(await reader.secrets.getText("a"), `${i}`);
  }
  const increment = (from: Vault) =>
    from.transaction((tx) => void tx.secrets.set("n", `${Number(tx.secrets.has("n") && tx.secrets.getText("n")) + 1}`));
  await Promise.all(Array.from({ length: 40 }, (_, i) => increment(i % 2 === 0 ? vault : other)));
  assert.equal(await vault.secrets.getText("n"), "40");
  assert.equal(await other.secrets.getText("n"), "40");
});

withVault("Vault loses no increment when processes share a file", async ({ vault, path }) => {
  const [processes, times] = [2, 25];
  await vault.secrets.set("counter", "0");
  const children = Array.from({ length: processes }, () =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("increment.ts", import.meta.url).pathname, path, PASSPHRASE, `${times}`],
      stdout: "inherit",
      stderr: "inherit",
    }).output());
  for (let i = 0; i < times; i++) {
    await vault.transaction((tx) => void tx.secrets.set("counter", `${Number(tx.secrets.getText("counter")) + 1}`));
  }
  for (const { code } of await Promise.all(children)) assert.equal(code, 0);
  assert.equal(await vault.secrets.getText("counter"), `${(processes + 1) * times}`);
});

withVault("Vault.transaction() gives up on a lock that another vault holds", async ({ vault, path }) => {
  await using other = await Vault.open(path, CREDENTIAL);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const holding = other.transaction(() => (begin(), gate));
  await begun;
  await rejectsWith(() => vault.transaction(() => {}, { timeout: 20 }), "busy");
  open();
  await holding;
  await vault.secrets.set("a", "1");
});

// ---- Closing ----

withVault("Vault.close() finishes what runs, fails what waits, and may be called again", async ({ vault }) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const running = vault.transaction(async (tx) => {
    begin();
    await gate;
    tx.secrets.set("a", "1");
  });
  await begun;
  // It shares the running batch only if that has not ended; so it is the close that ends it.
  const closing = vault.close();
  open();
  await Promise.all([running, closing]);
  await vault.close();
  await rejectsWith(() => vault.secrets.get("a"), "vault-closed");
  await rejectsWith(() => vault.secrets.set("a", "2"), "vault-closed");
  await rejectsWith(() => vault.transaction(() => {}), "vault-closed");
  await rejectsWith(() => vault.status(), "vault-closed");
  await rejectsWith(() => vault.check(), "vault-closed");
  await rejectsWith(() => vault.slots.list(), "vault-closed");
});

withVault("Vault.close() rejects transactions that have not begun", async ({ vault }) => {
  const waiting = [1, 2, 3].map((i) => vault.secrets.set(`name/${i}`, "1"));
  const closing = vault.close();
  for (const result of await Promise.allSettled(waiting)) {
    if (result.status === "rejected") assert.equal(result.reason.code, "vault-closed");
  }
  await closing;
});

// ---- Passphrases ----

withVault("Vault.changePassphrase() puts the new one in the old one's place", async (test) => {
  const { vault, path } = test;
  await vault.secrets.set("a", "1");
  const before = await vault.slots.list();
  const changed = await vault.changePassphrase("a new one", CHEAP_KDF);
  assert.equal(changed.id, before[0]!.id);
  assert.deepEqual(changed.kdf, { memory: 8, passes: 1, lanes: 1 });
  assert.equal((await vault.slots.list()).length, 1);
  await rejectsWith(() => Vault.open(path, CREDENTIAL), "wrong-credential");
  await rejectsWith(() => vault.changePassphrase("", CHEAP_KDF), "weak-credential");
  await rejectsWith(() => vault.changePassphrase("b", { memory: 8, passes: 1 }), "weak-kdf");
  await rejectsWith(() => vault.changePassphrase("b", { ...CHEAP_KDF, slot: 9 }), "slot-not-found");
  test.credential = { passphrase: "a new one" };
  await using other = await Vault.open(path, test.credential);
  assert.equal(await other.secrets.getText("a"), "1");
});

withVault(
  "Vault.changePassphrase() keeps what the old one cost, down to the least that a new one may",
  async (test) => {
    const least = { memory: 19 * 1024, passes: 2, lanes: 1 };
    await test.vault.changePassphrase("at the floor", least);
    assert.deepEqual((await test.vault.changePassphrase("as before")).kdf, least);
    test.credential = { passphrase: "as before" };
  },
);

// ---- Sizes ----

withVault("Vault keeps a value of 16 MiB byte for byte, and refuses one byte more", async ({ vault, path }) => {
  const value = new Uint8Array(16 * 1024 * 1024);
  for (let i = 0; i < value.length; i += 4093) value[i] = i % 255;
  await vault.secrets.set("large", value);
  await rejectsWith(() => vault.secrets.set("large", new Uint8Array(value.length + 1)), "value-too-large");
  await using other = await Vault.open(path, CREDENTIAL);
  assert.equal(await digest(await other.secrets.get("large")), await digest(value));
  assert.equal((await other.secrets.info("large")).size, value.length);
});

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
