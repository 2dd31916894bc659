import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { MalformedTemplateError } from "../../lib/exchange/errors.ts";
import { fillTemplate, namesIn } from "../../lib/exchange/template.ts";
import { parseVariableFile } from "../../lib/exchange/variable_file.ts";
import { assign, isVariableName, variableFor } from "../../lib/exchange/variable_names.ts";
import { rejectsWith } from "../helpers.ts";

/** Files of variables, and what they say, values of secrets being their names in angle brackets. */
const FILES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["", {}],
  ["\n  \n# comment\n\t# another", {}],
  ["A=1", { A: "1" }],
  ["A=1\r\nB=2\r\n", { A: "1", B: "2" }],
  ["A=1\rB=2", { A: "1", B: "2" }],
  ["\uFEFFA=1", { A: "1" }],
  ["  export A = 1 2  # comment", { A: "1 2" }],
  ["A=\nB=''\nC=\"\"", { A: "", B: "", C: "" }],
  ["A=a=b", { A: "a=b" }],
  ['A=it\'s\nB=say "x"', { A: "it's", B: 'say "x"' }],
  ["A='x # y' # z\nB=\"x # y\"# z\nC=`'\"`", { A: "x # y", B: "x # y", C: "'\"" }],
  ["A=\"x\\ny\\r\"\nB='x\\ny'", { A: "x\ny\r", B: "x\\ny" }],
  ['A="one\ntwo\r\n"\nB=2', { A: "one\ntwo\r\n", B: "2" }],
  ['A="say \\"x\\""', { A: 'say \\"x\\"' }],
  ["A=1\nA=2", { A: "2" }],
  ["A=coffer://db/url # x", { A: "<db/url>" }],
  ['A="{{ coffer://my db }}:${coffer://a}"', { A: "<my db>:<a>" }],
  ["A='coffer://a'\nB=\\coffer://a", { A: "<a>", B: "coffer://a" }],
];

function contents(file: string): Record<string, string> {
  return Object.fromEntries(
    [...parseVariableFile(encodeUtf8(file))].map(([variable, template]) => {
      const values = new Map(namesIn(template).map((name) => [name, encodeUtf8(`<${name}>`)]));
      return [variable, decodeUtf8(fillTemplate(template, values))];
    }),
  );
}

Deno.test("parseVariableFile() reads names, values, quotes, comments and references", () => {
  for (const [file, wanted] of FILES) assert.deepEqual(contents(file), wanted, JSON.stringify(file));
});

/** Files that are refused, and the line that is named. */
const MALFORMED: readonly (readonly [string, number])[] = [
  ["hunter2", 1],
  ["A=1\n\nhunter2 x", 3],
  ["A=1\r\n=hunter2", 2],
  ["1A=x", 1],
  ["A.B=x", 1],
  ["A=1\nB='x\ny\nhunter2", 2],
  ["A='x' hunter2", 1],
  ["A='x' B=hunter2", 1],
  ['A="x\ny"\nB="hunter2" x', 3],
  ["A=1\nB={{ coffer://hunter2", 2],
  ["A=x\0", 1],
];

Deno.test("parseVariableFile() names the line that is none, and nothing that it says", async () => {
  for (const [file, line] of MALFORMED) {
    const error = await rejectsWith(() => parseVariableFile(encodeUtf8(file)), "malformed-template");
    assert.equal((error as MalformedTemplateError).line, line, file);
    assert.doesNotMatch(error.message, /hunter2/);
  }
  const error = await rejectsWith(() => parseVariableFile(Uint8Array.of(0x0a, 0x0a, 0xff)), "malformed-template");
  assert.equal((error as MalformedTemplateError).line, 3);
});

Deno.test("parseVariableFile() reads back any text in quotes, and ends with any text at all", () => {
  const value = fc.string({ unit: "binary", maxLength: 40 })
    .filter((text) => text.isWellFormed() && !/['\\\0]|coffer:/.test(text));
  fc.assert(fc.property(value, (text) => assert.deepEqual(contents(`A='${text}'`), { A: text })));
  const pieces = fc.constantFrom(
    "A",
    "=",
    "'",
    '"',
    "`",
    "#",
    "\\",
    "\n",
    "\r",
    " ",
    "export ",
    "coffer://a",
    "{{",
    "é",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 50 }), (all) => {
      try {
        contents(all.join(""));
      } catch (error) {
        assert.ok(error instanceof MalformedTemplateError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("parseVariableFile() takes time linear in a file", () => {
  for (const piece of ["A='x\\'\n", "A= \t \t", "# \n", "\\", "export "]) {
    const large = piece.repeat(2 ** 20 / piece.length);
    try {
      parseVariableFile(encodeUtf8(large));
    } catch (error) {
      assert.ok(error instanceof MalformedTemplateError);
    }
  }
});

/** Path, prefix, name, and the variable. */
const NAMES: readonly (readonly [string, string, string, string])[] = [
  ["app", "", "app/db/url", "DB_URL"],
  ["app", "", "app/api-key.old", "API_KEY_OLD"],
  ["app/db", "PG_", "app/db/url", "PG_URL"],
  ["app", "", "app/2fa", "_2FA"],
  ["app", "X", "app/2fa", "X2FA"],
  ["app", "", "app/my key", "MY_KEY"],
  ["app", "", "app/grüße", "GR_SSE"],
];

Deno.test("variableFor() makes a name of what follows the path", () => {
  for (const [path, prefix, name, wanted] of NAMES) assert.equal(variableFor(name, path, prefix), wanted);
  fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => isVariableName(variableFor(`p/${name}`, "p"))));
});

Deno.test("assign() takes one secret for a variable, and names both where there are two", async () => {
  const first = assign(new Map(), [{ variable: "A", name: "x" }, { variable: "A", name: "x" }]);
  assert.deepEqual([...first], [["A", "x"]]);
  const error = await rejectsWith(() => assign(first, [{ variable: "A", name: "y" }]), "variable-collision");
  assert.equal(error.message, 'Both "x" and "y" would be A');
});
