import assert from "node:assert/strict";
import { forgeMeta, wiped } from "../backup/damage.ts";
import { finish, type Sandbox, sandbox } from "./coffer.ts";

const PAGE = 4096;
const ROUNDS = Deno.env.get("COFFER_DEEP") === "1" ? 60 : 6;

async function build(box: Sandbox): Promise<Uint8Array<ArrayBuffer>> {
  // An anchor would tell that the version was acknowledged whose page is wiped here.
  await box.init("--no-recovery", "--no-anchor");
  await box.ok(["set", "kept", "--value", "v", ...box.key]);
  await box.ok(["set", "a", "--value", "old", ...box.key]);
  await box.ok(["set", "a", "--value", "hunter2", ...box.key]);
  return Deno.readFileSync(box.vault);
}

/** The file as it was kept, which is private. */
function kept(box: Sandbox): string[] {
  const names = [...Deno.readDirSync(box.folder)].map(({ name }) => name).filter((name) => name.includes(".damaged-"));
  for (const name of names) assert.equal(Deno.statSync(box.path(name)).mode! & 0o777, 0o600);
  return names;
}

Deno.test("coffer repair says what it would do with exit code 6, and with --older does it", async () => {
  await sandbox(async (box) => {
    const bytes = await build(box);
    assert.match((await box.ok(["repair", ...box.key])).out, /^nothing is wrong/);
    Deno.writeFileSync(box.vault, await forgeMeta(bytes, 60));
    const { code, out, err } = await box.run(["repair", ...box.key]);
    assert.equal(code, 6);
    assert.match(out, /^damaged: generation 4 cannot be read; 3 can\nlost: changed a\nlost in all: 1 secret that/m);
    assert.match(err, /coffer repair --older/);
    assert.doesNotMatch(out + err, /hunter2/);
    assert.match(
      (await box.ok(["repair", "--older", "--dry-run", ...box.key])).out,
      /would fall back .*; nothing was done\n$/,
    );
    const json = await box.run(["repair", "--json", ...box.key]);
    assert.equal(json.code, 6);
    assert.deepEqual(JSON.parse(json.out).loss.secrets, [{ name: "a", change: "changed" }]);
    assert.deepEqual(kept(box), []);
    assert.match(
      (await box.ok(["repair", "--older", ...box.key])).out,
      /^repaired: generation \d+\nthe file as it was is kept: /m,
    );
    assert.equal(kept(box).length, 1);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "old");
    assert.equal((await box.ok(["check", "--deep", ...box.key])).out.split("\n").at(-2), "ok");
    const document = await box.json(["repair", ...box.key]);
    assert.deepEqual([document.state, document.repaired, document.dryRun], ["sound", false, false]);
  });
});

Deno.test("coffer repair heals a wiped meta page, and refuses what cannot be read at all", async () => {
  await sandbox(async (box) => {
    const bytes = await build(box);
    Deno.writeFileSync(box.vault, wiped(bytes, 1));
    assert.match((await box.ok(["repair", "--dry-run", ...box.key])).out, /^torn: .*\nwould commit once/m);
    assert.equal((await box.json(["repair", ...box.key])).repaired, true);
    assert.equal((await box.json(["status"])).recovered, false);
    const whole = Deno.readFileSync(box.vault);
    box.damaged = true;
    Deno.writeFileSync(box.vault, whole.slice(0, 2 * PAGE));
    const { err } = await box.fails(["repair", "--older", ...box.key], "truncated-vault", 6);
    assert.match(err, /coffer salvage OUT/);
  });
});

Deno.test("A coffer repair that is killed leaves the damaged vault or the repaired one, and the next one ends it", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: "v".repeat(4_000_000) });
    await box.ok(["set", "a", "--value", "new", ...box.key]);
    const damaged = await forgeMeta(Deno.readFileSync(box.vault), 60);
    for (let round = 0; round < ROUNDS; round++) {
      Deno.writeFileSync(box.vault, damaged, { mode: 0o600 });
      const child = box.spawn(["repair", "--older", ...box.key]);
      let done = false;
      const result = finish(child).finally(() => done = true);
      const count = () => [...Deno.readDirSync(box.folder)].length;
      // Killed when the temporary file shows, and a little later from round to round.
      const before = count();
      while (!done && count() === before) await new Promise((resolve) => setTimeout(resolve, 0));
      await new Promise((resolve) => setTimeout(resolve, round * 4));
      try {
        child.kill("SIGKILL");
      } catch { /* It was done before. */ }
      await result;
      const found = Deno.readFileSync(box.vault);
      if (found.length === damaged.length && found.every((byte, index) => byte === damaged[index])) {
        await box.ok(["repair", "--older", ...box.key]);
      } else await box.ok(["check", ...box.key]);
      assert.equal((await box.ok(["get", "large", ...box.key])).out.length, 4_000_000);
      for (const name of kept(box)) {
        assert.deepEqual(Deno.readFileSync(box.path(name)).length, damaged.length);
        Deno.removeSync(box.path(name));
      }
      for (const { name } of Deno.readDirSync(box.folder)) {
        if (name.endsWith(".tmp")) Deno.removeSync(box.path(name));
      }
    }
  });
});

Deno.test("coffer repair calls an older copy what it is, with exit code 7 and the way on", async () => {
  await sandbox(async (box) => {
    await box.init();
    const first = Deno.readFileSync(box.vault);
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    const older = Deno.readFileSync(box.vault);
    await box.ok(["set", "a", "--value", "2", ...box.key]);
    const newest = Deno.readFileSync(box.vault);
    Deno.writeFileSync(box.vault, first);
    const ambiguous = await box.run(["repair", ...box.key]);
    assert.equal(ambiguous.code, 6);
    assert.match(ambiguous.out, /^problem: generation 3 is known of: its page is wiped, or this is an older copy$/m);
    Deno.writeFileSync(box.vault, older);
    for (const flags of [[], ["--older"], ["--dry-run"]]) {
      const { code, out, err } = await box.run(["repair", ...flags, ...box.key]);
      assert.equal(code, 7);
      assert.match(out, /^problem: The vault went back from generation 3 to 2\n/);
      assert.match(err, /put the newest vault back; .*restore a newer backup, .*coffer anchor trust/s);
    }
    const json = await box.run(["repair", "--json", ...box.key]);
    assert.deepEqual(JSON.parse(json.out), {
      path: "vault.coffer",
      dryRun: false,
      state: "refused",
      repaired: false,
      generation: 2,
      problems: ["The vault went back from generation 3 to 2"],
    });
    assert.equal(JSON.parse(json.err).error.code, "rollback-detected");
    assert.deepEqual(Deno.readFileSync(box.vault), older);
    Deno.writeFileSync(box.vault, newest);
    assert.equal((await box.json(["repair", ...box.key])).state, "sound");
  });
});
