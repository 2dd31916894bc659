/**
 * Arguments of the command line: brought into order, taken apart, handed to a command that does nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../../lib/errors.ts";
import { arrange, type Request } from "../../../lib/cli/arguments.ts";
import { runCall } from "../../../lib/cli/call.ts";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { type Group, isGroup, type Target as CommandTarget } from "../../../lib/cli/define.ts";
import { helpDocument } from "../../../lib/cli/help.ts";
import { shown } from "../../../lib/cli/output.ts";
import { parse } from "../../../lib/cli/parser.ts";
import { type Target, textTarget } from "../target.ts";

/** The same commands, none of which does anything. */
function inert(target: CommandTarget): CommandTarget {
  if (!isGroup(target)) return { ...target, run: () => Promise.resolve() };
  const targets = Object.entries(target.targets).map(([name, load]) =>
    [name, async () => inert(await load())] as const
  );
  return { ...target, targets: Object.assign(Object.create(null), Object.fromEntries(targets)) };
}

const ROOT = inert(COMMANDS) as Group;

/** Every word that stands for a command or a flag. */
async function words(target: CommandTarget): Promise<string[]> {
  if (!isGroup(target)) {
    return Object.keys(target.flags).map((name) =>
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    );
  }
  const found = await Promise.all(
    Object.entries(target.targets).map(async ([name, load]) => [name, ...await words(await load())]),
  );
  return [...new Set(found.flat())];
}

/** Arguments stand in a text one a line. */
async function parseArguments(text: string): Promise<Request["kind"]> {
  const args = text.split("\n");
  const request = await arrange(args, ROOT);
  if (request.kind === "run" && (request.call === undefined || !await runCall(request.call))) {
    await parse(ROOT, request.inputs);
    // Where a call was refused, the parser must say why; one that it takes would run with what was not checked.
    assert.equal(request.call, undefined, "the parser takes what a call did not");
  }
  if (request.kind === "help") {
    await parse(ROOT, request.inputs);
    await helpDocument(request.inputs.slice(0, -1));
  }
  return request.kind;
}

/** Targets of `lib/cli`. */
export const CLI_TARGETS: readonly Target[] = [
  textTarget({
    name: "arguments",
    seeds: [
      "get\ndb/url",
      "--vault\na.coffer\nset\ndb/url\n--value\nv\n--expires\n30d\n--tag\na\n--tag=b",
      "slot\nadd\n--kind\nrecovery\n--label=x",
      "init\n--kdf-memory\n64\n--kdf-passes\n3\n--recovery-out\nf",
      "audit\nls\n--since\n2026-01-01\n--json",
      "help\nslot\nadd",
      "restore-version\na\n3\n--timeout\n1.5",
      "get\n--\n--name",
    ],
    decode: parseArguments,
    words: [
      "\n",
      "--",
      "-",
      "-h",
      "--help",
      "--json",
      "--x",
      "--vault=",
      "=",
      "2026-01-01T00:00Z",
      "30d",
      ...await words(ROOT),
    ],
    allowed: [CofferError],
    most: 2000,
    cost: 8,
  }),
  textTarget({
    name: "shown",
    seeds: ["plain", "\u001b[31mred", "a\nb", "\u202e"],
    decode: (text) => {
      const safe = shown(text);
      assert.ok(!/[\p{Cc}\p{Cf}]/u.test(safe.replaceAll(/[\n\t]/g, "")) || safe === text, "a terminal obeys nothing");
      return safe;
    },
    words: ["\u001b", "\u009b", "\u202e", "\u2066", "\r"],
    allowed: [],
    most: 2000,
  }),
];
