/**
 * A vault and its anchor: older copies, forks, crashes in between, anchors elsewhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspectAnchor } from "../lib/sealed/anchor.ts";
import type { AnchorStore } from "../lib/storage/anchor_store.ts";
import { MemoryMedium, MemoryStore } from "../lib/storage/memory.ts";
import { type OpenOptions, Vault } from "../lib/vault.ts";
import { auditLog } from "./audit_log.ts";
import { CHEAP_KDF, PASSPHRASE, patterned, rejectsWith, withFolder, withVault } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

interface Copy {
  readonly vault: Uint8Array;
  readonly anchor: Uint8Array;
}

async function copyOf(path: string): Promise<Copy> {
  return { vault: await Deno.readFile(path), anchor: await Deno.readFile(`${path}.anchor`) };
}

/** The generation that the anchor names. */
function anchored(bytes: Uint8Array): number {
  return Math.max(...inspectAnchor(bytes, "").map(({ generation }) => generation));
}

async function changed(path: string, value: string, options: OpenOptions = CREDENTIAL): Promise<void> {
  await using vault = await Vault.open(path, options);
  await vault.secrets.set("a", value);
}

withVault("Vault.open() refuses a vault that is older than its anchor, and writes nothing", async ({ vault, path }) => {
  await vault.close();
  const copies = [await copyOf(path)];
  for (const value of ["1", "2", "3"]) {
    await changed(path, value);
    copies.push(await copyOf(path));
  }
  const newest = copies.pop()!;
  for (const older of copies) {
    await Deno.writeFile(path, older.vault);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "rollback-detected");
    assert.deepEqual(await copyOf(path), { vault: older.vault, anchor: newest.anchor });
  }
  await Deno.writeFile(path, newest.vault);
  await changed(path, "4");
});

withVault(
  "Vault takes an anchor that a crash left behind, moves it with the next commit and says so in the log",
  async (test) => {
    const { vault, path } = test;
    await vault.close();
    const before = await copyOf(path);
    await changed(path, "1");
    await changed(path, "2");
    await Deno.writeFile(`${path}.anchor`, before.anchor);
    {
      await using open = await Vault.open(path, CREDENTIAL);
      assert.equal(await open.secrets.getText("a"), "2");
      assert.equal(anchored((await copyOf(path)).anchor), 1, "reading moves nothing");
      await open.secrets.set("a", "3");
    }
    assert.equal(anchored((await copyOf(path)).anchor), 4);
    assert.deepEqual((await auditLog(path)).map(({ operation }) => operation).slice(-2), ["anchor.move", "secret.set"]);
    await Deno.writeFile(path, before.vault);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "rollback-detected");
    test.credential = { ...CREDENTIAL, trustAnchor: true };
  },
);

withVault(
  "Vault.open() refuses another vault of the same generation, and takes back the right one",
  async ({ vault, path }) => {
    await vault.close();
    const common = await copyOf(path);
    await changed(path, "mine");
    const mine = await copyOf(path);
    await Deno.writeFile(path, common.vault);
    await Deno.writeFile(`${path}.anchor`, common.anchor);
    await changed(path, "theirs");
    const theirs = await copyOf(path);
    await Deno.writeFile(path, mine.vault);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "fork-detected");
    assert.deepEqual(await copyOf(path), { vault: mine.vault, anchor: theirs.anchor });
    await Deno.writeFile(path, theirs.vault);
    await changed(path, "after");
  },
);

withVault(
  "Vault.open() with trustAnchor takes an older vault for the newest from then on, and logs it",
  async ({ vault, path }) => {
    await vault.close();
    await changed(path, "1");
    const older = await copyOf(path);
    await changed(path, "2");
    await Deno.writeFile(path, older.vault);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "rollback-detected");
    {
      await using trusted = await Vault.open(path, { ...CREDENTIAL, trustAnchor: true, actor: "kim", reason: "drill" });
      assert.equal(await trusted.secrets.getText("a"), "1");
    }
    const { operation, actor, reason, slot } = (await auditLog(path)).at(-1)!;
    assert.deepEqual({ operation, actor, reason, slot }, {
      operation: "anchor.trust",
      actor: "kim",
      reason: "drill",
      slot: 1,
    });
    await changed(path, "3");
  },
);

