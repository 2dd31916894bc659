/**
 * Several processes at one vault and one anchor, some of them killed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { inspectAnchor } from "../lib/sealed/anchor.ts";
import { Vault } from "../lib/vault.ts";
import { auditLog } from "./audit_log.ts";
import { CHEAP_KDF, checkWhole, PASSPHRASE, withFolder } from "./helpers.ts";

const DEEP = Deno.env.get("COFFER_DEEP") === "1";
const INCREMENT = new URL("increment.ts", import.meta.url).pathname;

function increment(path: string, times: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", INCREMENT, path, PASSPHRASE, `${times}`],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** What the vault and the anchor say is the newest. */
async function generations(path: string): Promise<[vault: number, anchor: number]> {
  const records = inspectAnchor(await Deno.readFile(`${path}.anchor`), "");
  return [(await Vault.inspect(path)).generation, Math.max(...records.map(({ generation }) => generation))];
}

async function made(folder: string): Promise<string> {
  const path = `${folder}/app.coffer`;
  await using vault = await Vault.create(path, { passphrase: PASSPHRASE, ...CHEAP_KDF });
  await vault.secrets.set("counter", "0");
  return path;
}

async function counter(path: string): Promise<number> {
  await using vault = await Vault.open(path, { passphrase: PASSPHRASE });
  return Number(await vault.secrets.getText("counter"));
}

Deno.test("Vault and anchor are level after eight processes changed it at once, and no entry is missing", () =>
  withFolder(async (folder) => {
    const path = await made(folder);
    const times = DEEP ? 100 : 10;
    const outputs = await Promise.all(Array.from({ length: 8 }, () => increment(path, times).output()));
    for (const { code, stderr } of outputs) assert.equal(code, 0, new TextDecoder().decode(stderr));
    const [vault, anchor] = await generations(path);
    assert.deepEqual([vault, anchor, await counter(path)], [2 + 8 * times, 2 + 8 * times, 8 * times]);
    const log = await auditLog(path);
    assert.equal(log.length, 2 + 8 * times);
    assert.ok(log.every(({ operation }) => operation !== "anchor.move"), "nothing came in between");
    await checkWhole(path);
  }));

Deno.test("Vault that two processes change without a pause is read and changed by others all the same", () =>
  withFolder(async (folder) => {
    const path = await made(folder);
    const writers = [increment(path, 1_000_000), increment(path, 1_000_000)];
    const outputs = writers.map((writer) => writer.output());
    try {
      const [start] = await generations(path);
      while ((await generations(path))[0] < start + 50) await new Promise((resolve) => setTimeout(resolve, 5));
      for (let round = 0; round < 5; round++) {
        await Vault.inspect(path, { timeout: 15_000 });
        await using vault = await Vault.open(path, { passphrase: PASSPHRASE, timeout: 15_000 });
        await vault.secrets.set(`other-${round}`, "1");
      }
    } finally {
      for (const writer of writers) writer.kill("SIGKILL");
      await Promise.all(outputs);
    }
    await checkWhole(path);
  }));

Deno.test("Vault whose writers are killed always opens, and its anchor is never ahead", () =>
  withFolder(async (folder) => {
    const path = await made(folder);
    let before = 0;
    for (let round = 0; round < (DEEP ? 100 : 6); round++) {
      const writers = [increment(path, 100_000), increment(path, 100_000)];
      const outputs = writers.map((writer) => writer.output());
      // They work once the counter moves; then they die at any moment.
      const [start] = await generations(path);
      while ((await generations(path))[0] === start) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      for (const writer of writers) writer.kill("SIGKILL");
      await Promise.all(outputs);
      const [vault, anchor] = await generations(path);
      assert.ok(anchor <= vault, `round ${round}: the anchor says ${anchor}, the vault is at ${vault}`);
      const now = await counter(path);
      assert.ok(now > before, "what was there stays");
      before = now;
    }
    await (await increment(path, 1).output());
    const [vault, anchor] = await generations(path);
    assert.equal(anchor, vault, "the next change moves the anchor up");
    assert.equal((await auditLog(path)).filter(({ operation }) => operation === "secret.set").length, before + 2);
    await checkWhole(path);
  }));
