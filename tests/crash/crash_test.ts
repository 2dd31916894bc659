/**
 * A machine that stops at any point of any operation, and what is left of it: see `crash_points.ts`.
 *
 * @module
 */
import { SEED } from "../storage/helpers.ts";
import { assertSurvivesCrashes, type Counts } from "./crash_points.ts";
import { REDDB_OPERATIONS } from "./reddb_operations.ts";
import { STORAGE_OPERATIONS } from "./storage_operations.ts";
import { VAULT_OPERATIONS } from "./vault_operations.ts";

const counts: Counts = { operations: 0, calls: 0, points: 0, reopenings: 0 };

for (const operation of [...STORAGE_OPERATIONS, ...VAULT_OPERATIONS, ...REDDB_OPERATIONS]) {
  Deno.test(`A crash at any point leaves what was acknowledged, or the change in flight with it: ${operation.name}`, async () => {
    await assertSurvivesCrashes(operation, counts);
  });
}

globalThis.addEventListener("unload", () => {
  const { operations, calls, points, reopenings } = counts;
  // deno-lint-ignore no-console
  console.info(
    `crash: ${operations} operations, ${calls} calls, ${points} crash points, ${reopenings} reopenings, seed ${SEED}`,
  );
});
