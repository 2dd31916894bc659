import assert from "node:assert/strict";
import { readSource, unlockSource } from "../../lib/backup/source.ts";
import { namedSegments } from "../../lib/backup/scan.ts";
import type { Bytes } from "../../lib/bytes.ts";
import { CHUNK_SIZE, openSegment, readSegmentHeader } from "../../lib/sealed/segment.ts";
import type { MetaPage } from "../../lib/storage/meta_page.ts";
import { decodeMetaPages } from "../../lib/storage/choose.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { type SalvageReport, salvageVault } from "../../lib/backup/salvage.ts";
import { Vault } from "../../lib/vault.ts";
import { CHEAP_KDF, checkWhole, flipped, gather, PASSPHRASE, patterned, rejectsWith, withFolder } from "../helpers.ts";
import { diskOf } from "../storage/helpers.ts";
import { forgePage, metaPages, wiped } from "./damage.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };
const CHUNK_PAGES = 257;

type Contents = Map<string, string>;

/** Every current value, in a form that compares. */
async function contents(path: string): Promise<Contents> {
  await using vault = await Vault.open(path, CREDENTIAL);
  const all: Contents = new Map();
  for (const { name } of await vault.secrets.list()) {
    all.set(name, new TextDecoder("latin1").decode(await vault.secrets.get(name)));
  }
  return all;
}

/** Salvages damaged bytes, and holds the new vault to be whole and the source to be as it was. */
async function salvage(
  folder: string,
  bytes: Uint8Array<ArrayBuffer>,
  options: Partial<Parameters<typeof salvageVault>[2]> = {},
): Promise<{ report: SalvageReport; found: Contents }> {
  const [source, out] = [`${folder}/damaged.coffer`, `${folder}/out.coffer`];
  await Deno.writeFile(source, bytes, { mode: 0o600 });
  await Deno.chmod(source, 0o400);
  try {
    const report = await salvageVault(source, out, { ...CHEAP, ...options });
    assert.deepEqual(await Deno.readFile(source), bytes, "the source is only read");
    await checkWhole(out);
    return { report, found: await contents(out) };
  } finally {
    await Deno.remove(source);
    await Deno.remove(out).catch(() => {});
    assert.deepEqual([...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".tmp")), []);
  }
}

/** The chunks of a segment of a sound vault, opened by the library's usual way. */
async function plaintext(bytes: Bytes, page: MetaPage, first: number): Promise<readonly Bytes[]> {
  const disk = diskOf(bytes);
  const [ring] = await unlockSource(await readSource(disk), CREDENTIAL);
  const { length, read, version } = namedSegments(disk, page).find((segment) => segment.first === first)!;
  const stored = { length, read, version: version! };
  const key = { key: ring!.keys.data, vaultId: ring!.vaultId };
  return await gather(openSegment(key, stored, await readSegmentHeader(stored)));
}

/** Names of the secrets whose record and value both stand wholly outside of a chunk. */
function secretsOutside(parts: readonly Bytes[], chunk: number): string[] {
  const text = parts.map((part) => new TextDecoder("latin1").decode(part)).join("");
  const [from, to] = [chunk * CHUNK_SIZE, chunk * CHUNK_SIZE + parts[chunk]!.length];
  const outside: string[] = [];
  for (let start = 0, end; (end = text.indexOf("\n", start)) >= 0; start = end + 1) {
    if (end < from || start >= to) outside.push(text.slice(start, end));
  }
  const values = new Set(outside.filter((line) => line.startsWith("+value")).map((line) => line.split("\t")[1]));
  return outside.filter((line) => line.startsWith("+secret")).map((line) => line.split("\t"))
    .filter(([, , json]) => values.has(JSON.parse(json!).versions[0].ref)).map(([, name]) => name!).sort();
}

async function build(path: string, count = 6): Promise<Contents> {
  await using vault = await Vault.create(path, { ...CHEAP, anchor: null });
  for (let i = 0; i < count; i++) await vault.secrets.set(`name/${i}`, patterned(300 + i * 900, i));
  await vault.secrets.set("name/0", "changed", { note: "n" });
  await vault.close();
  return await contents(path);
}

Deno.test("salvageVault() gives every record of a sound vault, under an id and slots of its own", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const oracle = await build(path);
    const { report, found } = await salvage(folder, await Deno.readFile(path));
    assert.deepEqual(found, oracle);
    assert.deepEqual([report.failures, report.missing, report.lostSecrets, report.orphans, report.older], [
      [],
      [],
      [],
      0,
      0,
    ]);
    await salvageVault(path, `${folder}/two.coffer`, { ...CHEAP, newCredential: { passphrase: "another" } });
    const [one, two] = await Promise.all([Vault.inspect(path), Vault.inspect(`${folder}/two.coffer`)]);
    assert.notEqual(one.vaultId, two.vaultId);
    await rejectsWith(() => Vault.open(`${folder}/two.coffer`, CREDENTIAL), "wrong-credential");
    await checkWhole(`${folder}/two.coffer`, { passphrase: "another" });
  }));

