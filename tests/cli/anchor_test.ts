import assert from "node:assert/strict";
import { auditLog } from "../audit_log.ts";
import { type Sandbox, sandbox } from "./coffer.ts";

/** A vault of two generations, and what it and its anchor were at the first. */
async function grown(box: Sandbox): Promise<{ vault: Uint8Array; anchor: Uint8Array }> {
  await box.init();
  const first = { vault: Deno.readFileSync(box.vault), anchor: Deno.readFileSync(`${box.vault}.anchor`) };
  await box.ok(["set", "a", "--value", "1", ...box.key]);
  return first;
}

async function stateOf(box: Sandbox, ...args: readonly string[]): Promise<string> {
  return (await box.json(["anchor", "status", ...args])).state;
}

Deno.test("coffer says what is wrong with an anchor, changes nothing, and anchor status tells it without a credential", async () => {
  await sandbox(async (box) => {
    const first = await grown(box);
    const { vault } = box;
    const anchor = `${vault}.anchor`;
    const [newest, said] = [Deno.readFileSync(vault), Deno.readFileSync(anchor)];
    await box.ok(["init", "--vault", "other", ...box.key, "--no-recovery"]);
    const foreign = Deno.readFileSync(box.path("other.anchor"));
    const cases = [
      ["missing", "anchor-missing", newest, null],
      ["damaged", "anchor-damaged", newest, new Uint8Array(0)],
      ["damaged", "anchor-damaged", newest, said.subarray(0, 1000)],
      ["foreign", "anchor-foreign", newest, foreign],
      ["older", "rollback-detected", first.vault, said],
    ] as const;
    for (const [state, code, file, contents] of cases) {
      Deno.writeFileSync(vault, file);
      if (contents === null) Deno.removeSync(anchor);
      else Deno.writeFileSync(anchor, contents, { mode: 0o600 });
      assert.equal(await stateOf(box), state);
      const { err } = await box.fails(["get", "a", ...box.key], code, 7);
      assert.ok(JSON.parse(err).error.hint.length > 0);
      await box.fails(["set", "a", "--value", "2", ...box.key], code, 7);
      await box.fails(["anchor", "status", ...box.key], code, 7);
      assert.deepEqual(Deno.readFileSync(vault), file);
      if (contents !== null) assert.deepEqual(Deno.readFileSync(anchor), contents);
    }
    Deno.removeSync(anchor);
    Deno.mkdirSync(anchor);
    await box.fails(["get", "a", ...box.key], "io-error", 1);
    Deno.removeSync(anchor);
    Deno.writeFileSync(vault, newest);
    // One that a crash left behind is no harm.
    Deno.writeFileSync(anchor, first.anchor, { mode: 0o600 });
    assert.deepEqual(await box.json(["anchor", "status", ...box.key]), {
      path: "vault.coffer",
      anchored: true,
      anchor: "vault.coffer.anchor",
      state: "behind",
      generation: 2,
      anchorGeneration: 1,
      anchorEpoch: 1,
      authenticated: true,
    });
    await box.ok(["set", "a", "--value", "3", ...box.key]);
    assert.equal(await stateOf(box), "level");
    const { out } = await box.ok(["anchor", "status"]);
    assert.match(
      out,
      /^anchor: +vault.coffer.anchor\nit says: +generation 3, epoch 1\nstate: +level with the vault\n$/m,
    );
  });
});

Deno.test("coffer anchor trust takes an older copy for the newest, and the log says who and why", async () => {
  await sandbox(async (box) => {
    const first = await grown(box);
    Deno.writeFileSync(box.vault, first.vault);
    await box.fails(["ls", ...box.key], "rollback-detected", 7);
    const trust = ["anchor", "trust", "--yes", "--actor", "kim", "--reason", "restored by hand", ...box.key];
    assert.deepEqual(await box.json(trust), { path: "vault.coffer", anchor: "vault.coffer.anchor", generation: 2 });
    assert.equal((await box.ok(["ls", ...box.key])).out, "");
    const { operation, actor, reason } = (await auditLog(box.vault, { keyFile: Deno.readFileSync(box.path("key")) }))
      .at(-1)!;
    assert.deepEqual([operation, actor, reason], ["anchor.trust", "kim", "restored by hand"]);
  });
});

Deno.test("coffer anchor trust leaves another vault's anchor alone, unless that is insisted on", async () => {
  await sandbox(async (box) => {
    await grown(box);
    await box.ok(["init", "--vault", "other", ...box.key, "--no-recovery"]);
    const foreign = Deno.readFileSync(box.path("other.anchor"));
    const trust = ["anchor", "trust", "--yes", "--anchor", "other.anchor", ...box.key];
    const { err } = await box.fails(trust, "anchor-foreign", 7);
    assert.match(JSON.parse(err).error.hint, /--replace-foreign/);
    assert.deepEqual(Deno.readFileSync(box.path("other.anchor")), foreign);
    await box.ok(["ls", "--vault", "other", ...box.key]);
    await box.ok([...trust, "--replace-foreign"]);
    assert.equal(await stateOf(box, "--anchor", "other.anchor", ...box.key), "level");
    await box.fails(["ls", "--vault", "other", ...box.key], "anchor-foreign", 7);
  });
});

