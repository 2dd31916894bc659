/**
 * Makes the vaults of this folder and `index.json`. It only ever adds: what is in the index is left as it is, file and
 * entry, because vectors show that later versions of coffer read what earlier ones wrote, and one that is made anew shows
 * nothing. The first ones, below, were made when format version 1 was settled; later ones stand in `recipes`.
 *
 *     deno run -A tests/vectors/generate.ts
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { encodeBase64, encodeUtf8, viewOf } from "../../lib/bytes.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import {
  decodeMetaPage,
  encodeMetaPage,
  type MetaPage,
  metaPageOf,
} from "../../lib/storage/meta_page.ts";
import { PAGE_SIZE, PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { type CreateOptions, Vault } from "../../lib/vault.ts";
import { newIdentity } from "./forge.ts";
import { auditRecipes } from "./recipes/audit.ts";
import { GOOD_RECIPES } from "./recipes/good.ts";
import { metaPageRecipes } from "./recipes/meta_page.ts";
import { recordRecipes } from "./recipes/records.ts";
import { sealedMetaRecipes } from "./recipes/sealed_meta.ts";
import { segmentPageRecipes } from "./recipes/segment_page.ts";
import { segmentRecipes } from "./recipes/segments.ts";
import { sideFileRecipes } from "./recipes/side_files.ts";

const FOLDER = new URL(".", import.meta.url).pathname;
const MAX_SIZE = 96 * 1024;
const PASSPHRASE = "correct horse battery staple";
const CHEAP: CreateOptions = { passphrase: PASSPHRASE, memory: 8, passes: 1, allowWeakKdf: true };
const DEFAULT = { passphrase: PASSPHRASE };
const SLOT_OFFSET = 160;
const SLOT_MEMORY_OFFSET = SLOT_OFFSET + 16;

type Expected = Record<string, unknown>;

/** An entry of the index. */
interface Entry {
  readonly name: string;
  readonly [field: string]: unknown;
}

const vectors: Entry[] = await readIndex();
const known = new Set(vectors.map(({ name }) => name));

