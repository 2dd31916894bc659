/**
 * What does it take to verify an audit log of 1,000,000 entries?
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Vault } from "../mod.ts";
import { type Bench, withFolder } from "./harness.ts";

const COUNT = 1_000_000;
/** Changes of one transaction, and so entries of one commit. */
const BATCH = 50_000;
const SELF = fileURLToPath(import.meta.url);

/** The bench. */
export const bench: Bench = {
  name: "audit_verify",
  question: "opening a vault and verifying its log of 1,000,000 entries, in a process of its own",
  run: async () => {
    if (Deno.build.os !== "linux") return "peak memory is read from /proc";
    return await withFolder(async (folder) => {
      const path = `${folder}/bench.coffer`;
      const keyFile = crypto.getRandomValues(new Uint8Array(32));
      await Deno.writeFile(`${folder}/key`, keyFile);
      await fill(path, keyFile);
      const { length, time, peak } = await verifyApart(path, `${folder}/key`);
      assert.equal(length, COUNT);
      const { size } = await Deno.stat(path);
      return [
        {
          name: "verify, in seconds",
          value: time / 1000,
          atMost: 10,
          detail: `${(COUNT / time).toFixed(0)} entries a millisecond`,
        },
        {
          name: "peak memory, in MB",
          value: peak / 1e6,
          atMost: 500,
          detail: `of the whole process; the file has ${(size / 1e6).toFixed(0)} MB`,
        },
      ];
    });
  },
};

/** A vault of one secret that was described again and again. */
async function fill(path: string, keyFile: Uint8Array): Promise<void> {
  await using vault = await Vault.create(path, { keyFile });
  await vault.secrets.set("app/secret", "value");
  for (let done = await vault.audit.length(); done < COUNT;) {
    const more = Math.min(BATCH, COUNT - done);
    await vault.transaction(({ secrets }) => {
      for (let i = 0; i < more; i++) secrets.describe("app/secret", { note: String(i) });
    });
    done += more;
  }
}

/** Opens a vault and verifies its log in a process of its own. */
async function verifyApart(path: string, keyFile: string): Promise<{ length: number; time: number; peak: number }> {
  const args = ["run", "--no-prompt", "--allow-all", SELF, path, keyFile];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

if (import.meta.main) {
  const keyFile = await Deno.readFile(Deno.args[1]!);
  const start = performance.now();
  await using vault = await Vault.open(Deno.args[0]!, { keyFile });
  const { length } = await vault.audit.verify();
  const time = performance.now() - start;
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await Deno.readTextFile("/proc/self/status"))![1];
  // deno-lint-ignore no-console -- the answer to the process that asked
  console.log(JSON.stringify({ length, time, peak: Number(peak) * 1024 }));
}