Deno.test("coffer finds the anchor of a vault whose maker was killed, and what is left of others is no hindrance", async () => {
  await sandbox(async (box) => {
    await box.init();
    const { vaultId } = await box.json(["status"]);
    const anchor = Deno.readFileSync(`${box.vault}.anchor`);
    const waiting = box.path(`.vault.coffer.anchor.${vaultId.slice(0, 16)}.new`);
    Deno.renameSync(`${box.vault}.anchor`, waiting);
    assert.equal(await stateOf(box), "level");
    assert.equal(await stateOf(box, ...box.key), "level");
    assert.equal((await box.json(["doctor"])).ok, true);
    await box.ok(["ls", ...box.key], { permissions: [`--allow-read=${box.folder}`] });
    assert.ok(Deno.statSync(waiting).isFile, "reading moves nothing");
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    assert.throws(() => Deno.statSync(waiting), Deno.errors.NotFound);
    assert.equal(await stateOf(box), "level");
    // It never stands in for an anchor that is gone.
    Deno.writeFileSync(waiting, anchor, { mode: 0o600 });
    const newest = Deno.readFileSync(`${box.vault}.anchor`);
    Deno.removeSync(`${box.vault}.anchor`);
    assert.equal(await stateOf(box), "missing");
    await box.fails(["ls", ...box.key], "anchor-missing", 7);
    Deno.writeFileSync(`${box.vault}.anchor`, newest, { mode: 0o600 });
    const stray = box.path(".vault.coffer.anchor.0011223344556677.new");
    Deno.writeFileSync(stray, anchor, { mode: 0o600 });
    const { findings, ok } = await box.json(["doctor"]);
    const found = findings.filter(({ id }: { id: string }) => id === "left-anchor");
    assert.deepEqual([found.length, ok], [2, true]);
    assert.equal((await box.json(["doctor", "--fix"])).mended.length, 2);
    for (const path of [waiting, stray]) assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  });
});

Deno.test("coffer anchor move keeps the anchor elsewhere, for whoever names it with --anchor", async () => {
  await sandbox(async (box) => {
    await grown(box);
    box.file("taken", "mine");
    await box.fails(["anchor", "move", "taken", ...box.key], "anchor-exists", 10);
    await box.fails(["anchor", "move", "", ...box.key], "usage", 2);
    await box.fails(["anchor", "move", "none/anchor", ...box.key], "folder-not-found", 3);
    assert.equal(await stateOf(box), "level");
    assert.deepEqual(await box.json(["anchor", "move", "moved", ...box.key]), {
      path: "vault.coffer",
      anchor: "moved",
      from: "vault.coffer.anchor",
    });
    assert.equal(Deno.readTextFileSync(box.path("taken")), "mine");
    await box.fails(["get", "a", ...box.key], "anchor-missing", 7);
    assert.equal((await box.ok(["get", "a", "--anchor", "moved", ...box.key])).out, "1");
    await box.ok(["--anchor=moved", "set", "a", "--value", "2", ...box.key]);
    assert.equal(await stateOf(box, "--anchor", "moved"), "level");
    await box.ok(["anchor", "move", "vault.coffer.anchor", "--anchor", "moved", ...box.key]);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "2");
    assert.throws(() => Deno.statSync(box.path("moved")), Deno.errors.NotFound);
  });
});

Deno.test("coffer init --no-anchor makes none, and --anchor makes it where it says", async () => {
  await sandbox(async (box) => {
    const init = ["init", "--new-keyfile", box.path("key"), "--no-recovery"];
    await box.fails([...init, "--no-anchor", "--anchor", "x"], "usage", 2);
    await box.fails([...init, "--anchor", ""], "usage", 2);
    await box.fails([...init, "--anchor", "/elsewhere/anchor"], "missing-permission", 8);
    box.file("taken", "mine");
    await box.fails([...init, "--anchor", "taken"], "anchor-exists", 10);
    assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name), ["taken"]);
    await box.ok([...init, "--no-anchor"]);
    assert.equal((await box.json(["status"])).anchored, false);
    assert.match((await box.ok(["status"])).out, /^anchor: +no$/m);
    assert.deepEqual(await box.json(["anchor", "status"]), {
      path: "vault.coffer",
      anchored: false,
      state: "none",
      generation: 1,
      authenticated: false,
    });
    await box.fails(["anchor", "trust", "--yes", ...box.key], "no-anchor", 2);
    await box.fails(["anchor", "move", "x", ...box.key], "no-anchor", 2);
    await box.ok(["init", "--vault", "two", "--anchor", "two-anchor", ...box.key, "--no-recovery"]);
    assert.match((await box.ok(["status", "--vault", "two"])).out, /^anchor: +yes$/m);
    assert.equal(await stateOf(box, "--vault", "two", "--anchor", "two-anchor", ...box.key), "level");
    assert.equal(await stateOf(box, "--vault", "two"), "missing");
  });
});

Deno.test("coffer --actor and --reason go to the log with every change, and no further than 512 bytes", async () => {
  await sandbox(async (box) => {
    await box.init("--no-recovery", "--no-audit-reads", "--actor", "root", "--reason", "new");
    const by = ["--actor", "kim", "--reason", "ticket 7", ...box.key];
    await box.ok(["set", "a", "--value", "1", ...by]);
    await box.ok(["mv", "a", "b", ...by]);
    await box.ok(["rm", "b", "--yes", ...box.key]);
    for (const flag of ["--actor", "--reason"]) {
      await box.fails(["set", "a", "--value", "1", flag, "x".repeat(513), ...box.key], "invalid-metadata", 2);
      await box.fails(["set", "a", "--value", "1", flag, "two\nlines", ...box.key], "invalid-metadata", 2);
    }
    const log = await auditLog(box.vault, { keyFile: Deno.readFileSync(box.path("key")) });
    assert.deepEqual(log.map(({ operation, name, to, actor, reason }) => [operation, name, to, actor, reason]), [
      ["vault.create", undefined, undefined, "root", "new"],
      ["policy.set", "audit-reads", "false", "root", "new"],
      ["secret.set", "a", undefined, "kim", "ticket 7"],
      ["secret.rename", "a", "b", "kim", "ticket 7"],
      ["secret.delete", "b", undefined, undefined, undefined],
    ]);
  });
});
