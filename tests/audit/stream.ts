/**
 * A process of its own that streams a vault's log, and tells how much memory it holds on the way: `stream.ts PATH`.
 *
 * @module
 */
import { Vault } from "../../lib/vault.ts";
import { PASSPHRASE } from "../helpers.ts";

const { gc } = globalThis as unknown as { gc: () => void };
await using vault = await Vault.open(Deno.args[0]!, { passphrase: PASSPHRASE });
let count = 0;
let [early, late] = [0, 0];
for await (const { sequence } of vault.audit.entries()) {
  if (sequence !== ++count) throw new Error("An entry is not in its place");
  if (count === 10_000) early = held();
  if (count === 100_000) late = held();
}
// deno-lint-ignore no-console -- the answer to the process that asked
console.log(JSON.stringify({ count, early, late }));

function held(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}
