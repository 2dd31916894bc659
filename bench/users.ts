/**
 * How long does it take to create 10,000 users with ready verifiers in one transaction?
 *
 * @module
 */
import assert from "node:assert/strict";
import { newScramVerifier, Vault } from "../mod.ts";
import { hashPassword } from "../lib/auth/phc.ts";
import { type Bench, median, withFolder } from "./harness.ts";

const COUNT = 10_000;
const ROUNDS = 5;

/** The bench. */
export const bench: Bench = {
  name: "users",
  question: "creating 10,000 users with ready verifiers in one transaction",
  run: async () => {
    const passwordHash = await hashPassword("correct horse");
    const scram = await newScramVerifier("correct horse");
    const times: number[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      await withFolder(async (folder) => {
        await using vault = await Vault.create(`${folder}/bench.coffer`, { keyFile: new Uint8Array(32).fill(7) });
        const start = performance.now();
        await vault.transaction((tx) => {
          for (let i = 0; i < COUNT; i++) {
            tx.users.create({ tenant: `tenant-${i % 100}`, name: `user-${i}`, role: "write", passwordHash, scram });
          }
        });
        if (round >= 0) times.push(performance.now() - start);
        assert.equal((await vault.users.list()).length, COUNT);
        assert.equal((await vault.auth.login("tenant-42/user-42", "correct horse")).name, "user-42");
      });
    }
    const time = median(times) / 1000;
    return [{
      name: "seconds for 10,000 users",
      value: time,
      atMost: 2,
      detail: `${(time / COUNT * 1e6).toFixed(0)} µs each, committed and logged`,
    }];
  },
};
