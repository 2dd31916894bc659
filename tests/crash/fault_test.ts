/**
 * Calls on files that fail while a process goes on: see `fault_points.ts`.
 *
 * @module
 */
import { SEED } from "../storage/helpers.ts";
import { assertGoesOnAfterFaults, assertSurvivesFaults, failingSyncs, type FaultCounts } from "./fault_points.ts";
import { REDDB_OPERATIONS } from "./reddb_operations.ts";
import { VAULT_OPERATIONS } from "./vault_operations.ts";

const counts: FaultCounts = { operations: 0, calls: 0, faults: 0 };

for (const operation of [...VAULT_OPERATIONS, ...REDDB_OPERATIONS]) {
  if (operation.session === undefined) {
    Deno.test(`A call that fails leaves what was acknowledged, or the change in flight with it: ${operation.name}`, () =>
      assertSurvivesFaults(operation, counts));
  } else {
    Deno.test(`A call that fails leaves an open vault that agrees with its file, and goes on: ${operation.name}`, () =>
      assertGoesOnAfterFaults(operation, counts));
  }
}

// What a failed sync left unwritten was once free twice after a loss of power: then nothing could be saved any more.
Deno.test("A sync that fails leaves a RedDB file whose list of free pages is sound, also after a loss of power", () =>
  assertGoesOnAfterFaults(REDDB_OPERATIONS.find(({ name }) => name === "RedDB shrink")!, counts, failingSyncs));

globalThis.addEventListener("unload", () => {
  const { operations, calls, faults } = counts;
  // deno-lint-ignore no-console
  console.info(`faults: ${operations} operations, ${calls} calls, ${faults} faults, seed ${SEED}`);
});
