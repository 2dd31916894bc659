import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { chainPagesFor } from "../../lib/reddb/header.ts";
import { KeyPair } from "../../lib/reddb/key_pair.ts";
import { VaultState } from "../../lib/reddb/state.ts";
import { RedDbVault } from "../../lib/reddb/vault.ts";
import { MemoryDisk } from "../../lib/storage/disk_memory.ts";
import { patterned, randomFrom, rejectsWith, withFolder } from "../helpers.ts";
import {
  assertSoundFile,
  blankPlace,
  CREDENTIAL,
  foreignFile,
  foreignPagesOf,
  openMemory,
  PASSPHRASE,
  placeOf,
  shapeOf,
  stateOf,
  stateOfPayload,
  vectorBytes,
  VECTORS,
} from "./helpers.ts";

Deno.test("RedDbVault.load() gives back what was saved, after opening the file anew", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.rdb`;
    const state = stateOf(100_000);
    {
      await using vault = await RedDbVault.create(path, CREDENTIAL, { environment: () => undefined });
      assert.equal(vault.path, path);
      assert.equal(await vault.load(), null);
      await vault.save(state);
      assert.deepEqual(await vault.load(), state);
    }
    await using vault = await RedDbVault.openWithoutEnvironment(path, CREDENTIAL);
    assert.deepEqual(await vault.load(), state);
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["app.rdb"]);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  }));

Deno.test("RedDbVault.load() refuses another passphrase and another certificate", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(10));
  for (const credential of [{ passphrase: `${PASSPHRASE} ` }, { certificate: patterned(32) }]) {
    await using other = await openMemory(place, credential);
    await rejectsWith(() => other.load(), "reddb-decryption");
  }
});

Deno.test("RedDbVault.open() without any credential says which variables there are", async () => {
  const disk = new MemoryDisk(blankPlace().file);
  const error = await rejectsWith(
    () => RedDbVault.open(disk, undefined, { environment: () => undefined }),
    "reddb-no-key",
  );
  assert.match(error.message, /REDDB_CERTIFICATE and REDDB_VAULT_KEY/);
  await rejectsWith(() => RedDbVault.openWithoutEnvironment(disk, {}), "reddb-no-key");
});

Deno.test("RedDbVault.open() takes the environment before the argument, openWithoutEnvironment() the argument alone", async () => {
  const place = blankPlace();
  await using saved = await openMemory(place);
  await saved.save(stateOf(10));
  const environment = (name: string) => name === "REDDB_VAULT_KEY" ? PASSPHRASE : undefined;
  await using vault = await RedDbVault.open(new MemoryDisk(place.file), { passphrase: "other" }, { environment });
  assert.deepEqual(await vault.load(), stateOf(10));
  await using without = await RedDbVault.openWithoutEnvironment(new MemoryDisk(place.file), { passphrase: "other" }, {
    environment,
  });
  await rejectsWith(() => without.load(), "reddb-decryption");
});

Deno.test("RedDbVault opens by the certificate that comes from the master secret in it, as hex and as bytes", async () => {
  const place = blankPlace();
  const pair = await KeyPair.generate();
  const state = stateOf(10);
  state.masterSecret = pair.masterSecret;
  await using vault = await openMemory(place, { certificate: pair.certificate });
  await vault.save(state);
  await using byHex = await openMemory(place, { certificate: pair.certificateHex });
  const loaded = await byHex.load();
  assert.deepEqual((await KeyPair.fromMasterSecret(loaded!.masterSecret!)).certificate, pair.certificate);
  await using wrong = await openMemory(place, { certificate: (await KeyPair.generate()).certificateHex });
  await rejectsWith(() => wrong.load(), "reddb-decryption");
  await rejectsWith(() => openMemory(place, { certificate: "not hex" }), "reddb-no-key");
});

Deno.test("RedDbVault.hasSavedState() and readSalt() need no key, and read version 1 too", async () => {
  const salt = async (file: string) => await RedDbVault.readSalt(new MemoryDisk(placeOf(await vectorBytes(file)).file));
  assert.equal((await salt("single-page.rdb"))!.toHex(), "53676cd98082802f3172eb9edf44abb1");
  assert.equal((await salt("version-1.rdb"))!.length, 16);
  assert.equal(await salt("no-vault.rdb"), null);
  const has = async (file: string) =>
    await RedDbVault.hasSavedState(new MemoryDisk(placeOf(await vectorBytes(file)).file));
  assert.deepEqual([await has("version-9.rdb"), await has("version-1.rdb"), await has("no-vault.rdb")], [
    true,
    true,
    false,
  ]);
});

Deno.test("RedDbVault.save() keeps the salt, and takes another nonce each time", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  const header = () => place.file.bytes.slice(2 * 4096 + 32, 2 * 4096 + 32 + 37);
  await vault.save(stateOf(10));
  const first = header();
  await vault.save(stateOf(10));
  assert.deepEqual(header().subarray(0, 21), first.subarray(0, 21));
  assert.notDeepEqual(header().subarray(25), first.subarray(25));
  await using other = await openMemory(place);
  await other.save(stateOf(20));
  assert.deepEqual(header().subarray(0, 21), first.subarray(0, 21), "a handle that has not loaded keeps it too");
  assert.deepEqual(await vault.load(), stateOf(20));
});

for (const pageSize of [4096, 16384]) {
  Deno.test(`RedDbVault saves payloads that end at the capacity of a page, and one past it: ${pageSize}`, async () => {
    const place = blankPlace(pageSize);
    await using vault = await openMemory(place);
    const [header, data] = [pageSize - 77 - 16, pageSize - 40];
    for (const [length, pages] of [[header, 0], [header + 1, 1], [header + data, 1], [header + data + 1, 2]] as const) {
      const state = stateOfPayload(length);
      await vault.save(state);
      assert.deepEqual(await vault.load(), state);
      const report = await checkRedDbFile(new MemoryDisk(place.file));
      assert.deepEqual([report.chainPages, report.problems, report.pageSize], [pages, [], pageSize]);
    }
  });
}

Deno.test("RedDbVault.save() writes headers of pages as the vectors have them", async () => {
  for (const name of ["chain-scattered.rdb", "page-16k.rdb"]) {
    const bytes = await vectorBytes(name);
    const place = placeOf(bytes);
    const size = new DataView(bytes.buffer).getUint32(40, true);
    await using vault = await openMemory(place);
    await vault.save((await vault.load())!);
    const headersOf = (file: Uint8Array) => {
      const headers = new Set<string>();
      for (let at = 2 * size; at < file.length; at += size) {
        // All but the page id, which is its place: another one for another page.
        assert.equal(new DataView(file.buffer, file.byteOffset + at).getUint32(8, true), at / size);
        if (file[at] === 12) headers.add(file.slice(at, at + 8).toHex() + file.slice(at + 12, at + 36).toHex());
      }
      return headers;
    };
    assert.deepEqual(headersOf(place.file.bytes), headersOf(bytes));
  }
});

Deno.test("RedDbVault loads, saves and loads every vector that has a state", async () => {
  for (const { file, credential, state } of VECTORS) {
    if (!state || !file.endsWith(".rdb")) continue;
    const place = placeOf(await vectorBytes(file));
    await using vault = await openMemory(place, credential);
    await vault.save((await vault.load())!);
    assert.deepEqual(shapeOf((await vault.load())!), state, file);
    await assertSoundFile(place);
  }
});

Deno.test("RedDbVault.save() goes over a damaged chain, and frees what of it can be followed", async () => {
  for (const { file, error } of VECTORS) {
    if (error === undefined || !file.endsWith(".rdb") || file.startsWith("version")) continue;
    const place = placeOf(await vectorBytes(file));
    await using vault = await openMemory(place);
    await vault.save(stateOf(20_000));
    assert.deepEqual(await vault.load(), stateOf(20_000), file);
    await assertSoundFile(place, true);
  }
});

Deno.test("RedDbVault.save() makes the first pages of a file that has none for a vault", async () => {
  const place = placeOf(await vectorBytes("no-vault.rdb"));
  await using vault = await openMemory(place);
  await vault.save(stateOf(10_000));
  const { pageCount, fileSize, problems } = await checkRedDbFile(new MemoryDisk(place.file));
  assert.deepEqual([pageCount, fileSize / 4096, problems], [5, 5, []]);
});

Deno.test("RedDbVault.save() refuses a vault of version 1 unless told otherwise, and later versions always", async () => {
  for (const [file, code] of [["version-1.rdb", "reddb-legacy"], ["version-9.rdb", "reddb-unsupported"]] as const) {
    const bytes = await vectorBytes(file);
    const place = placeOf(bytes);
    await using vault = await openMemory(place);
    await rejectsWith(() => vault.save(stateOf(10)), code);
    await rejectsWith(() => vault.update(() => {}), code);
    assert.deepEqual(place.file.bytes, bytes);
    const options = { replaceUnreadable: true };
    await using other = await RedDbVault.openWithoutEnvironment(new MemoryDisk(place.file), CREDENTIAL, options);
    if (file === "version-9.rdb") await rejectsWith(() => other.save(stateOf(10)), code);
    else {
      await other.save(stateOf(10));
      assert.deepEqual(await other.load(), stateOf(10));
    }
  }
});

Deno.test("RedDbVault.save() overwrites neither a page of RedDB's own nor a header whose first letters are damaged, which load() does not take for no vault", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(10));
  place.file.bytes[2 * 4096 + 32] = 0;
  const damaged = place.file.bytes.slice();
  await rejectsWith(() => vault.load(), "reddb-corrupt");
  await rejectsWith(() => vault.save(stateOf(20)), "reddb-corrupt");
  place.file.bytes[2 * 4096] = 1;
  await rejectsWith(() => vault.save(stateOf(20)), "reddb-page-file");
  place.file.bytes[2 * 4096] = 12;
  assert.deepEqual(place.file.bytes, damaged);
});

Deno.test("RedDbVault.save() writes nothing when the state would forge a record", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  await vault.save(stateOf(10));
  const before = place.file.bytes.slice();
  const state = stateOf(10);
  state.kv.set("a\tb", "");
  await rejectsWith(() => vault.save(state), "invalid-metadata");
  await rejectsWith(() => vault.update((state) => void state.kv.set("a\nb", "")), "invalid-metadata");
  assert.deepEqual(place.file.bytes, before);
});

Deno.test("RedDbVault.save() writes back lines that it does not understand", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  const state = VaultState.deserialize(encodeUtf8("FUTURE:x\nKV:a\tzz\n"));
  await vault.save(state);
  await vault.update((state) => void state.kv.set("b", "c"));
  assert.deepEqual((await vault.load())!.kept.map(({ text }) => text), ["FUTURE:x", "KV:a\tzz"]);
});

Deno.test("RedDbVault leaves RedDB's own pages as they are, whatever is saved between them", async () => {
  for (const pageSize of [4096, 16384]) {
    const place = placeOf(foreignFile(pageSize));
    const before = foreignPagesOf(place.file.bytes, pageSize);
    await using vault = await openMemory(place);
    for (const size of [10, 200_000, 0, 50_000, 10]) await vault.save(stateOf(size));
    assert.deepEqual(foreignPagesOf(place.file.bytes, pageSize), before);
    const { otherPages, problems } = await checkRedDbFile(new MemoryDisk(place.file));
    assert.deepEqual([otherPages, problems], [3, []]);
  }
});

Deno.test("RedDbVault takes no more room than twice the largest of a hundred saves", async () => {
  const place = blankPlace();
  await using vault = await openMemory(place);
  const random = randomFrom(7);
  let largest = 0;
  for (let i = 0; i < 100; i++) {
    const state = stateOf(Math.floor(random() ** 2 * 300_000), i);
    const payload = state.serialize().length + 28;
    await vault.save(state);
    largest = Math.max(largest, (3 + chainPagesFor(payload, 4096)) * 4096);
    assert.ok(place.file.bytes.length <= 2 * largest, `save ${i}: ${place.file.bytes.length} > 2 * ${largest}`);
  }
  await assertSoundFile(place);
});

Deno.test("RedDbVault seals and opens exports under its own credential", async () => {
  await using vault = await openMemory(blankPlace());
  const text = await vault.sealLogicalExport(stateOf(100));
  assert.deepEqual(await vault.unsealLogicalExport(text), stateOf(100));
  await using other = await openMemory(blankPlace(), { passphrase: "other" });
  await rejectsWith(() => other.unsealLogicalExport(text), "reddb-decryption");
});

Deno.test("RedDbVault refuses everything once it is closed, and closes twice without harm", async () => {
  const vault = await openMemory(blankPlace());
  await vault.close();
  await vault.close();
  for (
    const work of [
      () => vault.load(),
      () => vault.save(stateOf(1)),
      () => vault.update(() => {}),
      () => vault.sealLogicalExport(stateOf(1)),
      () => vault.unsealLogicalExport("00"),
    ]
  ) await rejectsWith(work, "vault-closed");
});
