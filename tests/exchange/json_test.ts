import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import type { ExportedSecret } from "../../lib/exchange/exported.ts";
import { formatJson, parseJson } from "../../lib/exchange/json.ts";
import { rejectsWith } from "../helpers.ts";

const TIME = "2026-01-02T03:04:05.678Z";
const SECRET = { name: "a", value: "v", encoding: "utf8", version: 2, setAt: TIME, createdAt: TIME, updatedAt: TIME };

function read(text: string): Record<string, string> {
  return Object.fromEntries(parseJson(text).finish().map(({ name, value }) => [name, decodeUtf8(value)]));
}

function exported(...secrets: unknown[]): string {
  return JSON.stringify({ coffer: "export", version: 1, secrets });
}

const times = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
const versions = fc.array(fc.tuple(times, fc.uint8Array({ maxLength: 20 })), { minLength: 1, maxLength: 10 });
const secrets = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z/]{1,8}$/),
    first: fc.integer({ min: 1, max: 99 }),
    versions,
    createdAt: times,
    updatedAt: times,
    note: fc.option(fc.stringMatching(/^[a-z\n]{1,9}$/), { nil: undefined }),
    tags: fc.uniqueArray(fc.stringMatching(/^[a-z, ]{1,4}$/), { maxLength: 3 }),
    expiresAt: fc.option(times, { nil: undefined }),
    type: fc.option(fc.stringMatching(/^[a-z]{1,9}$/), { nil: undefined }),
  }),
  { selector: ({ name }) => name, maxLength: 5 },
);

Deno.test("parseJson reads back all that formatJson writes, versions and times included", () => {
  fc.assert(
    fc.property(secrets, (all) => {
      const given: ExportedSecret[] = all.map(({ first, versions, note, expiresAt, type, ...rest }) => {
        const kept = versions.map(([setAt, value], index) => ({ version: first + index, setAt, value: value.slice() }));
        const newest = kept.pop()!;
        return {
          ...rest,
          ...newest,
          history: kept,
          ...(note === undefined ? {} : { note }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          ...(type === undefined ? {} : { type }),
        };
      });
      const entries = parseJson(formatJson(given)).finish();
      assert.equal(entries.length, given.length);
      for (const [index, { name, value, metadata, kept }] of entries.entries()) {
        const { history = [], ...secret } = given[index]!;
        const { note = null, tags, expiresAt = null, type = null, version, setAt, createdAt, updatedAt } = secret;
        assert.deepEqual({ name, value }, { name: secret.name, value: secret.value });
        assert.deepEqual(metadata, { note, tags: tags.length === 0 ? null : tags, expiresAt, type });
        const all = [...history, { version, setAt, value }];
        assert.deepEqual(kept, { createdAt, updatedAt, versions: all });
      }
    }),
    { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 5_000 : 200 },
  );
});

Deno.test("parseJson joins the keys of plain objects, and keeps every digit of a number", () => {
  const text = `{"db":{"url":"postgres://x","port":5432,"ids":[1,"two"]},"on":true,
    "big":123456789012345678901234567890,"exact":1.10,"coffer":"mine","__proto__":"p","a/b":"c"}`;
  assert.deepEqual(Object.entries(read(text)), [
    ["db/url", "postgres://x"],
    ["db/port", "5432"],
    ["db/ids/0", "1"],
    ["db/ids/1", "two"],
    ["on", "true"],
    ["big", "123456789012345678901234567890"],
    ["exact", "1.10"],
    ["coffer", "mine"],
    ["__proto__", "p"],
    ["a/b", "c"],
  ]);
  assert.deepEqual(read("\ufeff{}"), {});
});

Deno.test("parseJson refuses what is no JSON or no object, with the line and never its content", async () => {
  const broken: readonly (readonly [string, RegExp])[] = [
    ['{\n"a": hunter2\n}', /Cannot read JSON(, line 2)?: it is no JSON$/],
    ['{"a":"hunter2', /it is no JSON$/],
    ['"hunter2"', /it is no object$/],
    ["null", /it is no object$/],
    ['{"a":1,"b":null}', /value 2: null cannot be kept$/],
    ['{"a/b":1,"a":{"b":"hunter2"}}', /value 2: its name stands already at value 1$/],
    ['{"a":"\\ud800"}', /value 1: its value is no valid Unicode$/],
    [`${'{"a":'.repeat(100)}1${"}".repeat(100)}`, /nested too deep$/],
    [`${"[".repeat(300_000)}${"]".repeat(300_000)}`, /nested too deep$/],
  ];
  for (const [text, message] of broken) {
    const error = await rejectsWith(() => parseJson(text), "malformed-import");
    assert.match(error.message, message);
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /hunter2/);
  }
});

