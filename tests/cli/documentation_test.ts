import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { leaves } from "../../lib/cli/help.ts";
import { ERROR_TABLE } from "../../lib/errors.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/cli.md", import.meta.url));

Deno.test("docs/cli.md has a section for every command, with each of its flags", async () => {
  const shared = section("## Flags of every command");
  for await (const [route, { flags }] of leaves(COMMANDS)) {
    const own = section(`### coffer ${route}`);
    for (const name of Object.keys(flags)) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const kin = flag.includes("kdf") && own.includes("`--kdf-memory` and its kin");
      assert.ok(kin || own.includes(`\`${flag}`) || shared.includes(`\`${flag}`), `${route} ${flag}`);
    }
  }
});

Deno.test("docs/cli.md lists every error code with its exit code", () => {
  const table = section("## Errors and exit codes");
  const documented: Record<string, number> = {};
  for (const [, exit, codes] of table.matchAll(/^\| (\d+) +\|[^|]*\|([^|]*)\|$/gm)) {
    for (const [, code] of codes!.matchAll(/`([^`]+)`/g)) documented[code!] = Number(exit);
  }
  const actual = Object.fromEntries(Object.entries(ERROR_TABLE).map(([code, { exit }]) => [code, exit]));
  assert.deepEqual(documented, actual);
});

/** Text from a heading to the next one of its rank or above. */
function section(heading: string): string {
  const lines = DOCUMENT.split("\n");
  const start = lines.findIndex((line) => line === heading || line.startsWith(`${heading} `));
  assert.ok(start >= 0, `There is no heading "${heading}"`);
  const rank = heading.indexOf(" ");
  const end = lines.findIndex((line, index) => index > start && /^#+ /.test(line) && line.indexOf(" ") <= rank);
  return lines.slice(start, end < 0 ? undefined : end).join("\n");
}