withVault("Vault that is open refuses to go on without its anchor, reading or writing", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  const { vault: before, anchor } = await copyOf(path);
  await Deno.remove(`${path}.anchor`);
  await rejectsWith(() => vault.secrets.set("a", "2"), "anchor-missing");
  await Deno.writeFile(`${path}.anchor`, anchor.subarray(1), { mode: 0o600 });
  await rejectsWith(() => vault.secrets.set("a", "2"), "anchor-damaged");
  assert.deepEqual(await Deno.readFile(path), before, "a commit that cannot be anchored is not begun");
  await Deno.writeFile(`${path}.anchor`, anchor);
  await vault.secrets.set("a", "2");
});

Deno.test("Vault commits nothing when the anchor may not be written", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const store = new MemoryAnchor();
    await using vault = await Vault.create(path, { ...CHEAP, anchor: store });
    await vault.secrets.set("a", "1");
    const before = await Deno.readFile(path);
    store.refusal = new RangeError("read only");
    await assert.rejects(vault.secrets.set("a", "2"), store.refusal);
    await assert.rejects(vault.slots.add({ kind: "recovery" }, { onSecret: () => {} }), store.refusal);
    assert.deepEqual(await Deno.readFile(path), before);
    assert.equal(await vault.secrets.getText("a"), "1", "reading goes on");
    store.refusal = undefined;
    await vault.secrets.set("a", "3");
    assert.equal(anchored(store.bytes!), 3);
  }));

Deno.test("Vault keeps its anchor at another path, and asks for it there", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const anchor = `${folder}/elsewhere`;
    await (await Vault.create(path, { ...CHEAP, anchor })).close();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["app.coffer", "elsewhere"]);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "anchor-missing");
    await changed(path, "1", { ...CREDENTIAL, anchor });
    await rejectsWith(() => Vault.create(`${folder}/two.coffer`, { ...CHEAP, anchor }), "anchor-exists");
    assert.throws(() => Deno.statSync(`${folder}/two.coffer`), Deno.errors.NotFound);
  }));

Deno.test("Vault without an anchor needs none, and takes an older copy", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await (await Vault.create(path, { ...CHEAP, anchor: null })).close();
    const older = await Deno.readFile(path);
    await changed(path, "1");
    assert.equal((await Vault.inspect(path)).anchored, false);
    await Deno.writeFile(path, older);
    await using vault = await Vault.open(path, CREDENTIAL);
    assert.equal((await vault.status()).generation, 1);
    await rejectsWith(() => vault.moveAnchor(`${folder}/anchor`), "no-anchor");
    // There is nothing to be trusted anew, and nothing is made.
    await (await Vault.open(path, { ...CREDENTIAL, trustAnchor: true })).close();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.coffer"]);
  }));

Deno.test("Vault.moveAnchor() keeps the anchor elsewhere, goes on there, and replaces no file", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const anchor = `${folder}/elsewhere`;
    await Deno.writeTextFile(`${folder}/taken`, "mine");
    {
      await using vault = await Vault.create(path, CHEAP);
      await rejectsWith(() => vault.moveAnchor(`${folder}/taken`), "anchor-exists");
      await vault.moveAnchor(anchor);
      await vault.secrets.set("a", "1");
    }
    assert.equal(await Deno.readTextFile(`${folder}/taken`), "mine");
    assert.throws(() => Deno.statSync(`${path}.anchor`), Deno.errors.NotFound);
    assert.equal(anchored(await Deno.readFile(anchor)), 3);
    await rejectsWith(() => Vault.open(path, CREDENTIAL), "anchor-missing");
    await changed(path, "2", { ...CREDENTIAL, anchor });
    const moves = (await auditLog(path, { anchor })).filter(({ operation }) => operation === "anchor.move");
    assert.deepEqual(moves.map(({ to }) => to), [anchor]);
  }));

Deno.test("Vault on a medium of one's own has the anchor that it is given, and none otherwise", async () => {
  const medium = new MemoryStore();
  const anchor = new MemoryAnchor();
  {
    await using vault = await Vault.create(new MemoryMedium(medium), { ...CHEAP, anchor });
    await vault.secrets.set("a", "1");
  }
  assert.equal(anchored(anchor.bytes!), 2);
  await rejectsWith(() => Vault.open(new MemoryMedium(medium), CREDENTIAL), "anchor-missing");
  const kept = anchor.bytes!.slice();
  {
    await using vault = await Vault.open(new MemoryMedium(medium), { ...CREDENTIAL, anchor });
    await vault.secrets.set("a", "2");
  }
  anchor.bytes = kept;
  await (await Vault.open(new MemoryMedium(medium), { ...CREDENTIAL, anchor })).close();
  const plain = new MemoryStore();
  await using vault = await Vault.create(new MemoryMedium(plain), CHEAP);
  assert.equal((await vault.status()).anchored, false);
});

