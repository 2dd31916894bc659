import assert from "node:assert/strict";
import { decodeBase64, encodeBase64 } from "../lib/bytes.ts";
import { MemoryDisk, MemoryFile } from "../lib/storage/disk_memory.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { type OpenOptions, Vault } from "../lib/vault.ts";
import { checkWhole, rejectsWith, withFolder } from "./helpers.ts";
import type { ErrorCode } from "../lib/errors.ts";

interface ExpectedRecord {
  readonly valueBase64: string;
  readonly version: number;
  readonly note?: string;
  readonly tags?: readonly string[];
  readonly expiresAt?: number;
  readonly type?: string;
  readonly versions?: readonly { readonly version: number; readonly valueBase64: string }[];
}

interface Vector {
  readonly name: string;
  readonly file: string;
  readonly what: string;
  readonly credential: {
    readonly passphrase?: string;
    readonly keyFileBase64?: string;
    readonly recoveryCode?: string;
    readonly certificate?: string;
  };
  readonly expect: ErrorCode | { readonly records: Record<string, ExpectedRecord>; readonly recovered?: boolean };
}

const FOLDER = new URL("vectors/", import.meta.url);
const VECTORS: readonly Vector[] = JSON.parse(await Deno.readTextFile(new URL("index.json", FOLDER)));

for (const vector of VECTORS) {
  Deno.test(`Vault.open() of the vector ${vector.name}: ${vector.what}`, () =>
    withFolder(async (folder) => {
      const bytes = await Deno.readFile(new URL(vector.file, FOLDER));
      const path = `${folder}/${vector.file}`;
      await Deno.writeFile(path, bytes, { mode: 0o600 });
      const credential = credentialOf(vector);
      const memory = () => new FileMedium(new MemoryDisk(new MemoryFile(bytes)));
      if (typeof vector.expect === "string") {
        await rejectsWith(() => Vault.open(path, credential), vector.expect);
        await rejectsWith(() => Vault.open(memory(), credential), vector.expect);
        assert.deepEqual(await Deno.readFile(path), bytes, "a vault that does not open is left alone");
        return;
      }
      {
        await using inMemory = await Vault.open(memory(), credential);
        await compare(inMemory, vector.expect);
        await using vault = await Vault.open(path, credential);
        await compare(vault, vector.expect);
        assert.deepEqual(await Deno.readFile(path), bytes, "reading changes no byte");
        await vault.secrets.set("added by the test", "1");
      }
      await using vault = await Vault.open(path, credential);
      assert.equal(await vault.secrets.getText("added by the test"), "1");
      await vault.secrets.delete("added by the test");
      await compare(vault, { records: vector.expect.records });
      await checkWhole(path, credential);
    }));
}

Deno.test("the vectors are 24 or more, each file is named, and none is large", async () => {
  assert.ok(VECTORS.length >= 24);
  assert.equal(new Set(VECTORS.map(({ name }) => name)).size, VECTORS.length);
  const files = new Set(VECTORS.map(({ file }) => file));
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith(".coffer")) assert.ok(files.has(name), `${name} is not in the index`);
  }
  for (const file of files) assert.ok((await Deno.stat(new URL(file, FOLDER))).size <= 96 * 1024, file);
});

async function compare(vault: Vault, expect: Exclude<Vector["expect"], string>): Promise<void> {
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
  assert.deepEqual((await vault.check()).problems, []);
}

function credentialOf({ credential: { keyFileBase64, ...credential } }: Vector): OpenOptions {
  return keyFileBase64 === undefined ? credential : { keyFile: decodeBase64(keyFileBase64) };
}
