import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { leaves } from "../../lib/cli/help.ts";
import { layOutHelp } from "../../lib/cli/help_layout.ts";
import { parse } from "../../lib/cli/parser.ts";

Deno.test("layOutHelp() gives the flags of every command a heading of their own, behind the command's", async () => {
  for (const command of ["rotate", "status"]) {
    const text = await parse(COMMANDS, [command, "--help"]);
    const [own, shared] = text.split("\nFLAGS OF EVERY COMMAND\n");
    assert.match(shared!, /^ +\[--vault\][\s\S]*\[--log-format\]/, command);
    assert.doesNotMatch(own!, /\[--vault\]/, command);
    assert.equal(/^FLAGS$/m.test(own!), /^ +\[--/m.test(own!), `${command}: a heading with something below it`);
  }
  assert.match(await parse(COMMANDS, ["rotate", "--help"]), /\nFLAGS\n +\[--drop-others\]/);
});

Deno.test("layOutHelp() wraps lists under their column and loses no word, and lets the rest be", async () => {
  for await (const [name] of leaves(COMMANDS)) {
    const text = await parse(COMMANDS, [...name.split(" "), "--help"]);
    const narrow = layOutHelp(text, 80);
    assert.deepEqual(narrow.split(/\s+/), text.split(/\s+/), name);
    const flags = narrow.slice(narrow.search(/^FLAGS/m)).split("\n\n");
    for (const line of flags.slice(0, 2).join("\n").split("\n")) assert.ok(line.length <= 80, `${name}: ${line}`);
    assert.equal(layOutHelp(text, Infinity), text, "what is laid out stays as it is");
  }
  const list = "FLAGS\n  --a    one two\n\nEXAMPLES\n  coffer a  one two three four five six\n";
  assert.equal(
    layOutHelp(list.replace("one two", "one two three four five six"), 33),
    list.replace("one two", "one two three four five\n         six"),
  );
});
