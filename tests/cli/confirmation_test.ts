/**
 * What commands ask before they do what cannot be undone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Terminal, terminalTest } from "./terminal.ts";

terminalTest("coffer rm and slot rm ask once, and take anything but yes for no", async (box) => {
  await box.init("--recovery-out", box.path("code"));
  await box.ok(["set", "a", "--value", "v", ...box.key]);
  const answer = async (args: readonly string[], question: string, keys: string) => {
    const terminal = new Terminal(box, [...args, ...box.key]);
    await terminal.sees(question);
    await terminal.type(keys);
    const { code, screen } = await terminal.end();
    const said = keys === "\u0004" ? /error: Interrupted/ : /error: Not done, because the answer was no/;
    if (code !== 0) assert.match(screen, said);
    return code;
  };
  const missing = await new Terminal(box, ["slot", "rm", "99", ...box.key]).end();
  assert.equal(missing.code, 3, "nobody is asked about a slot that is not there");
  for (const no of ["\r", "n\r", "\u0004"]) {
    assert.equal(await answer(["rm", "a"], 'Remove "a" with all versions? [y/N] ', no), 1);
    assert.equal(await answer(["slot", "rm", "2"], "Remove slot 2?", no), 1);
  }
  assert.equal((await box.ok(["ls", ...box.key])).out, "a\n");
  assert.equal(await answer(["rm", "a"], "[y/N] ", "yes\r"), 0);
  assert.equal(await answer(["slot", "rm", "2"], "[y/N] ", "y\r"), 0);
  assert.equal((await box.ok(["ls", ...box.key])).out, "");
  assert.equal((await box.json(["slot", "ls"])).length, 1);
  await box.ok(["set", "a", "--value", "v", ...box.key]);
  assert.equal((await new Terminal(box, ["rm", "a", "--yes", ...box.key]).end()).code, 0);
});

/** Commands that take something away for good, and what they ask. */
const FOR_GOOD: readonly (readonly [readonly string[], string])[] = [
  [["mv", "a", "b", "--overwrite"], 'Remove "b" with all versions, for "a" to have its name? [y/N] '],
  [["user", "rm", "alice"], 'Remove "alice" with API keys and sessions? [y/N] '],
  [["audit", "prune", "--before", "1s"], ", for good? [y/N] "],
  [
    ["rotate", "--no-recovery", "--drop-others"],
    'Remove slots 2 (recovery), 3 (certificate "deploy")? Their credentials',
  ],
  [["policy", "set", "audit-reads", "off"], "Set audit-reads to off? This takes a restriction away. [y/N] "],
  [["restore", "backup", "--rollback"], "Put the backup in the place of "],
];

terminalTest(
  "coffer asks before what cannot be undone, changes nothing unless the answer is yes, and not with --yes",
  async (box) => {
    await box.init("--recovery-out", box.path("code"));
    for (const name of ["a", "b"]) await box.ok(["set", name, "--value", name, ...box.key]);
    await box.ok(["user", "add", "alice", "--role", "read", "--no-password", ...box.key]);
    const certificate = ["--kind", "certificate", "--label", "deploy", "--out", box.path("certificate")];
    await box.ok(["slot", "add", ...certificate, ...box.key]);
    await box.ok(["backup", box.path("backup"), ...box.key]);
    const ask = async (args: readonly string[], question: string, keys: string) => {
      const terminal = new Terminal(box, [...args, ...box.key]);
      await terminal.sees(question);
      await terminal.type(keys);
      return (await terminal.end()).code;
    };
    for (const [args, question] of FOR_GOOD) {
      const { generation } = await box.json(["status"]);
      for (const no of ["\r", "no\r", "\u0004"]) assert.equal(await ask(args, question, no), 1, args.join(" "));
      assert.equal((await box.json(["status"])).generation, generation, args.join(" "));
    }
    const { id } = await box.json(["key", "add", "alice", "--name", "ci", ...box.key]);
    const question = `Take the key ${id} of alice, "ci" out of force, for good? [y/N] `;
    assert.equal(await ask(["key", "revoke", id], question, "\r"), 1);
    assert.equal((await box.json(["key", "ls", ...box.key])).length, 1);
    assert.equal(await ask(["key", "revoke", id], question, "y\r"), 0);
    assert.equal((await box.json(["key", "ls", ...box.key])).length, 0);
    // What is missing is said, and not asked about.
    assert.equal((await new Terminal(box, ["key", "revoke", id, ...box.key]).end()).code, 3);
    assert.equal((await new Terminal(box, ["mv", "c", "b", "--overwrite", ...box.key]).end()).code, 3);
    for (const [args] of FOR_GOOD) {
      const { code, screen } = await new Terminal(box, [...args, "--yes", ...box.key]).end();
      assert.equal(code, 0, `${args.join(" ")}: ${screen}`);
      assert.doesNotMatch(screen, /\[y\/N\]/);
    }
  },
);

terminalTest("coffer repair --older asks before it falls back, once it has said what is lost", async (box) => {
  await box.init();
  await box.ok(["set", "a", "--value", "1", ...box.key]);
  const before = Deno.readFileSync(box.vault);
  await box.ok(["set", "b", "--value", "v".repeat(5000), ...box.key]);
  // What the last commit added is damaged in its first page, wherever that is.
  const bytes = Deno.readFileSync(box.vault);
  const changed: number[] = [];
  for (let page = 2; page * 4096 < bytes.length; page++) {
    const [old, now] = [before, bytes].map((all) => all.subarray(page * 4096, (page + 1) * 4096));
    if (now!.some((byte, index) => byte !== old![index])) changed.push(page);
  }
  assert.ok(changed.length > 0);
  bytes[changed[0]! * 4096 + 200]! ^= 1;
  Deno.writeFileSync(box.vault, bytes);
  const ask = async (keys: string) => {
    const terminal = new Terminal(box, ["repair", "--older", ...box.key]);
    await terminal.sees("lost: ");
    await terminal.sees("Fall back to generation 2? [y/N] ");
    await terminal.type(keys);
    return (await terminal.end()).code;
  };
  assert.equal(await ask("\r"), 1);
  assert.deepEqual(Deno.readFileSync(box.vault), bytes);
  assert.equal(await ask("y\r"), 0);
  assert.equal((await box.ok(["ls", ...box.key])).out, "a\n");
});

terminalTest("coffer anchor trust asks once, names the generation, and takes anything but yes for no", async (box) => {
  await box.init();
  Deno.removeSync(`${box.vault}.anchor`);
  const answer = async (keys: string) => {
    const terminal = new Terminal(box, ["anchor", "trust", ...box.key]);
    await terminal.sees("Take generation 1 of ");
    await terminal.sees("[y/N] ");
    await terminal.type(keys);
    return (await terminal.end()).code;
  };
  assert.equal(await answer("n\r"), 1);
  await box.fails(["ls", ...box.key], "anchor-missing", 7);
  assert.equal(await answer("y\r"), 0);
  await box.ok(["ls", ...box.key]);
});
