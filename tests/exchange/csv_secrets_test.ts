import assert from "node:assert/strict";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { formatCsvSecrets, parseCsvSecrets } from "../../lib/exchange/csv_secrets.ts";
import type { ExportedSecret } from "../../lib/exchange/exported.ts";
import { rejectsWith } from "../helpers.ts";

const TIME = new Date("2026-01-02T03:04:05.678Z");

function secret(
  name: string,
  value: string | Uint8Array<ArrayBuffer>,
  rest: Partial<ExportedSecret> = {},
): ExportedSecret {
  const bytes = typeof value === "string" ? encodeUtf8(value) : value;
  return { name, value: bytes, version: 1, setAt: TIME, createdAt: TIME, updatedAt: TIME, tags: [], ...rest };
}

Deno.test("parseCsvSecrets reads back what formatCsvSecrets writes", () => {
  const secrets = [
    secret("a", "x"),
    secret("b/c", 'two\nlines, "quoted"\r\n', { note: "n\nm", tags: ["p", "q r"], expiresAt: TIME, type: "pem" }),
    secret("d", ""),
  ];
  const entries = parseCsvSecrets(formatCsvSecrets(secrets)).finish();
  assert.deepEqual(entries.map(({ name, value, metadata }) => ({ name, value: decodeUtf8(value), ...metadata })), [
    { name: "a", value: "x" },
    { name: "b/c", value: 'two\nlines, "quoted"\r\n', note: "n\nm", tags: ["p", "q r"], expiresAt: TIME, type: "pem" },
    { name: "d", value: "" },
  ]);
});

Deno.test("parseCsvSecrets takes columns in any order and case", () => {
  const [entry] = parseCsvSecrets('Value,TAGS,Name,expires\nv,"a, b",n,2027-01-31\n').finish();
  assert.deepEqual({ ...entry!, value: decodeUtf8(entry!.value) }, {
    name: "n",
    value: "v",
    where: "line 2",
    metadata: { tags: ["a", "b"], expiresAt: new Date("2027-01-31") },
  });
});

Deno.test("parseCsvSecrets refuses other headers, doubles and wrong dates, and says where", async () => {
  const broken: readonly (readonly [string, RegExp])[] = [
    ["name,secret\na,b", /line 1: the header names no columns name and value/],
    ["name,value,name\na,b,c", /line 1: .*twice/],
    ["name,value,user\na,b,c", /line 1: .*others/],
    ["name,value\na,1\nb,2\na,3", /line 4: its name stands already at line 2/],
    ["name,value,expires\na,1,hunter2", /line 2: the expiry is no date/],
    ["name,value,expires\na,1,2027-02-31x", /line 2/],
    [`name,value,note\na,1,${"x".repeat(5000)}`, /line 2: invalid note/],
  ];
  for (const [text, message] of broken) {
    const error = await rejectsWith(() => parseCsvSecrets(text).finish(), "malformed-import");
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /hunter2/);
  }
});

Deno.test("EntryList tells of every name that is not valid at once, by line and not by name", async () => {
  const text = `name,value\n,1\nfine,2\n"hun\u0001ter2",3\n${"x".repeat(600)},4\n`;
  const error = await rejectsWith(() => parseCsvSecrets(text).finish(), "import-names");
  assert.equal(
    error.message,
    "Invalid names: line 2: it is empty; line 4: it holds a control character; line 5: it is longer than 512 bytes",
  );
});

Deno.test("EntryList brings names to NFC, and puts them below a path", () => {
  const list = parseCsvSecrets("name,value\ne\u0301,1\n");
  for (const under of ["app", "app/"]) assert.deepEqual(list.finish(under).map(({ name }) => name), ["app/\u00e9"]);
});

Deno.test("formatCsvSecrets names the secrets that it cannot hold", async () => {
  const binary = [secret("a", "x"), secret("b", Uint8Array.of(0xff)), secret("c", Uint8Array.of(0xc0, 0x80))];
  assert.match(
    (await rejectsWith(() => formatCsvSecrets(binary), "export-unsuited")).message,
    /binary values: "b", "c"$/,
  );
  const tagged = [secret("a", "x", { tags: ["p,q"] }), secret("b", "x", { tags: [" p"] })];
  assert.match((await rejectsWith(() => formatCsvSecrets(tagged), "export-unsuited")).message, /tags .*: "a", "b"$/);
});
