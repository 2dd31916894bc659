import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { concat, encodeUtf8 } from "../../lib/bytes.ts";
import { encodedForms } from "../../lib/exchange/encoded_forms.ts";
import { PatternSet } from "../../lib/exchange/pattern_set.ts";
import { Redactor } from "../../lib/exchange/redact.ts";

const RUNS = { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 10_000 : 300 };

/** How programs write a value, by functions that have nothing to do with coffer's. */
const WRITERS: Readonly<Record<string, (value: Buffer) => string>> = {
  hex: (value) => value.toString("hex"),
  capitals: (value) => value.toString("hex").toUpperCase(),
  base64: (value) => value.toString("base64"),
  base64url: (value) => value.toString("base64url"),
  mime: (value) => value.toString("base64").replace(/.{76}(?=.)/g, "$&\n"),
  pem: (value) => value.toString("base64").replace(/.{64}(?=.)/g, "$&\n"),
};

const TEXT_WRITERS: Readonly<Record<string, (value: string) => string>> = {
  json: (value) => JSON.stringify(value).slice(1, -1),
  jsonTwice: (value) => JSON.stringify({ value }, undefined, 2).split('"value": "')[1]!.slice(0, -3),
  component: encodeURIComponent,
  uri: encodeURI,
  form: (value) => new URLSearchParams({ value }).toString().slice("value=".length),
  lower: (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
  windows: (value) => value.replace(/\r?\n/g, "\r\n"),
};

function mask(value: Uint8Array, text: Uint8Array): Uint8Array {
  const redactor = new Redactor(new PatternSet(encodedForms(value)));
  return concat(redactor.push(text), redactor.end());
}

function assertMasked(value: Uint8Array, written: string, how: string): void {
  // Neither begins a form of a value: no form holds a bracket of this kind at its ends by chance.
  const masked = new TextDecoder().decode(mask(value, encodeUtf8(`\u0001${written}\u0001`)));
  assert.equal(masked, "\u0001***\u0001", how);
}

const ENDLESS = (bytes: Uint8Array) => ![0x0a, 0x0d].includes(bytes.at(-1)!) && !bytes.includes(1);

Deno.test("encodedForms() finds any bytes in hex and base64 as other programs write them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }).filter(ENDLESS), (value) => {
      for (const [how, write] of Object.entries(WRITERS)) assertMasked(value, write(Buffer.from(value)), how);
    }),
    RUNS,
  );
});

Deno.test("encodedForms() finds any text in JSON and percent-encoding as the platform writes them", () => {
  const text = fc.string({ minLength: 4, maxLength: 60, unit: "binary" })
    .filter((text) => text.isWellFormed() && ENDLESS(encodeUtf8(text)));
  fc.assert(
    fc.property(text, (value) => {
      for (const [how, write] of Object.entries(TEXT_WRITERS)) assertMasked(encodeUtf8(value), write(value), how);
    }),
    RUNS,
  );
});

Deno.test("encodedForms() finds the lines of a text one by one, but for short ones", () => {
  const key = encodeUtf8("-----BEGIN KEY-----\n  c2VjcmV0IG9uZQ==\r\n  }\nc2VjcmV0IHR3bw==\n-----END KEY-----\n");
  const masked = (text: string) => new TextDecoder().decode(mask(key, encodeUtf8(text)));
  assert.equal(masked("log: c2VjcmV0IG9uZQ==\nlog: c2VjcmV0IHR3bw==\n  }\n"), "log: ***\nlog: ***\n  }\n");
  assert.equal(masked("    -----END KEY-----\n"), "    ***\n");
});

Deno.test("encodedForms() finds a value inside of longer base64, but for four bits at either end", () => {
  const bytes = fc.uint8Array({ minLength: 4, maxLength: 40 }).filter(ENDLESS);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 7 }), bytes, fc.uint8Array({ maxLength: 7 }), (before, value, after) => {
      for (const encoding of ["base64", "base64url"] as const) {
        const whole = Buffer.from(concat(before, value, after)).toString(encoding);
        const masked = new TextDecoder().decode(mask(value, encodeUtf8(whole)));
        assert.match(masked, /\*\*\*/);
        // Characters that hold nothing but bits of the value.
        const inside = whole.slice(
          Math.ceil(before.length * 8 / 6),
          Math.floor((before.length + value.length) * 8 / 6),
        );
        assert.ok(!masked.includes(inside), `${masked} holds ${inside}`);
      }
    }),
    RUNS,
  );
});

/** Values as they are stored, and texts in which they must go. */
const TEXTS: readonly (readonly [string, string])[] = [
  ["hunter2\n", "hunter2"],
  ["hunter2\r\n", "hunter2"],
  ["a/b c+ü", "a%2Fb%20c%2B%C3%BC"],
  ["a/b c+ü", "a%2fb+c%2b%c3%bc"],
  ["a/b c+ü", "a/b%20c%2B%C3%BC"],
  ["a/b ü", "a\\/b \\u00fc"],
  ["a/b ü", "a/b \\u00FC"],
  ["<a&b>", "\\u003ca\\u0026b\\u003e"],
  ["one\ntwo", "one\\ntwo"],
  ["one\ntwo", "one\r\ntwo"],
];

Deno.test("encodedForms() finds what several libraries make of a text, and a value without its line end", () => {
  for (const [value, text] of TEXTS) assertMasked(encodeUtf8(value), text, JSON.stringify([value, text]));
});

Deno.test("encodedForms() gives every form once, and none for an empty value", () => {
  assert.deepEqual(encodedForms(new Uint8Array(0)), []);
  assert.deepEqual(encodedForms(encodeUtf8("\n")), []);
  const forms = encodedForms(encodeUtf8("abcd1234")).map((form) => new TextDecoder().decode(form));
  assert.equal(new Set(forms).size, forms.length);
});