/** An anchor that a program keeps for itself. */
class MemoryAnchor implements AnchorStore {
  readonly name = "memory";
  bytes: Uint8Array<ArrayBuffer> | null = null;
  /** Why nothing can be written. */
  refusal: Error | undefined;

  read() {
    return this.bytes === null ? null : this.bytes.slice();
  }
  assertWritable() {
    if (this.refusal !== undefined) throw this.refusal;
  }
  write(bytes: Uint8Array, offset: number) {
    this.assertWritable();
    this.bytes!.set(bytes, offset);
  }
  replace(bytes: Uint8Array) {
    this.assertWritable();
    this.bytes = new Uint8Array(bytes);
  }
  remove() {
    this.bytes = null;
  }
  release() {}
}

withVault(
  "Vault.open() with trustAnchor leaves a file alone that is no anchor, such as the vault itself",
  async (test) => {
    const { path, folder } = test;
    const letter = `${folder}/letter`;
    await Deno.writeTextFile(letter, "of other use");
    const key = `${folder}/key`;
    await Deno.writeFile(key, patterned(1024));
    // Half of all backups begin with a page of zeros.
    const backups = await Promise.all([1, 2].map(async (number) => {
      await test.vault.secrets.set("a", `${number}`);
      await Deno.writeFile(`${folder}/backup-${number}`, (await test.vault.backup()).bytes);
      return `${folder}/backup-${number}`;
    }));
    for (const anchor of [path, letter, key, ...backups]) {
      const before = [await Deno.readFile(path), await Deno.readFile(anchor)];
      await rejectsWith(() => Vault.open(path, { ...CREDENTIAL, anchor, trustAnchor: true }), "anchor-damaged");
      assert.deepEqual([await Deno.readFile(path), await Deno.readFile(anchor)], before);
    }
  },
);

withVault(
  "Vault.open() refuses a backup in the place of a newer vault, or of another one",
  async ({ vault, path, folder }) => {
    await vault.secrets.set("a", "1");
    const older = (await vault.backup()).bytes;
    await vault.secrets.set("a", "2");
    const level = (await vault.backup()).bytes;
    await vault.close();
    const newest = await Deno.readFile(path);
    const other = `${folder}/other`;
    await (await Vault.create(other, CHEAP)).close();
    await using foreign = await Vault.open(other, CREDENTIAL);
    for (
      const [bytes, code] of [[older, "rollback-detected"], [(await foreign.backup()).bytes, "anchor-foreign"]] as const
    ) {
      await Deno.writeFile(path, bytes);
      const { hint } = await rejectsWith(() => Vault.open(path, CREDENTIAL), code);
      assert.match(hint, /coffer restore/);
    }
    await Deno.writeFile(path, level);
    assert.equal(await (await Vault.open(path, CREDENTIAL)).secrets.getText("a"), "2");
    // Elsewhere it is what it is: a backup to be read.
    await Deno.writeFile(`${folder}/backup`, older, { mode: 0o600 });
    assert.equal(await (await Vault.open(`${folder}/backup`, CREDENTIAL)).secrets.getText("a"), "1");
    await Deno.writeFile(path, newest);
  },
);

withVault(
  "Vault.open() asks for the anchor of the vault that it opens, whatever stood there first",
  async ({ vault, path }) => {
    await vault.secrets.set("a", "1");
    const older = await Deno.readFile(path);
    await vault.secrets.set("a", "2");
    const backup = (await vault.backup()).bytes;
    await vault.close();
    const newest = await Deno.readFile(path);
    await Deno.writeFile(path, backup);
    const passphrase = async () => {
      // The file says that it has no anchor; while the key is derived an older copy takes its place, which has one.
      await Deno.writeFile(path, older);
      return PASSPHRASE;
    };
    await rejectsWith(() => Vault.open(path, { passphrase }), "rollback-detected");
    await Deno.writeFile(path, newest);
  },
);
