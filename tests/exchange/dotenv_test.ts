import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "dotenv";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { formatDotenv, parseDotenv } from "../../lib/exchange/dotenv.ts";
import { MalformedImportError } from "../../lib/exchange/errors.ts";
import { rejectsWith } from "../helpers.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const RUNS = DEEP ? 200_000 : 5_000;

/** Files, each with what the package reads from it; the test asks the package itself, too. */
const FILES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["", {}],
  ["A=1\nB=two", { A: "1", B: "two" }],
  ["A=1\r\nB=2\rC=3", { A: "1", B: "2", C: "3" }],
  ["\ufeffA=1", { A: "1" }],
  ["# all\n\n  # of it\nA=1 # but this\nB=1#2", { A: "1", B: "1" }],
  ["A=\nB=\n\nC=3", { A: "", B: "", C: "3" }],
  ["A=''\nB=\"\"\nC=``", { A: "", B: "", C: "" }],
  ["A = 1\n\tB\t=\t2  ", { A: "1", B: "2" }],
  ["export A=1\n  export  B='2'\nexport=3\nexport = 4", { A: "1", B: "2", export: "4" }],
  ["A: 1\nB:2=3", { A: "1" }],
  ["A=1\nA=2", { A: "2" }],
  ["a.b-c=1\n1A=2\n_=3", { "a.b-c": "1", "1A": "2", _: "3" }],
  ["A='a # b'\nB=\"a # b\" # c\nC=`a # b`", { A: "a # b", B: "a # b", C: "a # b" }],
  ["A=\"a\\nb\\r\\tc\"\nB='a\\nb'\nC=`a\\nb`\nD=a\\nb", { A: "a\nb\r\\tc", B: "a\\nb", C: "a\\nb", D: "a\\nb" }],
  ["A='one\ntwo\n\n#three'\nB=\"x\ny\"\nC=`p\nq`", { A: "one\ntwo\n\n#three", B: "x\ny", C: "p\nq" }],
  ['A=\'it\\\'s\'\nB="say \\"so\\""', { A: "it\\'s", B: 'say \\"so\\"' }],
  ["A='a' 'b'\nB=it's\nC=\"a\" b\nD='open\nE=1", { A: "a' 'b", B: "it's", C: '"a" b', D: "'open", E: "1" }],
  ['A={"a": "b"}\nB=a=b==\nC=$x${y}\nD=a,b;c', { A: '{"a": "b"}', B: "a=b==", C: "$x${y}", D: "a,b;c" }],
  ["A=  'kept  '  \nB=  lost  ", { A: "kept  ", B: "lost" }],
  ["A=\n'next line'\nB=1", { A: "next line", B: "1" }],
  ["A\n=\n1", { A: "" }],
  ["A='x\\'\nB='y'", { A: "x\\", B: "y" }],
  ['A=`"it\'s"`\nB="`it\'s`"\nC=\'"`x`"\'', { A: '"it\'s"', B: "`it's`", C: '"`x`"' }],
  ["A='it\\'s\n#2'\nB=\"x \\\" # y\"", { A: "it\\'s\n#2", B: 'x \\" # y' }],
  ["A='x\\' # 'y\nB='\\'\n'", { A: "x\\", B: "\\'\n" }],
  ["constructor=2", { constructor: "2" }],
];

function read(text: string): Record<string, string> {
  return Object.fromEntries(parseDotenv(text).finish().map(({ name, value }) => [name, decodeUtf8(value)]));
}

Deno.test("parseDotenv reads quotes, lines, exports and comments as the dotenv package does", () => {
  for (const [text, expected] of FILES) {
    // Two of them hold lines that the package passes over.
    if (/B:2|^A\n=/.test(text)) continue;
    assert.deepEqual(read(text), expected, JSON.stringify(text));
  }
  for (const [text, expected] of FILES) assert.deepEqual({ ...parse(text) }, expected, JSON.stringify(text));
  assert.deepEqual(parseDotenv("__proto__=1").finish().map(({ name }) => name), ["__proto__"]);
});

Deno.test("parseDotenv tells of values that end at a # behind other characters, and of references that it keeps", () => {
  const cut = ["A", "the value ends at its #, as it has no quotes"];
  const kept = ["A", "${…} in the value is kept as it is"];
  const files: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ["A=ab#cd", [cut]],
    ["A=#cd", [cut]],
    ["A='ab#c' d", [cut]],
    ["A=ab #cd\nB= # none\nC='a#b'", []],
    ["A=${B}/x", [kept]],
    ['A="${B}#"', [kept]],
    ["A=${B}#x", [cut, kept]],
    ["A='${B}'\nB=$C", []],
    // Of a name that stands twice the last one counts.
    ["A=ab#cd\nA=2", []],
  ];
  for (const [text, expected] of files) {
    assert.deepEqual(parseDotenv(text).warnings().map(({ name, what }) => [name, what]), expected, text);
  }
});

const pieces = fc.constantFrom(
  ..."ABab01=:#'\"`\\nr \t\n\r.-_$".split(""),
  ..."\u00a0\u2028\u00e9\ud83d".split(""),
  ...["export ", "A=", "B: ", "\n", "\\n", "\\'", '\\"', "\\`", "='", '="', "=`", " #", "\r\n", "key=value\n"],
);

