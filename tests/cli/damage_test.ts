import assert from "node:assert/strict";
import { Engine } from "../../lib/engine.ts";
import { Anchor } from "../../lib/sealed/anchor.ts";
import { resolveCredential } from "../../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../../lib/sealed/key_slot.ts";
import { deriveKeys } from "../../lib/sealed/keys.ts";
import { decodeMeta } from "../../lib/sealed/meta.ts";
import { VALUE } from "../../lib/state/secret.ts";
import { anchorPath, FileAnchor } from "../../lib/storage/anchor_file.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { type Sandbox, sandbox } from "./coffer.ts";

const PAGE = 4096;

/** Commits the loss of all large values: damage that is sealed as well as anything else. */
async function loseValues(box: Sandbox): Promise<void> {
  const medium = await FileMedium.open(box.vault);
  const meta = decodeMeta((await medium.read())!.meta);
  const { vaultKey } = await unwrapVaultKey(
    meta,
    await resolveCredential({ keyFile: Deno.readFileSync(box.path("key")) }),
  );
  const engine = await Engine.load(medium, await deriveKeys(vaultKey, meta.vaultId), {
    origin: {},
    anchor: new Anchor(new FileAnchor(anchorPath(box.vault))),
  });
  const { state } = engine.committed;
  await engine.transact(({ records }) => {
    for (const key of [...state.keys(VALUE)]) records.remove(VALUE, key);
  });
  await engine.close();
}

/** Overwrites a meta page with zeros: the one of the newest commit, or the other. */
async function wipeMetaPage(box: Sandbox, which: "newest" | "older"): Promise<void> {
  const { generation } = await box.json(["status"]);
  const page = (generation + (which === "newest" ? 1 : 0)) % 2;
  using file = Deno.openSync(box.vault, { write: true });
  file.seekSync(page * PAGE, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(PAGE));
}

Deno.test("coffer check reports a lost value with a credential, and cannot see it without", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "small", "--value", "v", ...box.key]);
    await box.ok(["set", "large", "--value", "hunter2".repeat(100), ...box.key]);
    await loseValues(box);
    box.damaged = true;
    const { code, out, err } = await box.run(["check", "--json", ...box.key]);
    const report = JSON.parse(out);
    assert.deepEqual([code, report.ok], [6, false]);
    assert.deepEqual(report.problems, [{ what: "The vault is damaged: a value is missing" }]);
    assert.equal(report.seals.secrets, 2);
    const { error } = JSON.parse(err);
    assert.deepEqual([error.code, error.message], ["corrupt-vault", "The vault is damaged: 1 problem found"]);
    const text = await box.run(["check", ...box.key]);
    assert.match(text.out, /^problem: The vault is damaged: a value is missing\ndamaged\n$/m);
    assert.equal((await box.json(["check"])).ok, true);
    // What is not lost can still be had.
    await box.fails(["get", "large", ...box.key], "corrupt-vault", 6);
    assert.equal((await box.ok(["get", "small", ...box.key])).out, "v");
    await box.ok(["set", "large", "--value", "new", ...box.key]);
    assert.equal((await box.ok(["get", "large", ...box.key])).out, "new");
    await box.ok(["rm", "large", ...box.key]);
    await box.ok(["check", ...box.key]);
  });
});

Deno.test("coffer opens a vault whose newest meta page was wiped, with a warning, and status says recovered", async () => {
  await sandbox(async (box) => {
    // A read that is noted in the log is a commit, and would write the page anew.
    await box.init("--no-recovery", "--no-anchor", "--no-audit-reads");
    for (const value of ["1", "2"]) await box.ok(["set", "a", "--value", value, ...box.key]);
    assert.equal((await box.json(["status"])).recovered, false);
    await wipeMetaPage(box, "newest");
    const warning = "coffer: warning: A meta page is torn or wiped, so a newer commit may be lost: " +
      "a crash, or somebody's doing\n";
    const { out, err } = await box.ok(["get", "a", ...box.key]);
    assert.deepEqual([out, err], ["1", warning]);
    for (const flags of [[], box.key]) {
      const { out, err } = await box.ok(["status", "--json", ...flags]);
      const { recovered, generation } = JSON.parse(out);
      assert.deepEqual({ recovered, generation, err }, { recovered: true, generation: 2, err: warning });
      const check = await box.json(["check", ...flags]);
      assert.deepEqual([check.ok, check.structure.recovered], [true, true]);
    }
    await box.ok(["set", "a", "--value", "3", ...box.key]);
    assert.equal((await box.json(["status"])).recovered, false, "the next commit writes the page anew");
    await wipeMetaPage(box, "older");
    assert.deepEqual([(await box.ok(["get", "a", ...box.key])).out, (await box.json(["status"])).recovered], [
      "3",
      true,
    ]);
  });
});

Deno.test("coffer refuses a vault whose newest meta page was wiped when its anchor knows better, and tells what is there", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const value of ["1", "2"]) await box.ok(["set", "a", "--value", value, ...box.key]);
    await wipeMetaPage(box, "newest");
    await box.fails(["get", "a", ...box.key], "rollback-detected", 7);
    await box.fails(["set", "a", "--value", "3", ...box.key], "rollback-detected", 7);
    const { state, generation, anchorGeneration } = await box.json(["anchor", "status"]);
    assert.deepEqual({ state, generation, anchorGeneration }, { state: "older", generation: 2, anchorGeneration: 3 });
    await box.ok(["anchor", "trust", "--yes", ...box.key]);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "1");
  });
});
