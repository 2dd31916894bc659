/**
 * How much memory do 100,000 open secrets take?
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, withFolder, withSecrets } from "./harness.ts";

const COUNT = 100_000;
const SELF = fileURLToPath(import.meta.url);

/** The bench. */
export const bench: Bench = {
  name: "memory",
  question: "peak memory of a process with 100,000 secrets open, less that of one with none, against their JSON",
  run: async () => {
    if (Deno.build.os !== "linux") return "peak memory is read from /proc";
    return await withFolder((empty) =>
      withSecrets(COUNT, async ({ vault, folder, path, keyFile }) => {
        await (await Vault.create(`${empty}/empty.coffer`, { keyFile })).close();
        await Deno.writeFile(`${folder}/key`, keyFile);
        const peakOf = async (file: string, count: number) => {
          const [secrets, peak] = await openApart(file, `${folder}/key`);
          assert.equal(secrets, count);
          return peak;
        };

        const json = await jsonSize(vault);
        const peaks = await interleaved(5, {
          full: () => peakOf(path, COUNT),
          empty: () => peakOf(`${empty}/empty.coffer`, 0),
        });
        const used = peaks.full - peaks.empty;
        const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
        return [{
          name: "peak memory / JSON",
          value: used / json,
          atMost: 4,
          detail: `(${mb(peaks.full)} - ${mb(peaks.empty)}) / ${mb(json)}`,
        }];
      })
    );
  },
};

/** Size of the secrets as JSON: what is known of each, and its value. */
async function jsonSize(vault: Vault): Promise<number> {
  return await vault.transaction((tx) => {
    const all = tx.secrets.list().map((info) => ({ ...info, value: tx.secrets.getText(info.name) }));
    assert.equal(all.length, COUNT);
    return new TextEncoder().encode(JSON.stringify(all)).length;
  });
}

/** Opens a vault in a process of its own; gives the number of secrets and the peak of its memory in bytes. */
async function openApart(path: string, keyFile: string): Promise<readonly [number, number]> {
  const args = ["run", "--no-prompt", "--allow-all", SELF, path, keyFile];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

if (import.meta.main) {
  await using vault = await Vault.open(Deno.args[0]!, { keyFile: await Deno.readFile(Deno.args[1]!) });
  const { secrets } = await vault.status();
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await Deno.readTextFile("/proc/self/status"))![1];
  // deno-lint-ignore no-console -- the answer to the process that asked
  console.log(JSON.stringify([secrets, Number(peak) * 1024]));
}
