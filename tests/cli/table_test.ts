import assert from "node:assert/strict";
import { table } from "../../lib/cli/table.ts";
import { Terminal, terminalTest } from "./terminal.ts";

const ROWS = [
  ["NAME", "SIZE", "TAGS"],
  ["app/database/password", "12 B", "prod,eu-west,rotated-by-hand"],
  ["a", "1.5 KiB", "-"],
] as const;
const FREE = ["NAME", "TAGS"];

Deno.test("table() gives a pipe everything, and each column as wide as its widest cell", () => {
  assert.deepEqual(table(ROWS, FREE, Infinity).split("\n"), [
    "NAME                   SIZE     TAGS",
    "app/database/password  12 B     prod,eu-west,rotated-by-hand",
    "a                      1.5 KiB  -",
    "",
  ]);
});

Deno.test("table() takes more rows than a call may have arguments", () => {
  const rows = [...Array.from({ length: 200_000 }, () => ["a", "b"]), ["longer", "b"]];
  assert.ok(table(rows, [], Infinity) === `${"a       b\n".repeat(200_000)}longer  b\n`);
});

Deno.test("table() cuts the widest columns of free text first, and shows where", () => {
  assert.deepEqual(table(ROWS, FREE, 52).split("\n"), [
    "NAME                  SIZE     TAGS",
    "app/database/passwo…  12 B     prod,eu-west,rotated…",
    "a                     1.5 KiB  -",
    "",
  ]);
  assert.deepEqual(table(ROWS, FREE, 40).split("\n")[1], "app/database/…  12 B     prod,eu-west,r…");
  // What is no free text stays whole, and the line is cut at its end.
  assert.deepEqual(table(ROWS, FREE, 22).split("\n")[1], "app/dat…  12 B     pr…");
});

Deno.test("table() counts columns, not characters: wide ones take two, marks none", () => {
  const rows = [["NAME", "N"], ["鍵鍵鍵鍵鍵鍵鍵鍵", "1"], ["e\u0301e\u0301e\u0301", "2"]];
  for (const columns of [12, 13, 14, 15, Infinity]) {
    const lines = table(rows, ["NAME"], columns).trimEnd().split("\n");
    const widths = lines.map((line) =>
      [...line].reduce((sum, one) => sum + (one === "鍵" ? 2 : /\p{Mn}/u.test(one) ? 0 : 1), 0)
    );
    assert.equal(new Set(widths).size, 1, lines.join("\n"));
    assert.ok(widths[0]! <= columns);
  }
});

terminalTest("coffer ls --long fits its table to the terminal, and gives a pipe all of it", async (box) => {
  await box.init();
  const name = `app/${"long-".repeat(20)}name`;
  await box.ok(["set", name, "--value", "v", "--tag", "t".repeat(60), ...box.key]);
  const { out } = await box.ok(["ls", "--long", ...box.key]);
  assert.ok(out.includes(name) && out.includes("t".repeat(60)));
  const screenOf = async (columns: number, ...more: string[]) => {
    const around = (command: string) => `stty cols ${columns}; ${command}`;
    const { code, screen } = await new Terminal(box, ["ls", "--long", ...more, ...box.key], around).end();
    assert.equal(code, 0);
    return screen.split("\r\n").slice(0, -1);
  };
  for (const columns of [80, 100, 40]) {
    const lines = await screenOf(columns);
    assert.equal(lines.length, 2);
    assert.ok(lines.every((line) => line.length <= columns), `${columns}: ${lines.join("\n")}`);
    assert.match(lines[1]!, /…/);
  }
  assert.deepEqual((await screenOf(300)).join("\n"), out.trimEnd());
  // A terminal that does not say how wide it is, and JSON.
  assert.deepEqual((await screenOf(0)).join("\n"), out.trimEnd());
  assert.equal(JSON.parse((await screenOf(40, "--json"))[0]!)[0].name, name);
});
