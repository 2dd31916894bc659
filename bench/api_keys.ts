/**
 * How many API keys a second can one core check, in a vault of 100,000 users and as many keys?
 *
 * @module
 */
import assert from "node:assert/strict";
import { Vault } from "../mod.ts";
import { type Bench, median, withFolder } from "./harness.ts";

const COUNT = 100_000;
const CHECKS = 30_000;
const ROUNDS = 5;
/** Keys that are checked in turn. */
const SAMPLE = 1_000;

/** The bench. */
export const bench: Bench = {
  name: "api keys",
  question: "API keys checked a second, in a vault of 100,000 users and 100,000 keys",
  run: () =>
    withFolder(async (folder) => {
      const keyFile = crypto.getRandomValues(new Uint8Array(32));
      const path = `${folder}/bench.coffer`;
      const keys = await fill(path, keyFile);
      await using vault = await Vault.open(path, { keyFile });
      assert.equal((await vault.apiKeys.check(keys[7]!)).user, `tenant-7/user-7`);
      await assert.rejects(vault.apiKeys.check(`${keys[7]!.slice(0, -1)}!`));
      const rates: number[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        const start = performance.now();
        for (let i = 0; i < CHECKS; i++) await vault.apiKeys.check(keys[i % SAMPLE]!);
        if (round >= 0) rates.push(CHECKS / (performance.now() - start) * 1000);
      }
      const rate = median(rates);
      return [{
        name: "API keys checked a second",
        value: rate,
        atLeast: 15_000,
        detail: `one after another, ${(1e6 / rate).toFixed(1)} µs each`,
      }];
    }),
};

async function fill(path: string, keyFile: Uint8Array): Promise<string[]> {
  await using vault = await Vault.create(path, { keyFile });
  const keys: string[] = [];
  await vault.transaction((tx) => {
    for (let i = 0; i < COUNT; i++) {
      tx.users.create({ tenant: `tenant-${i % 100}`, name: `user-${i}`, role: "write" });
      const made = tx.apiKeys.create({ owner: `tenant-${i % 100}/user-${i}`, name: "bench", role: "write" });
      if (i < SAMPLE) void made.then(({ key }) => void (keys[i] = key));
    }
  }, { timeout: 120_000 });
  assert.equal((await vault.apiKeys.list()).length, COUNT);
  return keys;
}
