import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "./coffer.ts";
import { killed, sweepTemporary } from "./kill.ts";

const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 60 : 6;
const AGE = ["age", "age-keygen"].every(hasProgram);

function hasProgram(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** The value of `a` in each file of a name and its numbers, from the newest on, as far as they are there. */
async function values(box: Sandbox, name: string): Promise<string[]> {
  const found: string[] = [];
  for (let number = 0; number < 10; number++) {
    const path = number === 0 ? name : `${name}.${number}`;
    try {
      Deno.statSync(box.path(path));
    } catch {
      continue;
    }
    await box.ok(["check", "--vault", path, ...box.key]);
    found.push((await box.ok(["get", "a", "--vault", path, ...box.key])).out);
  }
  return found;
}

Deno.test("coffer backup writes a private file that get, ls, check and status read, and set refuses", async () => {
  await sandbox(async (box) => {
    await box.init("--recovery-out", box.path("code"));
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    const document = await box.json(["backup", "b", ...box.key]);
    const { size, mode } = Deno.statSync(box.path("b"));
    assert.deepEqual(document, { file: "b", generation: 3, size });
    assert.equal(mode! & 0o777, 0o600);
    const at = ["--vault", "b"];
    assert.equal((await box.ok(["get", "a", ...at, ...box.key])).out, "1");
    assert.equal((await box.ok(["get", "a", ...at, "--recovery-file", "code"])).out, "1");
    assert.equal((await box.ok(["ls", ...at, ...box.key])).out, "a\n");
    await box.ok(["check", ...at, ...box.key]);
    await box.ok(["recovery", "verify", ...at, "--recovery-file", "code"]);
    assert.equal((await box.json(["status", ...at])).backup, true);
    assert.equal((await box.json(["status"])).backup, false);
    assert.match((await box.ok(["status", ...at])).out, /^backup: +yes/m);
    for (const change of [["set", "a", "--value", "2"], ["rotate"], ["recovery", "new"]]) {
      await box.fails([...change, ...at, ...box.key], "backup-read-only", 11);
    }
  });
});

Deno.test("coffer backup replaces a file only when told, and never a vault or its anchor", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    await box.ok(["backup", "b", ...box.key]);
    await box.fails(["backup", "b", ...box.key], "file-exists", 10);
    await box.ok(["set", "a", "--value", "2", ...box.key]);
    await box.ok(["backup", "b", "--overwrite", ...box.key]);
    assert.deepEqual(await values(box, "b"), ["2"]);
    await box.fails(["backup", "b", "--overwrite", "--keep", "2", ...box.key], "usage", 2);
    await box.ok(["init", "--vault", "other", "--keyfile", "key", "--no-recovery"]);
    Deno.linkSync(box.vault, box.path("kept.1"));
    const before = ["vault.coffer", "vault.coffer.anchor", "other"].map((name) => Deno.readFileSync(box.path(name)));
    for (const flags of [["--overwrite"], ["--keep", "2"]]) {
      await box.fails(["backup", "vault.coffer", ...flags, ...box.key], "usage", 2);
      await box.fails(["backup", "vault.coffer.anchor", ...flags, ...box.key], "usage", 2);
      await box.fails(["backup", "other", ...flags, ...box.key], "file-exists", 10);
    }
    await box.fails(["backup", "kept", "--keep", "2", ...box.key], "usage", 2);
    const after = ["vault.coffer", "vault.coffer.anchor", "other"].map((name) => Deno.readFileSync(box.path(name)));
    assert.deepEqual(after, before);
  });
});

Deno.test("coffer backup --keep keeps so many older ones under their numbers", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (let round = 1; round <= 5; round++) {
      await box.ok(["set", "a", "--value", `${round}`, ...box.key]);
      await box.ok(["backup", "b", "--keep", "2", ...box.key]);
      assert.deepEqual(await values(box, "b"), [5, 4, 3, 2, 1].map(String).slice(5 - round, 8 - round));
    }
    // Up to a free name only: nothing goes as long as there is room.
    Deno.removeSync(box.path("b.1"));
    await box.ok(["set", "a", "--value", "6", ...box.key]);
    await box.ok(["backup", "b", "--keep", "2", ...box.key]);
    assert.deepEqual(await values(box, "b"), ["6", "5", "3"]);
    Deno.renameSync(box.path("b.1"), box.path("b.3"));
    await box.ok(["backup", "b", "--keep", "3", ...box.key]);
    assert.deepEqual(await values(box, "b"), ["6", "6", "3", "5"]);
  });
});

