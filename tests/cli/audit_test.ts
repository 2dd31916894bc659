import assert from "node:assert/strict";
import { finish, type Sandbox, sandbox } from "./coffer.ts";

const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 60 : 6;

/** Operations in the log, oldest first. */
async function operations(box: Sandbox): Promise<string[]> {
  return (await box.json(["audit", ...box.key])).map(({ operation }: { operation: string }) => operation);
}

Deno.test("coffer audit lists what was done, as a table and as one array", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "db/a", "--value", "t0psecret", ...box.key]);
    await box.ok(["mv", "db/a", "db/b", ...box.key]);
    await box.ok(["get", "db/b", ...box.key]);
    const { out } = await box.ok(["audit", ...box.key]);
    const lines = out.trimEnd().split("\n");
    assert.deepEqual(lines[0]!.split(/ +/), ["TIME", "NUMBER", "OPERATION", "NAME", "SLOT", "ACTOR", "REASON"]);
    assert.deepEqual(lines.slice(1).map((line) => line.replace(/^\S+ \S+Z +/, "").split(/ {2,}/)), [
      ["1", "vault.create", "-", "1", "-", "-"],
      ["2", "policy.set", "audit-reads = true", "1", "-", "-"],
      ["3", "secret.set", "db/a", "1", "-", "-"],
      ["4", "secret.rename", "db/a -> db/b", "1", "-", "-"],
      ["5", "secret.read", "db/b", "1", "-", "-"],
    ]);
    assert.doesNotMatch(out, /t0psecret/);

    const entries = await box.json(["audit", ...box.key]);
    assert.equal(entries.length, 5);
    const { time, ...rename } = entries[3];
    assert.deepEqual(rename, { sequence: 4, operation: "secret.rename", name: "db/a", to: "db/b", slot: 1 });
    assert.equal(new Date(time).toISOString(), time);
    assert.deepEqual(await box.json(["audit", "ls", ...box.key]), entries);
    assert.deepEqual(await box.json([...box.key, "audit"]), entries);
  });
});

Deno.test("coffer audit filters by time, operation and name, and refuses what it does not know", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "db/a", "--value", "1", ...box.key]);
    await box.ok(["set", "web/a", "--value", "1", ...box.key]);
    const numbers = async (...flags: string[]) =>
      (await box.json(["audit", ...flags, ...box.key])).map(({ sequence }: { sequence: number }) => sequence);
    assert.deepEqual(await numbers("--op", "secret.set"), [3, 4]);
    assert.deepEqual(await numbers("--name", "db/*"), [3]);
    assert.deepEqual(await numbers("--since", "1h", "--until=2999-01-01"), [1, 2, 3, 4]);
    assert.deepEqual(await numbers("--since", "2999-01-01"), []);
    assert.deepEqual(await numbers("--until", "1h"), []);
    assert.deepEqual(await numbers("--actor", "nobody"), []);
    assert.equal((await box.ok(["audit", "--until", "1h", ...box.key])).out, "");
    await box.fails(["audit", "--op", "secret.burn", ...box.key], "usage", 2);
    await box.fails(["audit", "--since", "soon", ...box.key], "usage", 2);
    await box.fails(["audit", "--verify", "--name", "x", ...box.key], "usage", 2);
    await box.fails(["audit", "burn", ...box.key], "usage", 2);
    await box.fails(["audit", "--nonsense", ...box.key], "usage", 2);
    await box.fails(["audit", "prune", ...box.key], "usage", 2);
  });
});

Deno.test("coffer audit prune lets entries go, and --verify goes over what is left", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["a", "b", "c"]) await box.ok(["set", name, "--value", "1", ...box.key]);
    const before = await box.json(["audit", "--verify", ...box.key]);
    assert.deepEqual({ ...before, head: "" }, { ok: true, length: 5, pruned: 0, head: "" });
    assert.deepEqual(await box.json(["audit", "prune", "--before", "2020-01-01", ...box.key]), { pruned: 0 });
    assert.equal((await box.ok(["audit", "prune", "--before=2999-01-01", ...box.key])).out, "5 entries pruned\n");
    assert.deepEqual(await operations(box), ["audit.prune"]);
    assert.deepEqual(await box.json(["audit", "prune", "--before=2999-01-01", "--yes", ...box.key]), { pruned: 1 });
    const { out } = await box.ok(["audit", "--verify", ...box.key]);
    assert.match(out, /^7 entries, of which 6 were pruned\nhead: [0-9a-f]{64}\nok\n$/);
    assert.deepEqual((await box.json(["check", ...box.key])).problems, []);
    assert.deepEqual(await box.json(["ls", ...box.key]).then((all: unknown[]) => all.length), 3);
  });
});

Deno.test("coffer get shows no value that the log does not say was read, also when it is killed", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "t0psecret", ...box.key]);
    let shown = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = box.spawn(["get", "a", ...box.key]);
      const timer = setTimeout(() => {
        try {
          child.kill("SIGKILL");
        } catch { /* It was done before. */ }
      }, 30 + Math.random() * 80);
      const { out } = await finish(child);
      clearTimeout(timer);
      if (out !== "") shown++;
      const reads = (await operations(box)).filter((operation) => operation === "secret.read").length;
      assert.ok(reads >= shown, `${shown} values were shown, ${reads} reads are in the log`);
    }
  });
});

Deno.test("coffer get refuses to show a value where the read cannot be noted, and says why", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "t0psecret", ...box.key]);
    const permissions = [`--allow-read=${box.folder}`];
    const { err } = await box.fails(["get", "a", ...box.key], "missing-permission", 8, { permissions });
    assert.doesNotMatch(err, /t0psecret/);
    await box.ok(["ls", ...box.key], { permissions });
    await box.ok(["audit", ...box.key], { permissions });
    await box.ok(["policy", "set", "audit-reads", "off", ...box.key]);
    assert.equal((await box.ok(["get", "a", ...box.key], { permissions })).out, "t0psecret");
  });
});

Deno.test("coffer init notes reads in the log unless --no-audit-reads is given", async () => {
  await sandbox(async (box) => {
    await box.init("--no-recovery", "--no-audit-reads");
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    await box.ok(["get", "a", ...box.key]);
    assert.deepEqual(await operations(box), ["vault.create", "policy.set", "secret.set"]);
    assert.equal((await box.json(["policy", "ls", ...box.key]))["audit-reads"], false);
  });
});
