import assert from "node:assert/strict";
import { arrange } from "../../lib/cli/arguments.ts";
import { runCall } from "../../lib/cli/call.ts";
import { command, type Positionals, routes } from "../../lib/cli/define.ts";
import { choice, count, file, type GlobalFlags, repeated, text, toggle } from "../../lib/cli/flags.ts";
import { parse } from "../../lib/cli/parser.ts";

interface Flags extends GlobalFlags {
  readonly on: boolean;
  readonly noOn: boolean;
  readonly some?: string;
  readonly many?: readonly string[];
  readonly size?: number;
  readonly kind?: "a" | "b";
  readonly from?: string;
}

const WORD = { brief: "A word", placeholder: "WORD", parse: String } as const;

/** Commands by what they take. */
const POSITIONALS: Readonly<Record<string, Positionals>> = {
  none: { kind: "tuple", parameters: [] },
  one: { kind: "tuple", parameters: [WORD] },
  number: { kind: "tuple", parameters: [WORD, { ...WORD, parse: count("N", "").parse }] },
  perhaps: { kind: "tuple", parameters: [{ ...WORD, optional: true }] },
  any: { kind: "array", parameter: WORD },
  some: { kind: "array", parameter: WORD, minimum: 1 },
};

/** What stands behind the name of a command. */
const ARGUMENTS = [
  [],
  ["a"],
  ["a", "b"],
  ["a", "7"],
  ["a", "0"],
  ["-"],
  [""],
  ["--", "-a"],
  ["--", "--", "--on"],
  ["--on", "a"],
  ["a", "--on", "--on"],
  ["--no-on", "a"],
  ["--some", "", "a"],
  ["--some", "--nope", "a"],
  ["--some==x", "a"],
  ["--some", "1", "--some", "2", "a"],
  ["--many", "1", "--many=2", "a"],
  ["--size", "3", "a"],
  ["--size", "x", "a"],
  ["--kind=b", "a"],
  ["--kind=c", "a"],
  ["--from=", "a"],
  ["--nope", "a"],
  ["--consructor", "a"],
  ["--constructor", "a"],
  ["--json", "--timeout", "1.5", "a"],
] as const;

Deno.test("runCall() gives a command what the parser would, or leaves it to the parser to refuse", async () => {
  const seen: unknown[] = [];
  const run = (flags: Flags, ...args: unknown[]) => Promise.resolve(void seen.push([{ ...flags }, args]));
  const define = (positional: Positionals) =>
    command<Flags, unknown[]>({
      brief: "Try",
      description: "Try",
      examples: [["coffer try"]],
      load: () => Promise.resolve({ default: run }),
      flags: {
        on: toggle("On"),
        noOn: toggle("Not on"),
        some: text("TEXT", "Some"),
        many: repeated(text("TEXT", "Many")),
        size: count("N", "Size"),
        kind: choice("KIND", ["a", "b"], "Kind"),
        from: file("From"),
      },
      positional: positional as never,
    });
  const root = routes("Try", Object.fromEntries(Object.entries(POSITIONALS).map(([name, one]) => [name, define(one)])));
  let called = 0;
  for (const name of Object.keys(POSITIONALS)) {
    for (const words of ARGUMENTS) {
      const request = await arrange(["--reason", "why", name, ...words], root);
      assert.equal(request.kind, "run");
      if (request.kind !== "run") continue;
      const direct = request.call !== undefined && await runCall(request.call);
      const [given] = seen.splice(0);
      assert.equal(given !== undefined, direct);
      const accepted = await parse(root, request.inputs).then(() => true, () => false);
      assert.equal(direct, accepted, `${name} ${words.join(" ")}`);
      assert.deepEqual(seen.splice(0), direct ? [given] : []);
      if (!direct) continue;
      called++;
      const [flags] = given as [Flags];
      assert.equal(typeof flags.on, "boolean", "a toggle is on or off");
      assert.ok(Object.hasOwn(flags, "some"));
    }
  }
  assert.ok(called > 40, `${called} of them were called`);
});

Deno.test("runCall() passes on what a command throws", async () => {
  const error = new RangeError("from within");
  const fails = command<GlobalFlags, []>({
    brief: "Fail",
    description: "Fail",
    examples: [["coffer fail"]],
    load: () => Promise.resolve({ default: () => Promise.reject(error) }),
    flags: {},
    positional: { kind: "tuple", parameters: [] },
  });
  const request = await arrange(["fails"], routes("Try", { fails }));
  assert.ok(request.kind === "run" && request.call !== undefined);
  await assert.rejects(runCall(request.call), error);
});
