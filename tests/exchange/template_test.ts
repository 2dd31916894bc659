import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { MalformedTemplateError } from "../../lib/exchange/errors.ts";
import { fillTemplate, namesIn, parseTemplate } from "../../lib/exchange/template.ts";
import { rejectsWith } from "../helpers.ts";

const RUNS = { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 20_000 : 1_000 };

/** Templates, and what becomes of them when every value is its secret's name in angle brackets. */
const FILLED: readonly (readonly [string, string])[] = [
  ["", ""],
  ["no reference\r\n", "no reference\r\n"],
  ["coffer://a", "<a>"],
  ["a=coffer://db/url\r\nb=coffer://x\r\n", "a=<db/url>\r\nb=<x>\r\n"],
  ["postgres://me:coffer://db/pw@host/db", "postgres://me:<db/pw>@host/db"],
  ["see coffer://a.b-c_d/e.", "see <a.b-c_d/e>."],
  ["coffer://a/ coffer://b-- coffer://c...", "<a>/ <b>-- <c>..."],
  ["coffer://a,coffer://b;'coffer://c'", "<a>,<b>;'<c>'"],
  ["coffer://acoffer://b", "<acoffer>://b"],
  ["coffer://a?x=1#y", "<a>?x=1#y"],
  // What only looks like one.
  ["coffer:// coffer://", "coffer:// coffer://"],
  ["coffer:///a coffer://-a coffer://é", "coffer:///a coffer://-a coffer://é"],
  ["mycoffer://a my-coffer://a 9coffer://a _coffer://a", "mycoffer://a my-coffer://a 9coffer://a _coffer://a"],
  ["Coffer://a COFFER://a coffer:/a", "Coffer://a COFFER://a coffer:/a"],
  ["{{ other }} ${other} {{a}}", "{{ other }} ${other} {{a}}"],
  // Delimited.
  ["{{ coffer://my db/ü }}x", "<my db/ü>x"],
  ["{{coffer://a}}{{\tcoffer://b\t}}", "<a><b>"],
  ["${coffer://my db}x${ coffer://a }", "<my db>x${ <a> }"],
  ["{{ coffer://a}b }}", "<a}b>"],
  ["{{{coffer://a}}}", "{<a>}"],
  ["{ coffer://a }", "{ <a> }"],
  ["$coffer://a", "$<a>"],
  ["$${coffer://a}", "$<a>"],
  ["mycoffer{{coffer://a}}my${coffer://b}", "mycoffer<a>my<b>"],
  // Escaped.
  ["\\coffer://a", "coffer://a"],
  ["\\\\coffer://a", "\\<a>"],
  ["\\\\\\coffer://a", "\\coffer://a"],
  ["x\\coffer://a y", "xcoffer://a y"],
  ["\\{{ coffer://a }}{{ coffer://b }}", "{{ coffer://a }}<b>"],
  ["\\${coffer://a}${coffer://b}", "${coffer://a}<b>"],
  ["\\{{ coffer://", "{{ coffer://"],
  ["\\{{ coffer://a\ncoffer://b }}", "{{ coffer://a\n<b> }}"],
  ["\\\\${coffer://a}", "\\<a>"],
  ["C:\\dir\\x \\n coffer://a \\", "C:\\dir\\x \\n <a> \\"],
  ["\\coffer:// \\", "\\coffer:// \\"],
  ["coffer://a\\coffer://b", "<a>coffer://b"],
  ["\\coffer://coffer://a", "coffer://coffer://a"],
  ["\\{{ coffer://a coffer://b }}", "{{ coffer://a coffer://b }}"],
];

Deno.test("fillTemplate() puts values in place of references, and leaves everything else as it was", () => {
  for (const [template, wanted] of FILLED) assert.equal(decodeUtf8(filled(encodeUtf8(template))), wanted, template);
});

function filled(bytes: Uint8Array): Uint8Array {
  const template = parseTemplate(bytes);
  return fillTemplate(template, new Map(namesIn(template).map((name) => [name, encodeUtf8(`<${name}>`)])));
}

/** Templates that are refused, and the line that is named. */
const MALFORMED: readonly (readonly [string, number])[] = [
  ["{{ coffer://a", 1],
  ["\n\r\n{{ coffer://a }\n}}", 3],
  ["${coffer://a\n}", 1],
  ["a\nb ${coffer://hunter2", 2],
  ["{{ coffer:// }}", 1],
  ["${coffer://}", 1],
  ["{{ coffer://a\tb }}", 1],
  [`{{ coffer://${"a".repeat(513)} }}`, 1],
  [`coffer://${"a".repeat(513)}`, 1],
  [`{{ coffer://e\u0301 }}`, 1],
  [`coffer://a\ncoffer://b\n${"{{coffer://".repeat(100_000)}`, 3],
];

