import assert from "node:assert/strict";
import { CorruptVaultError } from "../../lib/errors.ts";
import { Draft, State } from "../../lib/state/records.ts";
import {
  addVersion,
  findSecret,
  getSecret,
  INLINE_SIZE,
  KEPT_VERSIONS,
  MAX_VALUE_SIZE,
  putSecret,
  readValue,
  removeSecret,
  SECRET,
  VALUE,
} from "../../lib/state/secret.ts";
import { patterned, rejectsWith } from "../helpers.ts";

const SMALL = patterned(INLINE_SIZE);
const LARGE = patterned(INLINE_SIZE + 1);
const VERSION = { version: 1, created: 1, size: 1, value: "AA==" };
const SOUND = { created: 1, updated: 1, versions: [VERSION] };

/** Records of a secret that no writer makes. */
const MALFORMED: Record<string, unknown> = {
  "null": null,
  "a number": 1,
  "a list": [],
  "no created": { ...SOUND, created: undefined },
  "created before 1970": { ...SOUND, created: -1 },
  "updated as text": { ...SOUND, updated: "1" },
  "a note that is no text": { ...SOUND, note: 1 },
  "a type that is no text": { ...SOUND, type: {} },
  "tags that are no list": { ...SOUND, tags: "a" },
  "a tag that is no text": { ...SOUND, tags: [1] },
  "expires as a fraction": { ...SOUND, expires: 1.5 },
  "no versions": { ...SOUND, versions: [] },
  "versions that are no list": { ...SOUND, versions: {} },
  "eleven versions": { ...SOUND, versions: Array(11).fill(VERSION) },
  "a version that is null": { ...SOUND, versions: [null] },
  "a version without value and ref": { ...SOUND, versions: [{ ...VERSION, value: undefined }] },
  "a version with value and ref": { ...SOUND, versions: [{ ...VERSION, ref: "00" }] },
  "a version of negative size": { ...SOUND, versions: [{ ...VERSION, size: -1 }] },
  "a version of another size": { ...SOUND, versions: [{ ...VERSION, size: 2 }] },
  "a version past the largest size": { ...SOUND, versions: [{ ...VERSION, size: MAX_VALUE_SIZE + 1 }] },
  "a value that is not base64": { ...SOUND, versions: [{ ...VERSION, value: "A" }] },
  "a ref to nothing": { ...SOUND, versions: [{ ...VERSION, value: undefined, ref: "00" }] },
};

function set(draft: Draft, name: string, value: Uint8Array, now: number): void {
  putSecret(draft, name, addVersion(draft, name, value, now));
}

Deno.test("addVersion() counts versions up and keeps the last ten", () => {
  const draft = new Draft(new State());
  for (let i = 1; i <= 25; i++) {
    set(draft, "a", Uint8Array.of(i), i * 1000);
    const numbers = getSecret(draft, "a").versions.map(({ version }) => version);
    const first = Math.max(1, i - KEPT_VERSIONS + 1);
    assert.deepEqual(numbers, Array.from({ length: i - first + 1 }, (_, index) => first + index));
  }
  assert.deepEqual(readValue(draft, "a"), Uint8Array.of(25));
  assert.deepEqual(readValue(draft, "a", 16), Uint8Array.of(16));
  assert.throws(() => readValue(draft, "a", 15), { code: "version-not-found" });
  assert.throws(() => readValue(draft, "a", 26), { code: "version-not-found" });
  assert.equal(getSecret(draft, "a").created, 1000);
  assert.equal(getSecret(draft, "a").updated, 25_000);
});

Deno.test("addVersion() keeps small values in the record and large ones beside it", () => {
  const draft = new Draft(new State());
  set(draft, "a", SMALL, 1);
  assert.equal([...draft.keys(VALUE)].length, 0);
  set(draft, "a", LARGE, 2);
  assert.equal([...draft.keys(VALUE)].length, 1);
  assert.deepEqual(readValue(draft, "a", 1), SMALL);
  assert.deepEqual(readValue(draft, "a", 2), LARGE);
});

Deno.test("addVersion() removes the record of a large value with its version", () => {
  const draft = new Draft(new State());
  for (let i = 1; i <= KEPT_VERSIONS + 3; i++) set(draft, "a", LARGE, i);
  assert.equal([...draft.keys(VALUE)].length, KEPT_VERSIONS);
  for (let i = 1; i <= KEPT_VERSIONS - 1; i++) set(draft, "a", SMALL, i);
  assert.equal([...draft.keys(VALUE)].length, 1);
  set(draft, "a", SMALL, 1);
  assert.equal([...draft.keys(VALUE)].length, 0);
});

Deno.test("removeSecret() takes every version with it, and the next secret of the name begins anew", () => {
  const draft = new Draft(new State());
  for (let i = 0; i < 3; i++) set(draft, "a", LARGE, i);
  removeSecret(draft, "a");
  assert.equal(findSecret(draft, "a"), undefined);
  assert.deepEqual([...draft.keys(VALUE)], []);
  assert.throws(() => removeSecret(draft, "a"), { code: "secret-not-found" });
  set(draft, "a", SMALL, 9);
  assert.deepEqual(getSecret(draft, "a").versions.map(({ version }) => version), [1]);
});

Deno.test("addVersion() keeps an empty value apart from none", () => {
  const draft = new Draft(new State());
  set(draft, "a", new Uint8Array(0), 1);
  assert.deepEqual(readValue(draft, "a"), new Uint8Array(0));
});

Deno.test("addVersion() refuses more than 16 MiB and leaves the secret as it was", async () => {
  const draft = new Draft(new State());
  set(draft, "a", SMALL, 1);
  await rejectsWith(() => set(draft, "a", new Uint8Array(MAX_VALUE_SIZE + 1), 2), "value-too-large");
  assert.deepEqual(readValue(draft, "a"), SMALL);
});

Deno.test("readValue() calls records that are not of their form damage, whatever is wrong with them", () => {
  for (const [what, record] of Object.entries(MALFORMED)) {
    const state = new State();
    state.put(SECRET, "a", JSON.stringify(record));
    assert.throws(() => readValue(state, "a"), CorruptVaultError, what);
  }
  for (const text of ["", "{", "nul"]) {
    const state = new State();
    state.put(SECRET, "a", text);
    assert.throws(() => readValue(state, "a"), CorruptVaultError);
  }
});
