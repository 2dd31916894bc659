import assert from "node:assert/strict";
import { finish, sandbox, WEAK } from "./coffer.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";

Deno.test("Of several coffer inits racing for one path exactly one wins, the others exit 10", async () => {
  await sandbox(async (box) => {
    for (let round = 0; round < (DEEP ? 20 : 3); round++) {
      const vault = ["--vault", box.path(`race-${round}`)];
      const results = await Promise.all(
        Array.from(
          { length: 4 },
          (_, index) =>
            box.run(["init", ...vault, ...WEAK, "--passphrase-file", box.file(`pass-${index}`, `${index}`)]),
        ),
      );
      const winners = results.map(({ code }) => code).filter((code) => code === 0);
      assert.deepEqual(results.map(({ code }) => code).sort((a, b) => a - b), [0, 10, 10, 10]);
      assert.equal(winners.length, 1);
      const winner = results.findIndex(({ code }) => code === 0);
      const opens = ["--passphrase-file", box.path(`pass-${winner}`)];
      await box.ok(["check", ...vault, ...opens]);
      // The code that the winner printed is the code of the vault that is there.
      await box.ok(["ls", ...vault, "--recovery-file", box.file("code", results[winner]!.out)]);
    }
  });
});

Deno.test("Of several coffer inits racing for one new key file all use the same one", async () => {
  await sandbox(async (box) => {
    const key = ["--new-keyfile", box.path("key"), "--no-recovery"];
    const vaults = Array.from({ length: 4 }, (_, index) => ["--vault", box.path(`vault-${index}`)]);
    await Promise.all(vaults.map((vault) => box.ok(["init", ...vault, ...key])));
    for (const vault of vaults) await box.ok(["check", ...vault, ...box.key]);
  });
});

Deno.test("No set of several coffer processes at once is lost", async () => {
  await sandbox(async (box) => {
    await box.init();
    const names = Array.from({ length: DEEP ? 64 : 12 }, (_, index) => `name-${index}`);
    // So many processes want more time than any of them would wait by itself.
    const patient = [...box.key, "--timeout", "3600"];
    await Promise.all(names.flatMap((name) => [
      box.ok(["set", name, "--value", name, ...patient]),
      box.ok(["set", "shared", "--value", name, ...patient]),
      box.ok(["ls", ...patient]),
    ]));
    for (const name of names) assert.equal((await box.ok(["get", name, ...box.key])).out, name);
    const [newest] = (await box.json(["history", "shared", ...box.key])).versions;
    assert.equal(newest.version, names.length, "every set made its version");
  });
});

Deno.test("A coffer killed in the middle of a set leaves the old value or the new one, in a sound vault", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "0", ...box.key]);
    let acknowledged = 0;
    for (let n = 1; n <= (DEEP ? 200 : 15); n++) {
      const child = box.spawn(["set", "a", "--json", "--value", `${n}`, ...box.key]);
      const kill = setTimeout(() => killIfAlive(child), Math.random() * 60);
      const { code } = await finish(child);
      clearTimeout(kill);
      await box.ok(["check", ...box.key]);
      const value = Number((await box.ok(["get", "a", ...box.key])).out);
      assert.ok(value === acknowledged || value === n, `found ${value} after ${acknowledged}, while setting ${n}`);
      if (code === 0) assert.equal(value, n, "an acknowledged value stays");
      acknowledged = value;
    }
  });
});

Deno.test("Eight coffer processes that change, rotate, restore and back up at once all succeed", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "0", ...box.key]);
    await box.ok(["backup", "b", ...box.key]);
    const commands = (n: number) => [
      ["rotate", "--no-recovery", "--drop-others"],
      ["set", "a", "--value", `${n}`],
      ["restore", "b", "--rollback", "--yes"],
      ["get", "a"],
      ["slot", "add", "--kind", "recovery", "--out", `code-${n}`],
      ["policy", "set", "max-secret-age", `${n + 1}`],
      ["backup", `b-${n}`],
      ["audit", "--json"],
    ];
    for (let round = 0; round < (DEEP ? 30 : 2); round++) {
      const results = await Promise.all(
        commands(round).map(async (args) => {
          const { code, err } = await box.run([...args, ...box.key]);
          return { args, code, err };
        }),
      );
      for (const { args, code, err } of results) assert.equal(code, 0, `${args.join(" ")}: ${err}`);
      assert.match((await box.ok(["get", "a", ...box.key])).out, /^\d+$/);
      assert.equal((await box.json(["anchor", "status", ...box.key])).state, "level");
      await box.ok(["check", "--deep", ...box.key]);
      await box.ok(["audit", "--verify", ...box.key]);
    }
  });
});

function killIfAlive(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}
