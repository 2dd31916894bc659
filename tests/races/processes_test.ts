/**
 * Processes that change one vault at once, and some that are killed: what was acknowledged is there, once; whoever reads
 * sees what was committed, in order; vault, log and anchor agree at the end.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BusyError } from "../../lib/errors.ts";
import { Vault } from "../../lib/vault.ts";
import { Sandbox } from "../cli/coffer.ts";
import { gather, printedSeed, randomFrom, rejectsWith, withFolder } from "../helpers.ts";
import {
  assertSound,
  count,
  counterOf,
  generations,
  KEY,
  letGo,
  makeVault,
  type Role,
  start,
  startTogether,
  type Worker,
} from "./vault.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const SEED = printedSeed("races");

/** It has no signal that stops a process for a while. */
const WINDOWS = Deno.build.os === "windows";

const tally = { processes: 0, acknowledged: 0, kills: 0, busy: 0 };

async function endedWell(workers: readonly Worker[]): Promise<void> {
  for (const { ended } of workers) {
    const { code, err } = await ended;
    assert.equal(code, 0, err);
  }
  tally.processes += workers.length;
  tally.busy += count(workers, "busy");
}

/** Which processes work at once: from two to sixteen. */
const TEAMS: readonly (readonly Role[])[] = DEEP
  ? [
    ["add", "add"],
    ["add", "add", "add", "read"],
    ["add", "add", "rename", "rename", "slots", "rotate", "backup", "read"],
    [
      "add",
      "add",
      "add",
      "add",
      "add",
      "add",
      "rename",
      "rename",
      "slots",
      "slots",
      "rotate",
      "rotate",
      "backup",
      "backup",
      "read",
      "read",
    ],
  ]
  : [["add", "add"], ["add", "add", "rename", "slots", "rotate", "backup", "read"]];
const TIMES = DEEP ? 60 : 8;

for (const team of TEAMS) {
  Deno.test(`Vault takes every change of ${team.length} processes at once: ${[...new Set(team)].join(", ")}`, () =>
    withFolder(async (folder) => {
      const path = await makeVault(folder);
      const workers = await startTogether(team, path, (role) => role === "read" ? 10 * TIMES : TIMES);
      await endedWell(workers);
      const added = count(workers, "+");
      assert.ok(added > 0, "they get on");
      tally.acknowledged += added;
      assert.equal(await counterOf(path), added, "every increment counts once");
      const [vault, anchor] = await generations(path);
      assert.equal(anchor, vault, "with nobody killed the anchor is level");
      await using open = await Vault.open(path, { keyFile: KEY });
      const moved = await gather(open.audit.entries({ operation: "anchor.move" }));
      assert.deepEqual(moved, [], "nothing came between a commit and its anchor");
      await assertSound(path);
    }));
}

Deno.test("Vault whose processes are killed at any moment holds all they acknowledged, and opens every time", () =>
  withFolder(async (folder) => {
    const random = randomFrom(SEED);
    const path = await makeVault(folder);
    const kills = DEEP ? 1000 : 24;
    const team = 4;
    let acknowledged = 0;
    let inFlight = 0;
    for (let killed = 0; killed < kills; killed += team) {
      const workers = Array.from({ length: team }, () => start("mix", path, 1_000_000));
      await Promise.all(workers.map(async (worker) => {
        // Some die while they start; most while they work.
        if (random() < 0.9) await worker.says("ready");
        await new Promise((resolve) => setTimeout(resolve, random() * 60));
        worker.process.kill("SIGKILL");
        const { signal, err } = await worker.ended;
        if (!WINDOWS) assert.equal(signal, "SIGKILL", err);
      }));
      acknowledged += count(workers, "+");
      inFlight += team;
      const [vault, anchor] = await generations(path);
      assert.ok(anchor <= vault, `the anchor says ${anchor}, the vault is at ${vault}`);
      const found = await counterOf(path);
      assert.ok(found >= acknowledged, `${acknowledged} were acknowledged, ${found} are there`);
      assert.ok(found <= acknowledged + inFlight, `${found} are there, ${acknowledged} acknowledged`);
      // What was in flight is settled now, one way or the other.
      acknowledged = found;
      inFlight = 0;
      tally.kills += team;
    }
    tally.processes += kills;
    tally.acknowledged += acknowledged;
    assert.ok(acknowledged > 0, "they worked before they died");
    await assertSound(path);
  }));

Deno.test(
  "A process that is stopped while it holds the lock makes others time out with exit 5, and goes on when it may",
  { ignore: WINDOWS },
  () =>
    withFolder(async (folder) => {
      const box = new Sandbox(await Deno.realPath(folder));
      const path = await makeVault(folder);
      const key = ["--vault", path, "--keyfile", box.file("key", KEY)];
      const holder = start("hold", path, 1);
      await holder.says("holding");
      holder.process.kill("SIGSTOP");
      await box.fails(["set", "late", "--value", "v", "--timeout", "0.2", ...key], "busy", 5);
      await box.fails(["get", "counter", "--timeout", "0.2", ...key], "busy", 5);
      const error = await rejectsWith(() => Vault.open(path, { keyFile: KEY, timeout: 50 }), "busy");
      assert.ok(error instanceof BusyError && error.exitCode === 5);
      // Those that wait longer than it is stopped get their turn, all of them.
      const waiting = Array.from({ length: DEEP ? 14 : 3 }, () => start("add", path, 2));
      const impatient = start("add", path, 1, { timeout: 100 });
      holder.process.kill("SIGCONT");
      await letGo(holder);
      await endedWell([holder, ...waiting]);
      await impatient.ended;
      const added = count([holder, ...waiting, impatient], "+");
      assert.equal(await counterOf(path), added);
      assert.ok(added >= 1 + 2 * waiting.length);
      assert.equal((await box.ok(["get", "counter", ...key])).out, `${added}`);
      await assertSound(path);
    }),
);

Deno.test("Processes that are stopped and go on, at any moment, lose nothing and keep nobody out for good", {
  ignore: WINDOWS,
}, () =>
  withFolder(async (folder) => {
    const random = randomFrom(SEED + 1);
    const path = await makeVault(folder);
    const workers = Array.from({ length: DEEP ? 8 : 3 }, () => start("add", path, DEEP ? 100 : 8));
    let running = workers.length;
    for (const { ended } of workers) void ended.then(() => running--);
    await Promise.all(workers.map(({ says }) => says("ready")));
    for (let round = 0; running > 0 && round < 500; round++) {
      const { process } = workers[Math.floor(random() * workers.length)]!;
      try {
        process.kill("SIGSTOP");
        await new Promise((resolve) => setTimeout(resolve, random() * 30));
        process.kill("SIGCONT");
      } catch (error) {
        // It had ended before.
        if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 10));
    }
    await endedWell(workers);
    assert.equal(await counterOf(path), count(workers, "+"));
    await assertSound(path);
  }));

globalThis.addEventListener("unload", () => {
  // deno-lint-ignore no-console
  console.info(
    `races: ${tally.processes} processes, ${tally.kills} killed, ${tally.acknowledged} acknowledged increments, ` +
      `${tally.busy} time-outs, seed ${SEED}`,
  );
});
