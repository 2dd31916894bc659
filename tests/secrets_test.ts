import assert from "node:assert/strict";
import { encodeUtf8 } from "../lib/bytes.ts";
import { Vault } from "../lib/vault.ts";
import { PASSPHRASE, patterned, printedSeed, randomFrom, rejectsWith, withVault } from "./helpers.ts";

withVault("Secrets.set() and get() keep bytes and text as they are", async ({ vault, path }) => {
  const values = [
    "",
    "text",
    "é🔑",
    "\ufeffmark",
    "a\0b\n",
    patterned(0),
    patterned(160),
    patterned(161),
    patterned(9000),
  ];
  for (const [i, value] of values.entries()) await vault.secrets.set(`${i}`, value);
  await using other = await Vault.open(path, { passphrase: PASSPHRASE });
  for (const from of [vault, other]) {
    for (const [i, value] of values.entries()) {
      if (typeof value === "string") assert.equal(await from.secrets.getText(`${i}`), value);
      assert.deepEqual(await from.secrets.get(`${i}`), typeof value === "string" ? encodeUtf8(value) : value);
    }
  }
});

withVault(
  "Secrets.set() takes the bytes as they are at the call, and get() gives the caller its own",
  async ({ vault }) => {
    const bytes = patterned(50);
    const setting = vault.secrets.set("a", bytes);
    bytes.fill(0);
    await setting;
    const got = await vault.secrets.get("a");
    assert.deepEqual(got, patterned(50));
    got.fill(0);
    assert.deepEqual(await vault.secrets.get("a"), patterned(50));
  },
);

withVault("Secrets refuses bad input with an error of its kind, and changes nothing", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  await rejectsWith(() => vault.secrets.get("b"), "secret-not-found");
  await rejectsWith(() => vault.secrets.get("a", { version: 2 }), "version-not-found");
  await rejectsWith(() => vault.secrets.get(""), "invalid-name");
  await rejectsWith(() => vault.secrets.has("e\u0301"), "invalid-name");
  await rejectsWith(() => vault.secrets.set("a\n", "1"), "invalid-name");
  await rejectsWith(() => vault.secrets.set("a", "1", { note: "\0" }), "invalid-metadata");
  await rejectsWith(() => vault.secrets.describe("b", {}), "secret-not-found");
  await rejectsWith(() => vault.secrets.delete("b"), "secret-not-found");
  await rejectsWith(() => vault.secrets.rename("b", "c"), "secret-not-found");
  await rejectsWith(() => vault.secrets.rename("a", ""), "invalid-name");
  await rejectsWith(() => vault.secrets.restore("a", 2), "version-not-found");
  await rejectsWith(() => vault.secrets.history("b"), "secret-not-found");
  await assert.rejects(vault.secrets.set("a", "\ud800"), TypeError);
  await assert.rejects(vault.secrets.set("a", 7 as never), TypeError);
  await vault.secrets.set("binary", Uint8Array.of(0xff));
  const error = await rejectsWith(() => vault.secrets.getText("binary"), "malformed-text");
  assert.equal(error.cause, undefined);
  assert.equal((await vault.status()).generation, 3);
});

withVault("Secrets.list() is sorted, and takes a prefix and a glob", async ({ vault }) => {
  await vault.transaction((tx) => {
    for (const name of ["db/url", "db/a/b", "api", "db", "🔑", "Z"]) tx.secrets.set(name, "1");
  });
  const names = async (options = {}) => (await vault.secrets.list(options)).map(({ name }) => name);
  const all = await names();
  assert.deepEqual([...all].sort(), ["Z", "api", "db", "db/a/b", "db/url", "🔑"].sort());
  assert.deepEqual(await names({ prefix: "db/" }), ["db/a/b", "db/url"]);
  assert.deepEqual(await names({ glob: "db/*" }), ["db/url"]);
  assert.deepEqual(await names({ glob: "db/**" }), ["db/a/b", "db/url"]);
  assert.deepEqual(await names({ glob: "**b", prefix: "db/" }), ["db/a/b"]);
  assert.deepEqual(await names({ glob: "none" }), []);
  assert.deepEqual(await vault.transaction((tx) => tx.secrets.list().map(({ name }) => name)), all);
});

withVault("Secrets.info() tells what set() and describe() noted", async ({ vault }) => {
  const expiresAt = new Date(Date.UTC(2040, 0, 1));
  await vault.secrets.set("a", "12345", { note: "n", tags: ["y", "x", "y"], expiresAt, type: "password" });
  const first = await vault.secrets.info("a");
  const { name, version, size, note, tags, type } = first;
  assert.deepEqual({ name, version, size, note, tags, type, expiresAt: first.expiresAt }, {
    name: "a",
    version: 1,
    size: 5,
    note: "n",
    tags: ["x", "y"],
    type: "password",
    expiresAt,
  });
  await vault.secrets.set("a", "1");
  assert.deepEqual((await vault.secrets.info("a")).tags, ["x", "y"], "metadata that is not given stays");
  const cleared = await vault.secrets.describe("a", { note: null, expiresAt: null });
  assert.ok(!("note" in cleared) && !("expiresAt" in cleared));
  assert.equal(cleared.version, 2, "metadata makes no version");
  assert.equal(cleared.createdAt.getTime(), first.createdAt.getTime());
});