async function readIndex(): Promise<Entry[]> {
  try {
    return JSON.parse(await Deno.readTextFile(`${FOLDER}index.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

async function good(
  file: string,
  what: string,
  expect: Expected,
  make: (vault: Vault) => Promise<unknown>,
  options = CHEAP,
): Promise<void> {
  if (await exists(`${FOLDER}${file}.coffer`)) return;
  {
    await using vault = await Vault.create(`${FOLDER}${file}.coffer`, options);
    await make(vault);
  }
  const { size } = await Deno.stat(`${FOLDER}${file}.coffer`);
  if (size > MAX_SIZE) throw new RangeError(`${file} has ${size} bytes`);
  if (options === CHEAP) vectors.push({ name: file, file: `${file}.coffer`, what, credential: DEFAULT, expect });
}

async function bad(
  file: string,
  what: string,
  expect: string | Expected,
  from: string | undefined,
  edit: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> | Uint8Array,
): Promise<void> {
  if (known.has(file)) return;
  const bytes = from === undefined ? new Uint8Array(0) : await Deno.readFile(`${FOLDER}${from}.coffer`);
  await Deno.writeFile(`${FOLDER}${file}.coffer`, await edit(bytes), { createNew: true, mode: 0o600 });
  vectors.push({ name: file, file: `${file}.coffer`, what, credential: DEFAULT, expect });
}

function record(value: string | Uint8Array, version = 1, more: Expected = {}): Expected {
  return { valueBase64: encodeBase64(typeof value === "string" ? encodeUtf8(value) : value), version, ...more };
}

function patterned(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 7) % 251);
}

/** The newest meta page of a file that is whole. */
async function newest(bytes: Uint8Array): Promise<MetaPage> {
  const pages = await Promise.all(
    ([0, 1] as const).map((number) =>
      decodeMetaPage(bytes.slice(number * PAGE_SIZE, (number + 1) * PAGE_SIZE), number)
    ),
  );
  return pages.flatMap((page) => page.status === "valid" ? [page.page] : []).sort((a, b) => b.version - a.version)[0]!;
}

/** Puts a meta page with a digest of its own in its place. */
async function put(bytes: Uint8Array, page: MetaPage): Promise<Uint8Array> {
  bytes.set(await encodeMetaPage(page), metaPageOf(page.version) * PAGE_SIZE);
  return bytes;
}

/** Changes the newest sealed meta, and makes its page whole again. */
async function editMeta(bytes: Uint8Array, edit: (meta: Uint8Array) => void): Promise<Uint8Array> {
  const page = await newest(bytes);
  const meta = page.meta.slice();
  edit(meta);
  return await put(bytes, { ...page, meta });
}

/** Changes a segment page, and makes its checksum fit again. */
function editPage(bytes: Uint8Array, number: number, edit: (page: Uint8Array) => void): void {
  const page = bytes.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  edit(page);
  viewOf(page).setUint32(PAGE_SIZE - 4, crc32(page.subarray(0, PAGE_SIZE - 4)), true);
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
}

// ---- Good ones ----

await good("empty", "no secrets", { records: {} }, () => Promise.resolve());

const few = { "db/password": record("hunter2"), "db/url": record("postgres://localhost/app"), "none": record("") };
await good("few-secrets", "three secrets in one commit", { records: few }, (vault) =>
  vault.transaction((tx) => {
    tx.secrets.set("db/url", "postgres://localhost/app");
    tx.secrets.set("db/password", "hunter2");
    tx.secrets.set("none", "");
  }));

const unicode = [
  "é",
  "日本語/キー",
  "🔑",
  "__proto__",
  "constructor",
  "a b",
  "\ufeffmark",
  "x".repeat(512),
  "é".repeat(256),
];
await good(
  "unicode-names",
  "names at their bounds and beyond ASCII",
  { records: Object.fromEntries(unicode.map((name) => [name, record(`value of ${name}`)])) },
  (vault) =>
    vault.transaction((tx) => {
      for (const name of unicode) tx.secrets.set(name, `value of ${name}`);
    }),
);

const versions = Array.from(
  { length: 10 },
  (_, i) => ({ version: i + 4, valueBase64: record(`${i + 4}`).valueBase64 }),
);
await good(
  "history",
  "thirteen versions, of which ten are kept",
  { records: { counter: record("13", 13, { versions }) } },
  async (vault) => {
    for (let i = 1; i <= 13; i++) await vault.secrets.set("counter", `${i}`);
  },
);

const large = patterned(20_000);
await good(
  "large-value",
  "a value of several pages, and a commit after it",
  { records: { large: record(large), small: record("s") } },
  async (vault) => {
    await vault.secrets.set("large", large);
    await vault.secrets.set("small", "s");
  },
);

await good(
  "binary-values",
  "all bytes, sizes around the one that is kept inline",
  { records: Object.fromEntries([159, 160, 161, 256].map((size) => [`${size}`, record(patterned(size))])) },
  (vault) =>
    vault.transaction((tx) => {
      for (const size of [159, 160, 161, 256]) tx.secrets.set(`${size}`, patterned(size));
    }),
);

await good(
  "metadata",
  "note, tags, expiry and type",
  {
    records: {
      full: record("v", 1, { note: "two\nlines", tags: ["prod", "web"], expiresAt: 1893456000000, type: "password" }),
      bare: record("w"),
    },
  },
  async (vault) => {
    const expiresAt = new Date(1893456000000);
    await vault.secrets.set("full", "v", { note: "two\nlines", tags: ["web", "prod"], expiresAt, type: "password" });
    await vault.secrets.set("bare", "w", { note: "gone", tags: ["gone"] });
    await vault.secrets.describe("bare", { note: null, tags: null });
  },
);

await good(
  "removed-and-renamed",
  "removals in deltas, a rename, a restored version",
  {
    records: {
      "new": record("kept", 2, { versions: [{ version: 1, valueBase64: record("old").valueBase64 }] }),
      "back": record("1", 3),
    },
  },
  async (vault) => {
    await vault.secrets.set("old", "old");
    await vault.secrets.set("old", "kept");
    await vault.secrets.set("gone", patterned(500));
    await vault.secrets.set("back", "1");
    await vault.secrets.set("back", "2");
    await vault.secrets.rename("old", "new");
    await vault.secrets.delete("gone");
    await vault.secrets.restore("back", 1);
  },
);

const deltas = Array.from({ length: 6 }, (_, i) => `name/${i}`);
await good(
  "many-deltas",
  "six deltas on a snapshot",
  { records: Object.fromEntries(deltas.map((name, i) => [name, record(`${i}`)])) },
  async (vault) => {
    for (const [i, name] of deltas.entries()) await vault.secrets.set(name, `${i}`);
  },
);

const merged = Array.from({ length: 30 }, (_, i) => `name/${i}`);
await good(
  "merged-deltas",
  "thirty commits whose deltas were merged",
  { records: Object.fromEntries(merged.map((name, i) => [name, record(`${i}`)])) },
  async (vault) => {
    for (const [i, name] of merged.entries()) await vault.secrets.set(name, `${i}`);
  },
);

await good(
  "after-compaction",
  "deltas that outweighed the snapshot, then a delta on the new one",
  { records: { a: record("1"), b: record("2", 3) } },
  async (vault) => {
    await vault.secrets.set("b", "0");
    await vault.secrets.set("large/1", patterned(12_000));
    await vault.secrets.delete("large/1");
    await vault.secrets.set("large/2", patterned(12_000));
    await vault.secrets.delete("large/2");
    await vault.secrets.set("b", "1");
    await vault.transaction((tx) => tx.secrets.set("a", "1", { note: "x".repeat(4000) }) && tx.secrets.set("b", "2"));
    await vault.secrets.describe("a", { note: null });
  },
);

const keyFile = newKeyFile();
let [recoveryCode, certificate] = ["", ""];
const slotsAreKnown = known.has("every-slot-kind, passphrase");
await good("every-slot-kind", "", {}, async (vault) => {
  await vault.slots.add({ kind: "keyfile", keyFile, label: "a key file" });
  await vault.slots.add({ kind: "recovery", label: "on paper" }, { onSecret: (text) => void (recoveryCode = text) });
  await vault.slots.add({ kind: "certificate", label: "ops" }, { onSecret: (text) => void (certificate = text) });
  await vault.secrets.set("a", "1");
}, { ...CHEAP, label: "typed" });
for (
  const [kind, credential] of [
    ["passphrase", DEFAULT],
    ["keyfile", { keyFileBase64: encodeBase64(keyFile) }],
    ["recovery", { recoveryCode }],
    ["certificate", { certificate }],
  ] as const
) {
  if (slotsAreKnown) break;
  vectors.push({
    name: `every-slot-kind, ${kind}`,
    file: "every-slot-kind.coffer",
    what: `four slots, opened by the ${kind}`,
    credential,
    expect: { records: { a: record("1") } },
  });
}
if (!slotsAreKnown) {
  vectors.push({
    name: "every-slot-kind, wrong passphrase",
    file: "every-slot-kind.coffer",
    what: "a passphrase of no slot",
    credential: { passphrase: "incorrect horse" },
    expect: "wrong-credential",
  });
}

// ---- Damaged ones ----

await bad(
  "flipped-page",
  "a flipped byte in a page of an older delta",
  "corrupt-vault",
  "many-deltas",
  async (bytes) => {
    const { segments } = await newest(bytes);
    bytes[segments[2]!.first * PAGE_SIZE + 200]! ^= 1;
    return bytes;
  },
);

await bad(
  "flipped-ciphertext",
  "a flipped byte in an older delta, its checksum made to fit",
  "corrupt-vault",
  "many-deltas",
  async (bytes) => {
    editPage(bytes, (await newest(bytes)).segments[2]!.first, (page) => page[100]! ^= 1);
    return bytes;
  },
);

await bad(
  "truncated",
  "cut after the meta pages",
  "truncated-vault",
  "few-secrets",
  (bytes) => bytes.slice(0, 2 * PAGE_SIZE),
);
await bad(
  "truncated-in-meta",
  "cut in the first meta page",
  "truncated-vault",
  "empty",
  (bytes) => bytes.slice(0, 1000),
);
await bad("empty-file", "no bytes at all", "empty-file", undefined, (bytes) => bytes);
await bad("foreign", "another program's file", "not-a-vault", undefined, () => {
  const bytes = new Uint8Array(3 * PAGE_SIZE);
  bytes.set(encodeUtf8("SQLite format 3\0"));
  return bytes;
});
await bad("future-version", "format version 2", "unsupported-version", "few-secrets", (bytes) => {
  for (const at of [0, PAGE_SIZE]) viewOf(bytes).setUint16(at + 6, 2, true);
  return bytes;
});

await bad(
  "torn-newest-meta",
  "half of the newest meta page is missing: the commit before it counts",
  { records: Object.fromEntries(deltas.slice(0, 5).map((name, i) => [name, record(`${i}`)])), recovered: true },
  "many-deltas",
  async (bytes) => {
    const at = metaPageOf((await newest(bytes)).version) * PAGE_SIZE;
    return bytes.fill(0, at + PAGE_SIZE / 2, at + PAGE_SIZE);
  },
);

await bad(
  "torn-newest-segment",
  "the newest delta was never written: the commit before it counts",
  { records: Object.fromEntries(deltas.slice(0, 5).map((name, i) => [name, record(`${i}`)])), recovered: true },
  "many-deltas",
  async (bytes) => {
    const { first } = (await newest(bytes)).segments.at(-1)!;
    return bytes.fill(0, first * PAGE_SIZE, (first + 1) * PAGE_SIZE);
  },
);

await bad("torn-both-metas", "neither meta page is whole", "corrupt-vault", "few-secrets", (bytes) => {
  for (const at of [0, PAGE_SIZE]) bytes[at + 2000]! ^= 1;
  return bytes;
});

await bad(
  "hostile-kdf",
  "a slot that asks for 4 TiB",
  "kdf-limit",
  "empty",
  (bytes) => editMeta(bytes, (meta) => viewOf(meta).setUint32(SLOT_MEMORY_OFFSET, 2 ** 32 - 1, true)),
);

await bad(
  "bad-slot",
  "a slot of a kind that there is not",
  "corrupt-vault",
  "empty",
  (bytes) => editMeta(bytes, (meta) => meta[SLOT_OFFSET] = 9),
);

await bad(
  "escape-in-label",
  "a slot label that a terminal would obey",
  "corrupt-vault",
  "empty",
  (bytes) => editMeta(bytes, (meta) => {
    meta[SLOT_OFFSET + 1] = 4;
    meta.set(encodeUtf8("\x1b[2J"), SLOT_OFFSET + 28);
  }),
);

await bad(
  "forged-meta",
  "a changed time in the meta, its digest made to fit",
  "corrupt-vault",
  "few-secrets",
  (bytes) => editMeta(bytes, (meta) => meta[48]! ^= 1),
);

await bad(
  "loop",
  "a chain of pages that comes back to its first page",
  "corrupt-vault",
  "large-value",
  async (bytes) => {
    const page = await newest(bytes);
    const segment = page.segments.at(-2)!;
    editPage(bytes, segment.first + 1, (each) => viewOf(each).setUint32(4, segment.first, true));
    // A last page that does not follow from the first makes readers walk the chain.
    const segments = page.segments.with(-2, { ...segment, last: segment.last - 1 });
    return await put(bytes, { ...page, segments });
  },
);

await bad(
  "page-out-of-file",
  "a chain of pages that leaves the file",
  "corrupt-vault",
  "large-value",
  async (bytes) => {
    const { segments } = await newest(bytes);
    editPage(bytes, segments.at(-2)!.first, (each) => viewOf(each).setUint32(4, 100_000, true));
    return bytes;
  },
);

await bad(
  "spliced-segment",
  "the newest segment is another vault's, every digest made to fit",
  "corrupt-vault",
  "few-secrets",
  async (bytes) => {
    const other = await Deno.readFile(`${FOLDER}binary-values.coffer`);
    const [page, theirs] = [await newest(bytes), await newest(other)];
    const [ours, { first, length }] = [page.segments.at(-1)!, theirs.segments.at(-1)!];
    if (length > PAYLOAD_SIZE) throw new RangeError("The spliced segment should fit a page");
    bytes.set(other.subarray(first * PAGE_SIZE, (first + 1) * PAGE_SIZE), ours.first * PAGE_SIZE);
    const segment = other.subarray(first * PAGE_SIZE + 12, first * PAGE_SIZE + 12 + length);
    const segments = page.segments.with(-1, { ...ours, last: ours.first, length });
    return await put(bytes, { ...page, segments, addedDigest: await sha256(segment) });
  },
);

await bad("dropped-delta", "a delta is missing from the table", "corrupt-vault", "many-deltas", async (bytes) => {
  const page = await newest(bytes);
  return await put(bytes, { ...page, segments: page.segments.toSpliced(2, 1) });
});

// ---- Later ones ----

const identity = await newIdentity();
const recipes = [
  ...GOOD_RECIPES,
  ...metaPageRecipes(identity),
  ...segmentPageRecipes(identity),
  ...sealedMetaRecipes(identity),
  ...segmentRecipes(identity),
  ...recordRecipes(identity),
  ...auditRecipes(identity),
  ...sideFileRecipes(identity),
];

for (const { name, what, expect, credential = DEFAULT, make } of recipes) {
  if (known.has(name)) continue;
  const made = await make();
  const files = made instanceof Uint8Array ? { vault: made } : made;
  await Deno.mkdir(`${FOLDER}${name.slice(0, name.indexOf("/"))}`, { recursive: true });
  const entry: Record<string, unknown> = { name, file: `${name}.coffer`, what, credential, expect };
  for (const [kind, bytes] of Object.entries(files)) {
    const file = `${name}.${kind === "vault" ? "coffer" : kind}`;
    if (bytes.length > MAX_SIZE) throw new RangeError(`${file} has ${bytes.length} bytes`);
    await Deno.writeFile(`${FOLDER}${file}`, bytes, { createNew: true });
    if (kind !== "vault") entry[kind] = file;
  }
  vectors.push(entry as unknown as Entry);
}

await Deno.writeTextFile(`${FOLDER}index.json`, JSON.stringify(vectors, null, 2) + "\n");
