import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { flagName } from "../../lib/cli/flags.ts";
import { leaves } from "../../lib/cli/help.ts";
import { CLI_DOCUMENT, writeCliDocs } from "../../scripts/cli_docs.ts";

const DOCUMENT = await Deno.readTextFile(CLI_DOCUMENT);

/** A change of the document, and what is said of it. */
const MISTAKES: readonly (readonly [string, (document: string) => string, RegExp])[] = [
  ["no section", (text) => text.replace("### coffer mv FROM TO\n", ""), /no section "### coffer mv FROM TO"/],
  [
    "other arguments",
    (text) => text.replace("coffer mv FROM TO\n", "coffer mv NAME\n"),
    /"### coffer mv NAME" is no command/,
  ],
  ["a section too many", (text) => `${text}\n### coffer fly\n`, /"### coffer fly" is no command/],
  ["no part", (text) => text.replace(": mv -->", ": mw -->"), /"mv" is not there once.*"mw" is of no command/],
  ["a part twice", (text) => text.replace(": mv -->", ": rm -->"), /the part "rm" is not there once/],
  [
    "parts in each other's place",
    (text) => text.replace(": mv -->", ": x -->").replace(": rm -->", ": mv -->").replace(": x -->", ": rm -->"),
    /"### coffer mv FROM TO" lacks its part/,
  ],
];

Deno.test("docs/cli.md says of commands, flags and errors what they say of themselves", async () => {
  const [actual, expected] = [DOCUMENT, await writeCliDocs(DOCUMENT)].map((text) => text.split("\n"));
  const line = expected!.findIndex((text, index) => text !== actual![index]);
  const why = line < 0 ? "" : `line ${line + 1} is\n${actual![line]}\nand must be\n${expected![line]}\n`;
  assert.ok(actual!.length === expected!.length && line < 0, `docs/cli.md is old: ${why}run \`deno task cli-docs\``);
});

Deno.test("writeCliDocs() writes anew what was changed by hand, and keeps the prose", async () => {
  const changed = DOCUMENT.replace("| `--stdin` ", "| `--stdout` ").replace(
    "\ncoffer get tls/key --out key.pem\n",
    "\n",
  );
  assert.notEqual(changed, DOCUMENT);
  assert.equal(await writeCliDocs(changed), await writeCliDocs(DOCUMENT));
  const prose = DOCUMENT.replace("### coffer init\n", "### coffer init\n\nMore prose.\n");
  assert.match(await writeCliDocs(prose), /### coffer init\n\nMore prose\.\n/);
});

Deno.test("writeCliDocs() refuses a document whose sections are not those of the commands", async () => {
  for (const [what, change, message] of MISTAKES) {
    await assert.rejects(writeCliDocs(change(DOCUMENT)), { message }, what);
  }
});

Deno.test("docs/cli.md names no flag that no command has", async () => {
  const known = new Set(["--help", "--version", "--no-prompt", "--flag", "--config"]);
  for await (const [, { flags }] of leaves(COMMANDS)) {
    for (const name of Object.keys(flags)) known.add(flagName(name));
  }
  const named = [...DOCUMENT.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag);
  const unknown = named.filter((flag) => !known.has(flag) && !flag.startsWith("--allow-"));
  assert.deepEqual(unknown, []);
});
