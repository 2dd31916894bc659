import assert from "node:assert/strict";
import fc from "fast-check";
import { formatCsv, parseCsv } from "../../lib/exchange/csv.ts";
import { rejectsWith } from "../helpers.ts";

const TABLES: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ["a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]],
  ["a,b\n1,2", [["a", "b"], ["1", "2"]]],
  ["\ufeffa\n\n1\n\r\n2", [["a"], ["1"], ["2"]]],
  ['"a","b"\n"1","2"', [["a", "b"], ["1", "2"]]],
  ['a,b\n"x, ""y""\r\nz",', [["a", "b"], ['x, "y"\r\nz', ""]]],
  ["a,b\n, ", [["a", "b"], ["", " "]]],
  ['a,b\n"",""', [["a", "b"], ["", ""]]],
];

/** What is wrong, and in which line. */
const BROKEN: readonly (readonly [string, string])[] = [
  ["a,b\n1", ", line 2: expected 2 fields, got 1"],
  ['a,b\n"hunter2\nx",1\n1,2,3', ", line 4: expected 2 fields, got 3"],
  ['a,b\n1,"hunter2', ", line 2: a quote is not closed"],
  ['a,b\n"hunter2"x,1', ", line 2: something follows a closed quote"],
  ['a,b\nhunter"2,1', ", line 2: a quote stands inside of a field"],
  ["a,b\nhunter2\r,1", ", line 2: a carriage return stands alone"],
  ["", ": it is empty"],
  ["\n\r\n", ": it is empty"],
];

Deno.test("parseCsv reads quotes, line ends of both kinds and empty fields", () => {
  for (const [text, expected] of TABLES) {
    const { header, rows } = parseCsv(text, "CSV");
    assert.deepEqual([header, ...rows.map(({ fields }) => fields)], expected, JSON.stringify(text));
  }
});

Deno.test("parseCsv gives the line where a row begins", () => {
  const { rows } = parseCsv('a,b\n\n"x\n\ny",1\r\n2,3\n', "CSV");
  assert.deepEqual(rows.map(({ line }) => line), [3, 6]);
});

Deno.test("parseCsv names the number of a bad line, and never its content", async () => {
  for (const [text, message] of BROKEN) {
    const error = await rejectsWith(() => parseCsv(text, "CSV"), "malformed-import");
    assert.equal(error.message, `Cannot read CSV${message}`, JSON.stringify(text));
    assert.doesNotMatch(`${error.message} ${error.hint} ${error.cause}`, /hunter/);
  }
});

Deno.test("parseCsv reads back every table that formatCsv writes", () => {
  const field = fc.string({ unit: fc.constantFrom(...'ab,"\r\n \u00e9'.split("")), maxLength: 6 });
  const table = fc.integer({ min: 2, max: 4 }).chain((width) =>
    fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 })
  );
  fc.assert(
    fc.property(table, (rows) => {
      const { header, rows: rest } = parseCsv(formatCsv(rows), "CSV");
      assert.deepEqual([header, ...rest.map(({ fields }) => fields)], rows);
    }),
    { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 20_000 : 1_000 },
  );
});

Deno.test("parseCsv() refuses more fields than it has memory for", async () => {
  await rejectsWith(() => parseCsv(",".repeat(16_000_000), "CSV"), "exchange-limit");
});