Deno.test("parseTemplate() names the line of a malformed reference, and nothing that it says", async () => {
  for (const [template, line] of MALFORMED) {
    const error = await rejectsWith(() => parseTemplate(encodeUtf8(template)), "malformed-template");
    assert.equal((error as MalformedTemplateError).line, line, template.slice(0, 50));
    assert.match(error.message, new RegExp(`^Malformed template, line ${line}: `));
    assert.doesNotMatch(error.message, /hunter2|\baaa/);
  }
  await rejectsWith(
    () => parseTemplate(concat(encodeUtf8("{{coffer://"), Uint8Array.of(0xff, 0x7d, 0x7d))),
    "malformed-template",
  );
});

Deno.test("parseTemplate() keeps any bytes that hold no reference", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(filled(bytes), bytes);
    }),
    RUNS,
  );
});

/** Pieces of which references and nearly references are made. */
const PIECES = fc.constantFrom(
  ..."\\ \\\\ { {{ ${ } }} coffer:// coffer: // a b/c . - é \u0000".split(" "),
  " ",
  "\t",
  "\r\n",
  "\n",
);

Deno.test("parseTemplate() reads any mixture of pieces, or names a line that is there", () => {
  fc.assert(
    fc.property(fc.array(PIECES, { maxLength: 60 }), (pieces) => {
      const text = pieces.join("");
      try {
        const template = parseTemplate(encodeUtf8(text));
        // What stays is text of the template in its order, but for backslashes.
        let at = 0;
        for (const part of template) {
          if (!(part instanceof Uint8Array)) {
            at = text.indexOf("coffer://", at) + "coffer://".length + part.name.length;
          }
        }
        assert.ok(at <= text.length);
        if (!text.includes("coffer://")) assert.deepEqual(filled(encodeUtf8(text)), encodeUtf8(text));
      } catch (error) {
        assert.ok(error instanceof MalformedTemplateError, String(error));
        assert.ok(error.line >= 1 && error.line <= text.split("\n").length);
      }
    }),
    RUNS,
  );
});

/** What is a reference, or would be one if it had an end. */
const REFERENCE = [
  /\{\{[ \t]*coffer:\/\/(?:[^\r\n]*?\}\})?/,
  /\$\{coffer:\/\/(?:[^\r\n}]*\})?/,
  /(?<![\w+.-])coffer:\/\/\w[\w./-]*/,
].map(({ source }) => source).join("|");

Deno.test("parseTemplate() gives back any text that is written with every reference escaped", () => {
  fc.assert(
    fc.property(fc.array(PIECES, { maxLength: 60 }), (pieces) => {
      // A backslash before a reference, and all that stood before it twice.
      const text = pieces.join("");
      const escaped = text.replace(new RegExp(`(\\\\*)(${REFERENCE})`, "g"), "$1$1\\$2");
      assert.equal(decodeUtf8(filled(encodeUtf8(escaped))), text);
    }),
    RUNS,
  );
});

Deno.test("fillTemplate() fills more references than a call may have arguments", () => {
  const filled = fillTemplate(
    parseTemplate(encodeUtf8("coffer://a\n".repeat(100_000))),
    new Map([["a", encodeUtf8("b")]]),
  );
  assert.ok(decodeUtf8(filled) === "b\n".repeat(100_000));
});

Deno.test("fillTemplate() never looks at a value again", () => {
  const template = parseTemplate(encodeUtf8("coffer://a ${coffer://b}"));
  const values = new Map([["a", encodeUtf8("coffer://b \\{{")], ["b", Uint8Array.of(0xff, 0, 0x0d, 0x0a)]]);
  const wanted = concat(encodeUtf8("coffer://b \\{{ "), Uint8Array.of(0xff, 0, 0x0d, 0x0a));
  assert.deepEqual(fillTemplate(template, values), wanted);
});

Deno.test("parseTemplate() and fillTemplate() refuse what is too large before anything of that size is made", async () => {
  await rejectsWith(() => parseTemplate(new Uint8Array(16 * 1024 * 1024 + 1)), "template-too-large");
  const many = parseTemplate(encodeUtf8("coffer://a ".repeat(100)));
  await rejectsWith(() => fillTemplate(many, new Map([["a", new Uint8Array(16 * 1024 * 1024)]])), "template-too-large");
});
