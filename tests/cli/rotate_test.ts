import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";
import { killed, sweepTemporary } from "./kill.ts";

const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 60 : 6;
const WORDS = /^([a-z]+ ){23}[a-z]+$/;

/** A vault with a secret, a labelled key file beside the first, and a recovery code. */
async function prepared(box: Sandbox): Promise<void> {
  await box.init("--recovery-out", box.path("code"));
  await box.ok(["slot", "add", "--kind", "keyfile", "--new-keyfile", "key2", "--label", "ci", ...box.key]);
  await box.ok(["set", "a", "--value", "v", ...box.key]);
}

Deno.test("coffer rotate refuses to drop slots, names them, and leaves the vault and stdout alone", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    const before = Deno.readFileSync(box.vault);
    const { err } = await box.fails(["rotate", ...box.key, "--recovery-out", "new"], "slots-would-drop", 11);
    assert.match(JSON.parse(err).error.message, /3 \(keyfile "ci"\)/);
    assert.match(JSON.parse(err).error.hint, /--also-keyfile.*--drop-others/);
    const both = await box.fails(["rotate", ...box.key, "--passphrase-file", "x"], "conflicting-credentials", 2);
    assert.match(JSON.parse(both.err).error.hint, /--also-passphrase-file/);
    await box.fails(["rotate", ...box.key, "--no-recovery"], "slots-would-drop", 11);
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    assert.throws(() => Deno.statSync(box.path("new")), Deno.errors.NotFound);
  });
});

Deno.test("coffer rotate keeps the slots that it is given, and says which went", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    const report = await box.json(["rotate", ...box.key, "--also-keyfile", "key2", "--recovery-out", "new"]);
    assert.deepEqual(Object.keys(report), ["epoch", "slots", "dropped", "recoveryFile"]);
    assert.deepEqual([report.epoch, report.recoveryFile], [2, "new"]);
    assert.deepEqual(report.slots.map(({ id }: { id: number }) => id), [1, 3, 4]);
    assert.deepEqual(report.dropped.map(({ id }: { id: number }) => id), [2]);
    for (const flags of [box.key, ["--keyfile", "key2"], ["--recovery-file", "new"]]) {
      assert.equal((await box.ok(["get", "a", ...flags])).out, "v");
    }
    await box.fails(["get", "a", "--recovery-file", "code"], "wrong-credential", 4);

    const { out, err } = await box.ok(["rotate", ...box.key, "--drop-others"]);
    assert.match(out.trim(), WORDS);
    assert.match(err, /Slot 3 \(keyfile "ci"\) went/);
    assert.match(err, /Slot 4 \(recovery\) went/);
    await box.fails(["get", "a", "--keyfile", "key2"], "wrong-credential", 4);
    assert.equal((await box.ok(["get", "a", "--recovery-file", box.file("shown", out)])).out, "v");

    const last = await box.json(["rotate", ...box.key]);
    assert.match(last.recoveryCode, WORDS);
    await box.ok(["recovery", "verify", "--recovery-file", box.file("last", last.recoveryCode)]);
    assert.deepEqual((await box.json(["status"])).epoch, 4);
  });
});

Deno.test("coffer rotate keeps passphrase, certificate and recovery code by their files", async () => {
  await sandbox(async (box) => {
    await prepared(box);
    const pass = box.file("pass", "another one");
    const added = ["slot", "add", ...box.key, "--kind"];
    await box.ok([...added, "passphrase", "--new-passphrase-file", pass, ...WEAK]);
    await box.ok([...added, "certificate", "--out", "cert"]);
    const kdf = (await box.json(["slot", "ls"])).find(({ kind }: { kind: string }) => kind === "passphrase").kdf;
    const also = ["--also-keyfile", "key2", "--also-passphrase-file", "-", "--also-certificate-file", "cert"];
    const report = await box.json(
      ["rotate", ...box.key, ...also, "--also-recovery-file", "code", "--no-recovery"],
      { stdin: "another one" },
    );
    assert.deepEqual([report.dropped, report.slots.length, report.recoveryCode], [[], 5, undefined]);
    assert.deepEqual((await box.json(["slot", "ls", "--passphrase-file", pass])).at(3).kdf, kdf);
    for (const flags of [["--certificate-file", "cert"], ["--recovery-file", "code"], ["--keyfile", "key2"]]) {
      await box.ok(["get", "a", ...flags]);
    }
  });
});

Deno.test("coffer rotate reads the credential that opens the vault once, from stdin or from a person", async () => {
  await sandbox(async (box) => {
    await box.ok(["init", ...WEAK, "--no-recovery", "--new-passphrase-file", box.file("pass", "p p p")]);
    const { epoch } = await box.json(["rotate", "--no-recovery", "--passphrase-file", "-"], { stdin: "p p p" });
    assert.equal(epoch, 2);
    await box.fails(
      ["rotate", "--no-recovery", "--passphrase-file", "-", "--also-passphrase-file", "-"],
      "usage",
      2,
      { stdin: "p" },
    );
    await box.ok(["check", "--passphrase-file", "pass"]);
  });
});

Deno.test("A coffer rotate that is killed leaves the old key or the new one, and a vault that opens", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "x".repeat(2_000_000) });
    let epoch = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { code } = await killed(box, ["rotate", "--no-recovery", ...box.key], round % 2 === 1);
      const status = await box.json(["status", ...box.key]);
      assert.ok(status.epoch === epoch || status.epoch === epoch + 1, `epoch ${status.epoch} after ${epoch}`);
      if (code === 0) assert.equal(status.epoch, epoch + 1);
      epoch = status.epoch;
      assert.equal((await box.ok(["get", "large", ...box.key])).out.length, 2_000_000);
      await box.ok(["check", ...box.key]);
      if (round % 3 === 0) await box.ok(["set", "a", "--value", `${round}`, ...box.key]);
    }
  });
});

Deno.test("Eight coffer processes that set, rotate, restore and back up at once leave vault and anchor level", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "0", ...box.key]);
    await box.ok(["backup", "first", ...box.key]);
    for (let round = 0; round < (ROUNDS > 10 ? 10 : 2); round++) {
      const jobs = [
        ["set", "a", "--value", `${round}`],
        ["set", "b", "--value", `${round}`],
        ["rotate", "--no-recovery"],
        ["rotate", "--no-recovery"],
        ["restore", "first", "--rollback", "--yes"],
        ["restore", "first", "--rollback", "--yes"],
        ["backup", "kept", "--keep", "3"],
        ["backup", "kept", "--keep", "3"],
      ];
      const results = await Promise.all(jobs.map((job) => box.run(["--json", ...job, ...box.key])));
      for (const [index, { code, err }] of results.entries()) {
        // Whoever had the vault open while its key changed is told to open it again.
        const allowed = code === 0 || ["vault-rotated", "conflict", "busy"].includes(JSON.parse(err).error.code);
        assert.ok(allowed, `${jobs[index]!.join(" ")}: ${err}`);
      }
      await box.ok(["check", ...box.key]);
      await box.ok(["set", "c", "--value", `${round}`, ...box.key]);
      const { generation } = await box.json(["status"]);
      const anchor = new DataView(Deno.readFileSync(`${box.vault}.anchor`).buffer);
      const named = [0, 512].map((at) => Number(anchor.getBigUint64(at + 32, true)));
      assert.equal(Math.max(...named), generation, "the anchor names the newest generation");
    }
    for (const { name } of Deno.readDirSync(box.folder)) {
      if (name.startsWith("kept")) await box.ok(["check", "--vault", name, ...box.key]);
    }
    sweepTemporary(box);
  });
});