Deno.test("A coffer backup --keep that is killed leaves whole backups, always one under the first name", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "x".repeat(2_000_000) });
    await box.ok(["set", "a", "--value", "0", ...box.key]);
    await box.ok(["backup", "b", "--keep", "2", ...box.key]);
    for (let round = 1; round <= ROUNDS; round++) {
      await box.ok(["set", "a", "--value", `${round}`, ...box.key]);
      const { code } = await killed(box, ["backup", "b", "--keep", "2", ...box.key], round % 2 === 1);
      const [newest, ...older] = await values(box, "b");
      assert.ok(Deno.statSync(box.path("b")).isFile);
      if (code === 0) assert.equal(newest, `${round}`);
      for (const value of older) assert.ok(Number(value) <= Number(newest), `${older} behind ${newest}`);
    }
    sweepTemporary(box);
  });
});

Deno.test({
  name: "coffer backup --to makes a file that the age program opens, and restore takes it with the identity",
  ignore: !AGE,
  fn: () =>
    sandbox(async (box) => {
      await box.init();
      await box.ok(["set", "a", "--value", "1", ...box.key]);
      const recipients = ["id", "id2"].map((name) => {
        age("age-keygen", ["-o", box.path(name)]);
        return age("age-keygen", ["-y", box.path(name)]).trim();
      });
      const to = recipients.flatMap((recipient) => ["--to", recipient]);
      const { err } = await box.ok(["backup", "b.age", ...to, ...box.key]);
      assert.match(err, /warning: .*age identity and a credential/);
      for (const name of ["id", "id2"]) {
        age("age", ["-d", "-i", box.path(name), "-o", box.path(`${name}.dec`), box.path("b.age")]);
        Deno.chmodSync(box.path(`${name}.dec`), 0o600);
        assert.equal((await box.ok(["get", "a", "--vault", `${name}.dec`, ...box.key])).out, "1");
      }
      await box.ok(["set", "a", "--value", "2", ...box.key]);
      const restore = ["restore", "b.age", "--rollback", ...box.key];
      await box.fails(restore, "no-credential", 4);
      await box.fails([...restore, "--identity", "none"], "file-not-found", 3);
      await box.fails([...restore, "--identity", box.file("bad", "AGE-SECRET-KEY-1X\n")], "malformed-credential", 4);
      age("age-keygen", ["-o", box.path("other")]);
      await box.fails([...restore, "--identity", "other"], "wrong-credential", 4);
      const sealed = Deno.readFileSync(box.path("b.age"));
      box.file("cut.age", sealed.slice(0, sealed.length - 100));
      await box.fails(["restore", "cut.age", "--identity", "id", ...box.key], "wrong-credential", 4);
      await box.ok([...restore, "--identity", "id2"]);
      assert.equal((await box.ok(["get", "a", ...box.key])).out, "1");
      // Made by age itself, as text.
      age("age", ["-a", "-r", recipients[0]!, "-o", box.path("armored"), box.path("id.dec")]);
      await box.ok(["restore", "armored", "--rollback", "--identity", "id", ...box.key]);
    }),
});

Deno.test("coffer backup --to refuses what is no recipient, and does not repeat it", async () => {
  await sandbox(async (box) => {
    await box.init();
    const secret = "AGE-SECRET-KEY-1QQQQQ";
    const { err } = await box.fails(["backup", "b", "--to", secret, ...box.key], "usage", 2);
    assert.ok(!err.includes(secret));
    assert.throws(() => Deno.statSync(box.path("b")), Deno.errors.NotFound);
  });
});

function age(program: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args: [...args] }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