withVault("Secrets.history() keeps ten versions, and numbers go on past restore() and rename()", async ({ vault }) => {
  for (let i = 1; i <= 12; i++) await vault.secrets.set("a", i % 2 === 0 ? `${i}` : patterned(300, i));
  assert.deepEqual((await vault.secrets.history("a")).map(({ version }) => version), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  assert.equal((await vault.secrets.restore("a", 3)).version, 13);
  assert.deepEqual(await vault.secrets.get("a"), patterned(300, 3));
  await rejectsWith(() => vault.secrets.get("a", { version: 3 }), "version-not-found");
  const renamed = await vault.secrets.rename("a", "b");
  assert.equal(renamed.version, 13);
  assert.equal(await vault.secrets.has("a"), false);
  assert.deepEqual(await vault.secrets.get("b", { version: 5 }), patterned(300, 5));
  const history = await vault.secrets.history("b");
  assert.deepEqual(history.map(({ version, current }) => [version, current])[0], [13, true]);
  assert.equal(history.filter(({ current }) => current).length, 1);
  assert.equal((await vault.secrets.set("b", "x")).version, 14);
});

withVault("Secrets.rename() replaces another secret only when told to", async ({ vault }) => {
  await vault.secrets.set("a", "1");
  await vault.secrets.set("b", patterned(500));
  await rejectsWith(() => vault.secrets.rename("a", "b"), "secret-exists");
  assert.deepEqual(await vault.secrets.get("b"), patterned(500));
  assert.equal((await vault.secrets.rename("a", "a")).name, "a");
  await vault.secrets.rename("a", "b", { overwrite: true });
  assert.equal(await vault.secrets.getText("b"), "1");
  assert.equal((await vault.status()).secrets, 1);
  assert.equal((await vault.check()).records > 0, true);
});

withVault(
  "Secrets does what a Map does, over two thousand random operations and reopenings",
  async ({ vault, path }) => {
    const random = randomFrom(printedSeed("model of Secrets"));
    const pick = (count: number) => Math.floor(random() * count);
    const model = new Map<string, { value: Uint8Array; version: number }>();
    const credential = { passphrase: PASSPHRASE };
    const opened: Vault[] = [];
    let current = vault;
    try {
      for (let done = 0; done < 2000;) {
        const draft = new Map(model);
        const fails = random() < 0.1;
        const count = 1 + pick(12);
        done += count;
        const run = current.transaction((tx) => {
          for (let i = 0; i < count; i++) {
            const name = `name/${pick(25)}`;
            const before = draft.get(name);
            const choice = random();
            if (choice < 0.6) {
              const value = patterned(random() < 0.05 ? pick(20_000) : pick(200), pick(251));
              assert.equal(tx.secrets.set(name, value).version, (before?.version ?? 0) + 1);
              draft.set(name, { value, version: (before?.version ?? 0) + 1 });
            } else if (choice < 0.8 && before !== undefined) {
              tx.secrets.delete(name);
              draft.delete(name);
            } else if (choice < 0.9 && before !== undefined) {
              const to = `name/${pick(25)}`;
              tx.secrets.rename(name, to, { overwrite: true });
              draft.delete(name);
              draft.set(to, before);
            } else assert.equal(tx.secrets.has(name), before !== undefined);
          }
          if (fails) throw new RangeError("on purpose");
        });
        if (fails) await assert.rejects(run, RangeError);
        else {
          await run;
          model.clear();
          for (const [name, entry] of draft) model.set(name, entry);
        }
        if (random() < 0.05) {
          current = await Vault.open(path, credential);
          opened.push(current);
        } else if (opened.length > 0) current = opened[pick(opened.length)]!;
        if (random() < 0.1) await compare(current);
      }
      await compare(vault);
      for (const each of opened) await compare(each);
    } finally {
      for (const each of opened) await each.close();
    }

    async function compare(from: Vault): Promise<void> {
      const list = await from.secrets.list();
      assert.deepEqual(list.map(({ name }) => name).sort(), [...model.keys()].sort());
      for (const { name, version } of list) {
        const expected = model.get(name)!;
        assert.equal(version, expected.version);
        assert.deepEqual(await from.secrets.get(name), expected.value);
      }
    }
  },
);