Deno.test("salvageVault() gives all but what a damaged page held, whichever page it is", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const oracle = await build(path);
    const bytes = await Deno.readFile(path);
    const [{ page }] = await metaPages(bytes);
    for (const { first } of page.segments) {
      const { report, found } = await salvage(folder, flipped(bytes, first * PAGE_SIZE + 100));
      assert.ok(
        report.failures.length >= 1 && report.failures.every(({ segment }) => segment === first),
        `page ${first}`,
      );
      assert.equal(report.failures[0]!.page, first);
      for (const [name, value] of found) {
        const older = report.shortenedSecrets.includes(name) || report.missing.length > 0;
        assert.ok(oracle.get(name) === value || older, `page ${first}: ${name}`);
      }
      assert.ok(found.size >= oracle.size - 6);
    }
  }));

Deno.test("salvageVault() needs one of the two meta pages, and finds keys in a torn one too", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const oracle = await build(path);
    const bytes = await Deno.readFile(path);
    const [newest, older] = await metaPages(bytes);
    // The newest one is lost: what it alone named is found by a deep search only.
    const plain = await salvage(folder, wiped(bytes, newest.number));
    assert.notEqual(plain.found.get("name/0"), "changed");
    const deep = await salvage(folder, wiped(bytes, newest.number), { deep: true });
    assert.deepEqual(deep.found, oracle);
    // A bit of its unused bytes is flipped: the digest is wrong, and all that matters is whole.
    const torn = flipped(wiped(bytes, older.number), newest.number * PAGE_SIZE + 20);
    assert.deepEqual(
      (await decodeMetaPages(torn.slice(0, 2 * PAGE_SIZE))).some(({ status }) => status === "valid"),
      false,
    );
    assert.deepEqual((await salvage(folder, torn)).found, oracle);
    // So it is with its first letters, its version, and the digest itself.
    for (const at of [0, 6, 40]) {
      const damaged = flipped(wiped(bytes, older.number), newest.number * PAGE_SIZE + at);
      assert.deepEqual((await salvage(folder, damaged)).found, oracle, `byte ${at}`);
    }
    const both = wiped(wiped(bytes, 0), 1);
    both.set(new TextEncoder().encode("COFFER\x01\x00"), 0);
    const error = await rejectsWith(() => salvage(folder, both), "corrupt-vault");
    assert.match(error.message, /key slots of both meta pages are lost/);
  }));

Deno.test("salvageVault() loses of a large snapshot only the lines in the chunk that is damaged", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const value = (i: number) => patterned(2000, i);
    const COUNT = 1200;
    {
      await using vault = await Vault.create(path, { ...CHEAP, anchor: null });
      await vault.transaction((tx) => {
        for (let i = 0; i < COUNT; i++) tx.secrets.set(`name/${String(i).padStart(5, "0")}`, value(i));
      });
    }
    const oracle = await contents(path);
    const bytes = await Deno.readFile(path);
    const [{ page }] = await metaPages(bytes);
    const large = page.segments.find(({ length }) => length > 2 * 1024 * 1024)!;
    const parts = await plaintext(bytes, page, large.first);
    // The first page holds the header too, which is worked out from its neighbours.
    for (const [chunk, at] of [[0, 0], [0, 3], [1, CHUNK_PAGES + 5], [2, 2 * CHUNK_PAGES + 20]] as const) {
      const { report, found } = await salvage(folder, flipped(bytes, (large.first + at) * PAGE_SIZE + 500));
      assert.deepEqual(report.failures.map(({ segment, chunk }) => ({ segment, chunk })), [
        { segment: large.first, chunk },
      ]);
      const whole = secretsOutside(parts, chunk);
      assert.ok(whole.length > COUNT / 4 && whole.length < COUNT, `chunk ${chunk}: ${whole.length}`);
      assert.deepEqual([...found.keys()].sort(), whole);
      for (const [name, text] of found) assert.equal(text, oracle.get(name), name);
      assert.ok(report.brokenLines >= 1 && report.brokenLines <= 2, `${report.brokenLines}`);
      assert.equal(report.secrets, found.size);
    }
  }));

