import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";
import { killed, sweepTemporary } from "./kill.ts";

const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 60 : 6;

/** A vault where `a` is 2, and a backup from when it was 1. */
async function prepared(box: Sandbox): Promise<void> {
  await box.init("--recovery-out", box.path("code"));
  await box.ok(["set", "a", "--value", "1", ...box.key]);
  await box.ok(["backup", "b", ...box.key]);
  await box.ok(["set", "a", "--value", "2", ...box.key]);
}

async function valueIn(box: Sandbox, path = "vault.coffer"): Promise<string> {
  return (await box.ok(["get", "a", "--vault", path, ...box.key])).out;
}

Deno.test("coffer restore needs --rollback for what is older, and says where the old vault is", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    const before = Deno.readFileSync(box.vault);
    await box.fails(["restore", "b", ...box.key], "rollback-detected", 7);
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    const report = await box.json(["restore", "b", "--rollback", ...box.key]);
    assert.deepEqual(report, {
      vault: "vault.coffer",
      from: 3,
      generation: 5,
      kept: report.kept,
      policies: { "audit-reads": true, "plaintext-export": "allow", "require-reason": false, "max-secret-age": null },
      policiesFrom: "both",
    });
    assert.deepEqual(Deno.readFileSync(box.path(report.kept)), before);
    assert.equal(await valueIn(box), "1");
    const { err } = await box.ok(["restore", "b", "--rollback", "--recovery-file", "code"]);
    assert.match(err, /kept as vault\.coffer\.before-restore-/);
  });
});

Deno.test("coffer restore makes a vault that is missing, and one that is damaged whole again", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    Deno.removeSync(box.vault);
    await box.fails(["restore", "b", ...box.key], "rollback-detected", 7);
    await box.ok(["restore", "b", "--rollback", ...box.key]);
    assert.equal(await valueIn(box), "1");
    Deno.writeFileSync(box.vault, Deno.readFileSync(box.vault).slice(0, 6000));
    await box.ok(["restore", "b", "--rollback", ...box.key]);
    assert.equal(await valueIn(box), "1");
    // Somewhere else it is the first of its kind.
    await box.ok(["restore", "b", "--vault", "elsewhere", ...box.key]);
    assert.equal(await valueIn(box, "elsewhere"), "1");
    await box.ok(["set", "a", "--value", "3", "--vault", "elsewhere", ...box.key]);
  });
});

Deno.test("coffer restore refuses the vault itself, another vault, a missing or damaged backup, a wrong credential", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    await box.ok(["init", "--vault", "other", "--keyfile", "key", "--no-recovery"]);
    await box.ok(["slot", "add", "--kind", "keyfile", "--new-keyfile", "key2", ...box.key]);
    const bytes = Deno.readFileSync(box.path("b"));
    for (let page = 0; page < 2; page++) bytes[page * 4096 + 70]! ^= 1;
    box.file("damaged", bytes);
    box.file("cut", bytes.slice(0, 9000));
    box.file("letter", "x".repeat(10_000));
    Deno.symlinkSync(box.vault, box.path("link"));
    const files = ["vault.coffer", "vault.coffer.anchor", "other"].map((name) => box.path(name));
    const before = files.map((file) => Deno.readFileSync(file));
    const attempts: readonly [string, string, number, readonly string[]][] = [
      ["vault.coffer", "usage", 2, box.key],
      ["link", "usage", 2, box.key],
      ["none", "file-not-found", 3, box.key],
      ["damaged", "corrupt-vault", 6, box.key],
      ["letter", "not-a-vault", 6, box.key],
      ["b", "wrong-credential", 4, ["--keyfile", "key2"]],
      ["b", "usage", 2, [...box.key, "--identity", "key"]],
      ["b", "backup-foreign", 7, [...box.key, "--vault", "other"]],
    ];
    for (const [backup, code, exit, flags] of attempts) {
      await box.fails(["restore", backup, "--rollback", "--yes", ...flags], code, exit);
    }
    const { code } = await box.run(["restore", "cut", "--rollback", ...box.key]);
    assert.equal(code, 6);
    assert.deepEqual(files.map((file) => Deno.readFileSync(file)), before);
    assert.ok([...Deno.readDirSync(box.folder)].every(({ name }) => !name.includes("before-restore")));
  });
});

