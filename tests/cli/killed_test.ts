import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";
import { killed } from "./kill.ts";

const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 50 : 6;
const PASSPHRASE = "hunter2 hunter2 hunter2";

function namesIn(box: Sandbox): string[] {
  return [...Deno.readDirSync(box.folder)].map(({ name }) => name).sort();
}

/** Temporary files that are left behind; each is hidden, and private. */
function leftovers(box: Sandbox): string[] {
  const names = namesIn(box).filter((name) => name.endsWith(".tmp") || name.endsWith(".new"));
  for (const name of names) {
    assert.equal(name[0], ".");
    assert.equal(Deno.statSync(box.path(name)).mode! & 0o777, 0o600);
  }
  return names;
}

function holds(box: Sandbox, name: string, secret: string): boolean {
  return new TextDecoder("latin1").decode(Deno.readFileSync(box.path(name))).includes(secret);
}

Deno.test("A coffer init that is killed leaves no vault or a whole one, and no secret beside it", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", PASSPHRASE)];
    for (let round = 0; round < ROUNDS; round++) {
      const { out, code } = await killed(box, ["init", ...pass, ...WEAK], round % 2 === 1);
      const recovery = out.trim();
      const made = namesIn(box).includes("vault.coffer");
      for (const name of leftovers(box)) {
        for (const secret of recovery === "" ? [PASSPHRASE] : [PASSPHRASE, recovery, recovery.slice(0, 20)]) {
          assert.ok(!holds(box, name, secret), `${name} holds a secret`);
        }
        // The anchor of a vault that was killed before it could give the anchor its name: it belongs to the vault.
        if (!made || name.endsWith(".tmp")) Deno.removeSync(box.path(name));
      }
      if (code === 0) assert.ok(made, "an acknowledged vault is there");
      if (made) {
        await box.ok(["check", ...pass]);
        assert.equal(recovery.split(" ").length, 24, "there is no vault whose code nobody has seen");
        await box.ok(["ls", "--recovery-file", box.file("code", recovery)]);
        await box.fails(["init", ...pass, ...WEAK], "vault-exists", 10);
      } else await box.ok(["init", ...pass, ...WEAK]);
      await box.ok(["set", "a", "--value", "1", ...pass]);
      assert.equal((await box.json(["anchor", "status", ...pass])).state, "level", "the anchor has its name");
      Deno.removeSync(box.vault);
      Deno.removeSync(`${box.vault}.anchor`);
    }
  });
});

Deno.test("A coffer init that is killed leaves no key or recovery code that the next one does not take away", async () => {
  await sandbox(async (box) => {
    const init = ["init", "--new-keyfile", box.path("key"), "--recovery-out", box.path("code")];
    for (let round = 0; round < ROUNDS; round++) {
      await killed(box, init, round % 2 === 1);
      const names = namesIn(box);
      if (names.includes("vault.coffer")) {
        await box.ok(["check", ...box.key]);
        await box.ok(["ls", "--recovery-file", box.path("code")]);
      }
      // A key file is whole as soon as it has its name.
      if (names.includes("key")) assert.match(Deno.readTextFileSync(box.path("key")), /^COFFER-KEYFILE-1\n\S+\n$/);
      leftovers(box);
      await box.ok(["init", "--vault", "other", "--new-keyfile", box.path("other-key"), "--no-recovery"]);
      for (const name of leftovers(box)) {
        assert.ok(!holds(box, name, "COFFER-KEYFILE"), `${name} holds a key`);
        assert.ok(!/^([a-z]+ ){23}[a-z]+\n$/.test(Deno.readTextFileSync(box.path(name))), `${name} holds a code`);
      }
      for (const name of namesIn(box)) Deno.removeSync(box.path(name));
    }
  });
});

Deno.test("A coffer key add that is killed leaves no key in force that nobody has seen", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["user", "add", "alice", "--role", "read", "--no-password", ...box.key]);
    let known = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { out } = await killed(box, ["key", "add", "alice", ...box.key], round % 2 === 1, 250);
      const keys = await box.json(["key", "ls", ...box.key]);
      if (keys.length === known) continue;
      known++;
      assert.equal(keys.length, known);
      await box.ok(["key", "check", "--file", box.file("seen", out), ...box.key]);
    }
  });
});

Deno.test("A coffer get --out that is killed leaves a whole file or none, and the next one takes its rest away", async () => {
  await sandbox(async (box) => {
    await box.init();
    const value = "hunter2!".repeat(1024 * 1024);
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: value });
    await box.ok(["set", "small", "--value", "v", ...box.key]);
    for (let round = 0; round < ROUNDS; round++) {
      const flags = round % 3 === 2 ? ["--overwrite"] : [];
      if (flags.length > 0) box.file("out", "old");
      await killed(box, ["get", "large", "--out", "out", ...flags, ...box.key], round % 4 > 0);
      if (namesIn(box).includes("out")) {
        const contents = Deno.readTextFileSync(box.path("out"));
        assert.ok(contents === value || (flags.length > 0 && contents === "old"), `found ${contents.length} bytes`);
        Deno.removeSync(box.path("out"));
      }
      leftovers(box);
      await box.ok(["get", "small", "--out", "other", "--overwrite", ...box.key]);
      assert.deepEqual(leftovers(box).filter((name) => Deno.statSync(box.path(name)).size > 0), []);
      for (const name of leftovers(box)) Deno.removeSync(box.path(name));
    }
  });
});

Deno.test("coffer get --out takes away what a killed process left, and nothing else", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    const name = (digit: string) => `.coffer.00000000-0000-4000-8000-00000000000${digit}.tmp`;
    const lost = box.file(name("1"), "hunter2");
    const kept = [box.file(name("2"), "being written"), box.file(name("3"), ""), box.file(".coffer.mine.tmp", "mine")];
    {
      using file = Deno.openSync(kept[0]!, { write: true });
      file.lockSync(true);
      await box.ok(["get", "a", "--out", "one", ...box.key]);
    }
    assert.throws(() => Deno.statSync(lost), Deno.errors.NotFound);
    for (const file of kept) Deno.removeSync(file);
  });
});

Deno.test("coffer processes that write into one folder at once do not disturb each other", async () => {
  await sandbox(async (box) => {
    await box.init();
    const value = "v".repeat(1024 * 1024);
    await box.ok(["set", "a", "--stdin", ...box.key], { stdin: value });
    const names = Array.from({ length: 8 }, (_, index) => `out-${index}`);
    await Promise.all(names.map((name) => box.ok(["get", "a", "--out", name, ...box.key])));
    await Promise.all(names.map(() => box.ok(["get", "a", "--out", "same", "--overwrite", ...box.key])));
    for (const name of [...names, "same"]) assert.equal(Deno.readTextFileSync(box.path(name)), value);
    const codes = await Promise.all(names.map(() => box.run(["get", "a", "--out", "once", ...box.key])));
    assert.deepEqual(codes.map(({ code }) => code).sort(), [0, 10, 10, 10, 10, 10, 10, 10]);
  });
});