Deno.test("salvageVault() fills what a damaged snapshot lost up from the one before it, which the older meta page names", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const names = Array.from({ length: 700 }, (_, i) => `name/${i}`);
    {
      await using vault = await Vault.create(path, { ...CHEAP, anchor: null });
      for (const round of [0, 1]) {
        await vault.transaction((tx) => {
          for (const [i, name] of names.entries()) tx.secrets.set(name, `${round} ${"x".repeat(2000 + i)}`);
        });
      }
    }
    const bytes = await Deno.readFile(path);
    const [{ page }, older] = await metaPages(bytes);
    const newest = page.segments.at(-1)!;
    assert.ok(newest.length > 2 * CHUNK_SIZE && !older.page.segments.some(({ first }) => first === newest.first));
    const { report, found } = await salvage(folder, flipped(bytes, (newest.first + CHUNK_PAGES + 5) * PAGE_SIZE + 500));
    assert.equal(report.failures.length, 1);
    assert.ok(report.older > 0);
    // In the chunk were first values of secrets, which the snapshot before it holds too.
    assert.deepEqual([report.lostSecrets, report.shortenedSecrets], [[], []]);
    assert.deepEqual([...found.keys()].sort(), names.toSorted());
    assert.ok([...found.values()].every((value) => value.startsWith("1 ")));
  }));

Deno.test("salvageVault() names the generations that are missing between what opens", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await build(path);
    const bytes = await Deno.readFile(path);
    const [{ page }] = await metaPages(bytes);
    const lost = page.segments.at(-2)!;
    const { report } = await salvage(folder, flipped(bytes, lost.first * PAGE_SIZE + 50));
    assert.equal(report.missing.length, 1);
    assert.equal(report.missing[0]!.last, lost.version);
    assert.equal(report.failures[0]!.generation, lost.version);
  }));

Deno.test("salvageVault() refuses a path that is taken, a wrong credential and a certificate alone, and leaves nothing", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await build(path, 1);
    const out = `${folder}/out.coffer`;
    await rejectsWith(() => salvageVault(path, path, CHEAP), "vault-exists");
    await rejectsWith(() => salvageVault(path, out, { ...CHEAP, passphrase: "wrong" }), "wrong-credential");
    await rejectsWith(() => salvageVault(path, out, { certificate: "00".repeat(32) }), "no-credential");
    await rejectsWith(() => salvageVault(`${folder}/none`, out, CHEAP), "vault-not-found");
    await Deno.writeFile(`${folder}/foreign`, patterned(9000), { mode: 0o600 });
    await rejectsWith(() => salvageVault(`${folder}/foreign`, out, CHEAP), "not-a-vault");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["app.coffer", "foreign"]);
  }));

Deno.test("salvageVault() of a file that is cut short gives what is left", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const oracle = await build(path);
    const bytes = await Deno.readFile(path);
    for (let pages = 3; pages * PAGE_SIZE < bytes.length; pages += 3) {
      const { report, found } = await salvage(folder, bytes.slice(0, pages * PAGE_SIZE + 17));
      for (const [name, text] of found) {
        assert.ok(oracle.get(name) === text || report.failures.length > 0, `${pages} pages: ${name}`);
      }
    }
  }));

Deno.test("salvageVault() passes over segments of kinds that it does not know, and counts them", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await build(path);
    const bytes = await Deno.readFile(path);
    const [{ page }] = await metaPages(bytes);
    const { first, length, version } = page.segments[2]!;
    // A delta is of kind 2; one bit more makes it kind 3, which holds no records.
    const other = forgePage(bytes, first, 0, Math.min(length, 4080), 5);
    const { report } = await salvage(folder, other);
    assert.deepEqual([report.segments.others, report.failures], [2, []]);
    assert.deepEqual(report.missing.map(({ last }) => last), [version]);
  }));

Deno.test("salvageVault() does not replace what takes its path meanwhile, and takes away what it wrote", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await build(path, 1);
    const out = `${folder}/out.coffer`;
    const passphrase = () => {
      Deno.writeTextFileSync(out, "mine");
      return PASSPHRASE;
    };
    await rejectsWith(() => salvageVault(path, out, { ...CHEAP, passphrase }), "vault-exists");
    assert.equal(Deno.readTextFileSync(out), "mine");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["app.coffer", "out.coffer"]);
  }));

Deno.test("salvageVault() gives all of a vault that gets a new key, or an older one, meanwhile", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    await using vault = await Vault.create(path, CHEAP);
    await vault.secrets.set("a", "1");
    let times = 0;
    const passphrase = async () => {
      // The slots were read; what they give opens nothing of what stands there then.
      if (times++ === 0) { for (let i = 0; i < 2; i++) await vault.rotate({ credentials: [CREDENTIAL] }); }
      return PASSPHRASE;
    };
    const report = await salvageVault(path, `${folder}/out`, { passphrase, ...CHEAP_KDF });
    assert.deepEqual([report.secrets, report.failures, report.missing], [1, [], []]);
    assert.equal(report.records, 1, "what the old vault notes of its keys is no part of the new one");
    await checkWhole(`${folder}/out`);
  }));