/** Values in quotes with what is hard in them: quotes behind backslashes, line ends, comments. */
const quotedLine = fc.tuple(
  fc.constantFrom("'", '"', "`"),
  fc.array(fc.constantFrom("\\Q", "Q", "\n", "#", " ", "a", "\\", "\\n", "'", "\n#Q"), { maxLength: 8 }),
  fc.constantFrom("", " # Q c", " x", "#", "\n", " "),
).map(([quote, body, tail]) => `A=Q${body.join("")}Q${tail}\n`.replaceAll("Q", quote));

Deno.test("parseDotenv agrees with the dotenv package on whatever it does not refuse", () => {
  let read = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, quotedLine), { maxLength: 30 }), (parts) => {
      const text = parts.join("");
      let entries;
      try {
        entries = parseDotenv(text).finish();
      } catch (error) {
        assert.ok(error instanceof MalformedImportError, String(error));
        return;
      }
      if (entries.length > 0) read++;
      const actual = entries.map(({ name, value }) => [name, decodeUtf8(value)]).sort();
      // Lone surrogates cannot be written to a file in the first place.
      assert.deepEqual(actual, Object.entries(parse(text)).map(([n, v]) => [n, v.toWellFormed()]).sort());
    }),
    { numRuns: RUNS },
  );
  assert.ok(read > RUNS / 50, `only ${read} of the texts had entries`);
});

Deno.test("parseDotenv takes nothing that the dotenv package finds assignments in for junk, nor the reverse", () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join("").replace(/[\u2028\n\r]/g, " ");
      let refused = false;
      try {
        parseDotenv(text);
      } catch {
        refused = true;
      }
      // One line is either an assignment, or blank, or a comment, or junk.
      const blank = /^\s*(#.*)?$/.test(text);
      assert.equal(refused, !blank && Object.keys(parse(text)).length === 0);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("parseDotenv names the number of a bad line, and never its content", async () => {
  const texts: readonly (readonly [string, number])[] = [
    ["hunter2", 1],
    ["A=1\n\n# c\nhunter2\nB=1", 4],
    ["A='one\ntwo'\nexport hunter2", 3],
    ["A=1\r\nB=2\r\n=hunter2", 3],
    ["A=a\u2028hunter2", 1],
  ];
  for (const [text, line] of texts) {
    const error = await rejectsWith(() => parseDotenv(text), "malformed-import");
    assert.match(error.message, new RegExp(`dotenv, line ${line}:`));
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /hunter2/);
  }
});

Deno.test("parseDotenv is done soon with files that are made to take long", () => {
  const size = 300_000;
  const hostile = [
    "A='\\'".padEnd(size, "\\'"),
    "A='\n".repeat(size / 4),
    'A="\\"'.repeat(size / 4),
    "\n".repeat(size) + "A=1",
    "export\n".repeat(size / 7) + "A=1",
    "A=1\n".repeat(size / 4),
    `A=${" ".repeat(size)}x`,
    `A='${" ' ".repeat(size / 3)}`,
  ];
  for (const text of hostile) {
    try {
      parseDotenv(text);
    } catch (error) {
      assert.ok(error instanceof MalformedImportError);
    }
  }
});

const values = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."ab '\"`\\nr#=$\n\r\t\u2028\ufeff".split("")), maxLength: 12 }),
  fc.string({ unit: "grapheme" }),
);

Deno.test("formatDotenv writes what the dotenv package and parseDotenv read back byte for byte, or refuses", async () => {
  let written = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 4 }), async (texts) => {
      const secrets = texts.map((text, index) => ({ name: `N_${index}`, value: encodeUtf8(text) }));
      let file;
      try {
        file = formatDotenv(secrets);
      } catch (error) {
        await rejectsWith(() => {
          throw error;
        }, "export-unsuited");
        return;
      }
      written++;
      const expected = Object.fromEntries(texts.map((text, index) => [`N_${index}`, text]));
      assert.deepEqual(read(file), expected);
      assert.deepEqual({ ...parse(file) }, expected);
    }),
    { numRuns: RUNS },
  );
  assert.ok(written > RUNS / 4, `only ${written} were written`);
});

Deno.test("formatDotenv holds every value without a kind of quote, and names the secrets that it cannot hold", async () => {
  for (
    const text of [
      "",
      " ",
      "#",
      "a b",
      "it's",
      'say "so"',
      "`x`",
      "a\nb\n",
      "a\r\nb",
      "\\n",
      "a\\",
      "ends in \\",
      "\u00e9",
    ]
  ) {
    assert.deepEqual(read(formatDotenv([{ name: "A", value: encodeUtf8(text) }])), { A: text });
  }
  const value = encodeUtf8("x");
  const named = [{ name: "A", value }, { name: "b/c", value }, { name: "1D", value }, { name: "e-f", value }];
  const error = await rejectsWith(() => formatDotenv(named), "export-unsuited");
  assert.match(error.message, /dotenv cannot hold names that are no variables: "b\/c", "1D", "e-f"$/);
  const hard = [
    { name: "A", value },
    { name: "BINARY", value: Uint8Array.of(0xff) },
    { name: "QUOTES", value: encodeUtf8("'\"`\n") },
  ];
  assert.match((await rejectsWith(() => formatDotenv(hard), "export-unsuited")).message, /: "BINARY", "QUOTES"$/);
});