Deno.test("A coffer restore that is killed leaves the old vault or the new one, and either opens", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "x".repeat(1_000_000) });
    await box.ok(["backup", "large", ...box.key]);
    for (let round = 0; round < ROUNDS; round++) {
      await box.ok(["set", "a", "--value", "new", ...box.key]);
      const { generation } = await box.json(["status"]);
      const { code } = await killed(box, ["restore", "large", "--rollback", "--yes", ...box.key], round % 2 === 1);
      // First of all: showing a value is a commit, where the log is told of it.
      const now = await box.json(["status", ...box.key]);
      const found = await valueIn(box);
      assert.ok(["2", "new"].includes(found), found);
      if (code === 0) assert.equal(found, "2");
      assert.equal(now.generation, found === "new" ? generation : generation + 1);
      await box.ok(["check", ...box.key]);
    }
    sweepTemporary(box);
  });
});

Deno.test("coffer restore keeps restrictions that are newer than the backup, also over a rotation, and says what holds", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    const pass = ["--passphrase-file", box.file("pass", "hunter2 hunter2")];
    await box.ok(["slot", "add", "--kind", "passphrase", "--new-passphrase-file", "pass", ...WEAK, ...box.key]);
    await box.ok(["backup", "c", ...box.key]);
    await box.ok(["policy", "set", "plaintext-export", "forbid", ...box.key]);
    await box.ok(["policy", "set", "require-reason", "true", ...box.key]);
    await box.ok(["rotate", "--no-recovery", "--drop-others", "--reason", "leak", ...box.key]);
    await box.fails(["restore", "b", "--rollback", ...box.key], "reason-required", 11);
    const why = ["--reason", "drill", "--actor", "kim"];
    const { err } = await box.ok(["restore", "b", "--rollback", ...why, ...box.key]);
    assert.match(
      err,
      /policies: audit-reads on, plaintext-export forbid, require-reason on, max-secret-age none$/m,
    );
    const log = await box.json(["audit", ...box.key]);
    const restored = log.findLast(({ operation }: { operation: string }) => operation === "vault.restore");
    assert.deepEqual([restored.count, restored.to, restored.reason, restored.actor], [3, "both", "drill", "kim"]);
    assert.match((await box.ok(["audit", ...box.key])).out, /vault.restore +generation 3, policies of both vaults /);
    // This passphrase opens the backup, and nothing else.
    await box.ok(["rotate", "--no-recovery", "--drop-others", "--reason", "leak", ...box.key]);
    await box.ok(["set", "a", "--value", "3", "--reason", "x", ...box.key]);
    const warned = await box.ok(["restore", "c", "--rollback", ...pass]);
    assert.match(warned.err, /does not open, so the policies are those of the backup: .*plaintext-export allow/);
    const json = await box.json(["restore", "b", "--rollback", "--vault", "elsewhere", ...box.key]);
    assert.equal(json.policiesFrom, "backup");
  });
});

Deno.test("A coffer restore over a rotation that is killed leaves a vault that opens, whatever its anchor is", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    for (let round = 0; round < ROUNDS; round++) {
      await box.ok(["rotate", "--no-recovery", "--drop-others", ...box.key]);
      await box.ok(["set", "a", "--value", "new", ...box.key]);
      await killed(box, ["restore", "b", "--rollback", "--yes", ...box.key], round % 4 > 0);
      const found = await valueIn(box);
      assert.ok(["1", "new"].includes(found), found);
      await box.ok(["check", ...box.key]);
      assert.equal((await box.json(["anchor", "status", ...box.key])).state, "level");
    }
    sweepTemporary(box);
  });
});

Deno.test("A coffer restore to a place of its own that is killed leaves no vault or one that opens, and the next one goes on", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    for (let round = 0; round < ROUNDS; round++) {
      await killed(box, ["restore", "b", "--yes", "--vault", "elsewhere", ...box.key], round % 4 > 0);
      const there = [...Deno.readDirSync(box.folder)].some(({ name }) => name === "elsewhere");
      if (!there) await box.ok(["restore", "b", "--yes", "--vault", "elsewhere", ...box.key]);
      assert.equal(await valueIn(box, "elsewhere"), "1");
      Deno.removeSync(box.path("elsewhere"));
      Deno.removeSync(box.path("elsewhere.anchor"));
    }
    sweepTemporary(box);
  });
});
