import assert from "node:assert/strict";
import { arrange } from "../../lib/cli/arguments.ts";
import { runCall } from "../../lib/cli/call.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { type Group, isGroup, type Target } from "../../lib/cli/define.ts";
import { leaves } from "../../lib/cli/help.ts";
import { callsOf } from "./shell.ts";

/** Lines, and the words that coffer gets of them. */
const LINES: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ["coffer get db/password", [["get", "db/password"]]],
  [`coffer  set a --note 'two words' --type ""`, [["set", "a", "--note", "two words", "--type", ""]]],
  [`coffer ls 'db/'"**"`, [["ls", "db/**"]]],
  ["pg_dump app | coffer set dump --stdin", [["set", "dump", "--stdin"]]],
  ["source <(coffer completions bash)", [["completions", "bash"]]],
  ["coffer key check < ci.key", [["key", "check"]]],
  ["coffer get a|coffer set b --stdin", [["get", "a"], ["set", "b", "--stdin"]]],
  ["echo coffer", []],
];

Deno.test("callsOf() splits lines as a shell does, and no line that it does not understand", () => {
  for (const [line, calls] of LINES) assert.deepEqual(callsOf(line), calls, line);
  for (const line of ["coffer 'get", 'coffer "a\\"b"', "coffer a\\ b", "coffer `a`"]) {
    assert.throws(() => callsOf(line), /Cannot split/, line);
  }
});

Deno.test("every command has examples, each a call of it that its flags and arguments accept", async () => {
  let ran: string | undefined;
  const root = watched(COMMANDS, [], (name) => ran = name) as Group;
  const stale: string[] = [];
  for await (const [name, { examples }] of leaves(COMMANDS)) {
    assert.ok(examples.length > 0, `coffer ${name} has no example`);
    for (const [line, what] of examples) {
      assert.notEqual(what, "");
      const calls = callsOf(line);
      assert.equal(calls.length, 1, `not one call of coffer: ${line}`);
      ran = undefined;
      const request = await arrange(calls[0]!, root).catch(() => undefined);
      if (request?.kind === "run" && request.call !== undefined) await runCall(request.call);
      if (ran !== name) stale.push(`${name}: ${line}`);
    }
  }
  assert.deepEqual(stale, []);
});

/** The same commands, none of which does more than to say its name. */
function watched(target: Target, route: readonly string[], onRun: (name: string) => void): Target {
  if (!isGroup(target)) return { ...target, run: () => Promise.resolve(onRun(route.join(" "))) };
  const targets = Object.entries(target.targets).map(([name, load]) =>
    [name, async () => watched(await load(), [...route, name], onRun)] as const
  );
  return { ...target, targets: Object.assign(Object.create(null), Object.fromEntries(targets)) };
}