Deno.test("parseJson refuses an export that is not of its form, and says which secret and field", async () => {
  const { value: _, ...valueless } = SECRET;
  const older = (version: number) => ({ version, setAt: TIME, value: "x", encoding: "utf8" });
  const broken: readonly (readonly [string, RegExp])[] = [
    ['{"coffer":"export","version":2,"secrets":[]}', /version 2 of the export is not known$/],
    ['{"coffer":"export","version":1}', /the export is not of its form$/],
    [exported(SECRET, { ...SECRET, name: 7 }), /secret 2: its name is not of its form$/],
    [exported(valueless), /secret 1: its value is not of its form$/],
    [exported({ ...SECRET, encoding: "hex" }), /secret 1: its encoding is/],
    [exported({ ...SECRET, encoding: "base64", value: "hunter2!" }), /secret 1: its value is not base64$/],
    [exported({ ...SECRET, setAt: "hunter2" }), /secret 1: its setAt is/],
    [exported({ ...SECRET, createdAt: "1960-01-01T00:00:00.000Z" }), /secret 1: its createdAt is/],
    [exported({ ...SECRET, hunter2: 1 }), /secret 1: it is not of its form$/],
    [exported({ ...SECRET, history: [older(3)] }), /secret 1: its versions have a gap/],
    [exported({ ...SECRET, version: 12, history: Array.from({ length: 11 }, (_, i) => older(i + 1)) }), /or are more/],
    [exported("hunter2"), /secret 1: it is not of its form$/],
    [exported(SECRET, SECRET), /secret 2: its name stands already at secret 1$/],
  ];
  for (const [text, message] of broken) {
    const error = await rejectsWith(() => parseJson(text), "malformed-import");
    assert.match(error.message, message);
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /hunter2/);
  }
});

Deno.test("formatJson writes values as text where they are text, and one line a secret", () => {
  const at = new Date(TIME);
  const rest = { version: 1, setAt: at, createdAt: at, updatedAt: at, tags: [] };
  const text = formatJson([{ name: "a", value: encodeUtf8("\u00e9\n"), ...rest }, {
    name: "b",
    value: Uint8Array.of(0xff),
    ...rest,
  }]);
  assert.equal(text.trimEnd().split("\n").length, 4);
  assert.deepEqual(JSON.parse(text).secrets.map(({ value, encoding }: typeof SECRET) => [value, encoding]), [
    ["\u00e9\n", "utf8"],
    ["/w==", "base64"],
  ]);
});

Deno.test("parseJson refuses a name that stands twice in one object, of which the last alone would be kept", async () => {
  const cases: readonly (readonly [string, number])[] = [
    ['{"a":"hunter2","a":"x"}', 1],
    ['{"a":"hunter2",\n"b":[{},"\\"",{"a":1}],\n"\\u0061":{"c":1}}', 3],
    ['[\n{"a":{"":1,"hunter2":2,"":3}}]', 2],
    [exported(SECRET).replace('"name":', '"value":"hunter2","name":'), 1],
  ];
  for (const [text, line] of cases) {
    const error = await rejectsWith(() => parseJson(text), "malformed-import");
    assert.equal(error.message, `Cannot read JSON, line ${line}: a name stands twice in one object`);
  }
  const once = '{"a":["a","a",{"a":"a"}],"b":{"a":"a,\\"a\\":"},"c":"\\\\","d":[[],{}],"a\\\\":""}';
  assert.equal(parseJson(once).finish().length, Object.keys(JSON.parse(once)).length + 1);
});

Deno.test("parseJson refuses what takes far more memory than its text, before it is taken", async () => {
  await rejectsWith(() => parseJson(`[${"[],".repeat(8_000_000)}[]]`), "exchange-limit");
  await rejectsWith(() => parseJson('{"a":'.repeat(100_000)), "malformed-import");
});
