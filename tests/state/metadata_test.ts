import assert from "node:assert/strict";
import { checkMetadata, MAX_NOTE_SIZE, MAX_TAG_SIZE, MAX_TAGS, withMetadata } from "../../lib/state/metadata.ts";
import type { SecretMetadata } from "../../lib/state/metadata.ts";
import type { StoredSecret } from "../../lib/state/secret.ts";
import { rejectsWith } from "../helpers.ts";

const GOOD: readonly SecretMetadata[] = [
  {},
  { note: null, tags: null, expiresAt: null, type: null },
  { note: "" },
  { note: "a".repeat(MAX_NOTE_SIZE) },
  { note: "é".repeat(MAX_NOTE_SIZE / 2) },
  { note: "several\nlines\r\n\tand a tab" },
  { tags: [] },
  { tags: ["prod", "prod"] },
  { tags: Array.from({ length: MAX_TAGS }, (_, i) => `tag ${i}`) },
  { tags: ["🔑".repeat(MAX_TAG_SIZE / 4)] },
  { type: "a".repeat(MAX_TAG_SIZE) },
  { expiresAt: new Date(0) },
  { expiresAt: new Date(8.64e15) },
];

const BAD: readonly [field: string, metadata: SecretMetadata][] = [
  ["note", { note: "a".repeat(MAX_NOTE_SIZE + 1) }],
  ["note", { note: "é".repeat(MAX_NOTE_SIZE / 2) + "a" }],
  ["note", { note: "\x1b[2J" }],
  ["note", { note: "\x9b" }],
  ["note", { note: "\ud800" }],
  ["tags", { tags: Array.from({ length: MAX_TAGS + 1 }, (_, i) => `tag ${i}`) }],
  ["tag", { tags: [""] }],
  ["tag", { tags: ["a\nb"] }],
  ["tag", { tags: ["a".repeat(MAX_TAG_SIZE + 1)] }],
  ["tag", { tags: ["fine", "\udc00"] }],
  ["type", { type: "a\tb" }],
  ["type", { type: "a".repeat(MAX_TAG_SIZE + 1) }],
  ["expiry", { expiresAt: new Date(-1) }],
  ["expiry", { expiresAt: new Date(NaN) }],
];

const BEFORE: StoredSecret = {
  created: 1,
  updated: 2,
  note: "a note",
  tags: ["a"],
  expires: 3,
  type: "pem",
  versions: [{ version: 1, created: 1, size: 0, value: "" }],
};

Deno.test("checkMetadata() takes what is within the bounds", () => {
  for (const metadata of GOOD) assert.equal(checkMetadata(metadata), metadata);
});

Deno.test("checkMetadata() refuses what is not, and names the field", async () => {
  for (const [field, metadata] of BAD) {
    const error = await rejectsWith(() => checkMetadata(metadata), "invalid-metadata");
    assert.equal((error as unknown as { field: string }).field, field);
  }
});

Deno.test("withMetadata() leaves out what is not given, clears what is null, and sorts tags", () => {
  assert.deepEqual(withMetadata(BEFORE, {}, 9), { ...BEFORE, updated: 9 });
  const { created, versions } = BEFORE;
  const cleared = withMetadata(BEFORE, { note: null, tags: null, expiresAt: null, type: null }, 9);
  assert.deepEqual(cleared, { created, updated: 9, versions });
  assert.deepEqual(withMetadata(BEFORE, { tags: ["c", "b", "c"] }, 9).tags, ["b", "c"]);
  assert.equal(withMetadata(BEFORE, { expiresAt: new Date(77) }, 9).expires, 77);
  assert.equal(withMetadata(BEFORE, { expiresAt: new Date(0) }, 9).expires, 0);
  assert.equal(withMetadata(BEFORE, { note: "new" }, 9).note, "new");
});

Deno.test("withMetadata() leaves the record that it is given alone", () => {
  const before = structuredClone(BEFORE);
  withMetadata(before, { tags: ["z"], note: null }, 9);
  assert.deepEqual(before, BEFORE);
});
