/**
 * One process that commits again and again: the file stays in proportion to what it holds, memory does not grow, no handle is
 * left, and how long a commit takes does not depend on how many there were. Times are told, not judged.
 *
 * @module
 */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, checkWhole, PASSPHRASE, printedSeed, randomFrom, withFolder } from "./helpers.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const SEED = printedSeed("soak");
const COMMITS = DEEP ? 200_000 : 2_000;
/** What commits are averaged over, at the start and at the end. */
const SAMPLE = DEEP ? 1000 : 200;
const NAMES = 40;
/** What a file may have beyond three times its data. */
const FREE = 1024 * 1024;
/** How often memory is looked at. */
const LOOKS = 20;
/** What the heap may grow by, while the log in the file does. */
const HEAP_GROWTH = 16 * 1024 * 1024;

/** Bytes of what is still reachable. The engine leaves garbage for minutes where there is memory enough, so it is told not to. */
function liveHeap(): number {
  v8.setFlagsFromString("--expose-gc");
  (vm.runInNewContext("gc") as () => void)();
  return Deno.memoryUsage().heapUsed;
}

/** The files of a folder that this process has open, those that were replaced too; undefined where that cannot be told. */
async function openFiles(folder: string): Promise<string[] | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { stdout } = await new Deno.Command("ls", { args: ["-l", `/proc/${Deno.pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(folder));
}

/** Bytes of the vault's data, reckoned without looking at the file: every version of every value, and the log. */
async function dataOf(vault: Vault): Promise<number> {
  let size = 0;
  for (const info of await vault.secrets.list()) {
    size += JSON.stringify(info).length;
    for (const version of await vault.secrets.history(info.name)) size += 60 + Math.ceil(version.size * 4 / 3);
  }
  for await (const entry of vault.audit.entries()) size += JSON.stringify(entry).length;
  return size;
}

function mean(times: readonly number[]): number {
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

Deno.test(`Vault stays in proportion over ${COMMITS} commits of one process`, () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const random = randomFrom(SEED);
    const times: number[] = [];
    const heaps: number[] = [];
    let largest = 0;
    const values = new Map<string, string>();
    {
      await using vault = await Vault.create(path, { passphrase: PASSPHRASE, ...CHEAP_KDF });
      for (let commit = 0; commit < COMMITS; commit++) {
        const name = `name/${Math.floor(random() * NAMES)}`;
        const value = `${commit} `.repeat(1 + Math.floor(random() * 60));
        const start = performance.now();
        await vault.secrets.set(name, value);
        times.push(performance.now() - start);
        values.set(name, value);
        if (commit % 97 === 0) {
          await vault.secrets.delete(name);
          values.delete(name);
        }
        if (commit % 100 === 99) {
          const { usage: { total, live } } = await vault.status();
          largest = Math.max(largest, total / live);
          assert.ok(total <= 3 * live + FREE, `after ${commit} commits ${total} bytes, ${live} of them live`);
        }
        if ((commit + 1) % (COMMITS / LOOKS) === 0) heaps.push(liveHeap());
      }
      const open = await openFiles(folder);
      assert.ok(open === undefined || (open.length >= 1 && open.length <= 3), `open are ${open}`);
      const { size } = await Deno.stat(path);
      const data = await dataOf(vault);
      assert.ok(size <= 3 * data + FREE, `the file has ${size} bytes, its data ${data}`);
      const [heapBefore, heapAfter] = [heaps[0]!, Math.max(...heaps)];
      assert.ok(heapAfter <= heapBefore + HEAP_GROWTH, `the heap went from ${heapBefore} to ${heapAfter} bytes`);
      const [first, last] = [mean(times.slice(0, SAMPLE)), mean(times.slice(-SAMPLE))];
      // deno-lint-ignore no-console
      console.info(
        `soak: ${COMMITS} commits, file ${size} bytes for ${data} of data (${(size / data).toFixed(2)}), at most ` +
          `${largest.toFixed(2)} times what was live; heap ${mebibytes(heapBefore)} to ${mebibytes(heapAfter)} MiB; ` +
          `a commit ${first.toFixed(2)} ms at first, ${last.toFixed(2)} ms at last (${(last / first).toFixed(2)})`,
      );
      assert.equal((await vault.audit.verify()).length, await vault.audit.length());
      for (const [name, value] of values) assert.equal(await vault.secrets.getText(name), value);
      assert.equal((await vault.secrets.list()).length, values.size);
    }
    assert.deepEqual(await openFiles(folder) ?? [], [], "no file stays open");
    await checkWhole(path);
  }));

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
