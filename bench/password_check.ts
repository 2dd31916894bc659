/**
 * What does checking a password cost, against the `argon2` program?
 *
 * @module
 */
import assert from "node:assert/strict";
import { hashPassword, parsePhc, verifyPassword } from "../lib/auth/phc.ts";
import { type Bench, type Figure, interleaved, ms, timed } from "./harness.ts";

const PASSWORD = "correct horse battery staple";
const SALT = "0123456789abcdef";
const COSTS = [
  { memory: 19 * 1024, passes: 2, lanes: 1, rounds: 21 },
  { memory: 64 * 1024, passes: 3, lanes: 1, rounds: 11 },
] as const;

/** The bench. */
export const bench: Bench = {
  name: "password_check",
  question: "verifyPassword with Argon2id of 19 MiB, 2 passes and of 64 MiB, 3 passes, against the argon2 program",
  run: async () => {
    if (!(await hasProgram())) return "there is no argon2 program (apt-get install argon2)";
    const figures: Figure[] = [];
    for (const { rounds, ...cost } of COSTS) {
      const program = () => runProgram(cost);
      const salt = new TextEncoder().encode(SALT);
      const phc = await hashPassword(PASSWORD, { ...cost, salt });
      assert.equal(await program(), phc);
      assert.ok(await verifyPassword(PASSWORD, phc) && !await verifyPassword(`${PASSWORD}?`, phc));
      const { memory, passes, lanes } = parsePhc(phc);
      assert.deepEqual({ memory, passes, lanes }, cost);

      const times = await interleaved(rounds, {
        coffer: () => timed(() => verifyPassword(PASSWORD, phc)),
        program: () => timed(program),
      });
      figures.push({
        name: `check of ${memory / 1024} MiB / argon2 program`,
        value: times.coffer / times.program,
        atMost: 1.4,
        detail: `${ms(times.coffer)} / ${ms(times.program)}`,
      });
    }
    return figures;
  },
};

async function runProgram(cost: Omit<typeof COSTS[number], "rounds">): Promise<string> {
  const args = [SALT, "-id", "-t", `${cost.passes}`, "-k", `${cost.memory}`, "-p", `${cost.lanes}`, "-l", "32", "-e"];
  const child = new Deno.Command("argon2", { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(PASSWORD));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

async function hasProgram(): Promise<boolean> {
  try {
    await new Deno.Command("argon2", { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
