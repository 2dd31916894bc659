/**
 * The model that crashes and faults are tried on, held against real files: an operation leaves the same names, sizes and
 * state on both.
 *
 * @module
 */
import assert from "node:assert/strict";
import { withFolder } from "../helpers.ts";
import type { Operation } from "./crash_points.ts";
import { on, onFiles, ROOT } from "./files.ts";
import { REDDB_OPERATIONS } from "./reddb_operations.ts";
import { STORAGE_OPERATIONS } from "./storage_operations.ts";
import { VAULT_OPERATIONS } from "./vault_operations.ts";
import { unsynced, World } from "./world.ts";

interface Left {
  readonly files: readonly string[];
  readonly state: string;
}

async function onModel(operation: Operation): Promise<Left> {
  const world = new World();
  return await on(world, async () => {
    await perform(operation);
    const files = world.names.map((path) => `${path} ${Deno.statSync(path).size} ${Deno.statSync(path).mode}`);
    return { files: files.map(withoutChance).sort(), state: await operation.observe(true) };
  });
}

async function onRealFiles(operation: Operation): Promise<Left> {
  return await withFolder(async (folder) => {
    for (const name of ["disk", "other"]) await Deno.mkdir(`${folder}/${name}`);
    return await onFiles(folder, async () => {
      await perform(operation);
      const files: string[] = [];
      for (const name of ["disk", "other"]) {
        for await (const entry of Deno.readDir(`${folder}/${name}`)) {
          const path = `${ROOT}/${name}/${entry.name}`;
          files.push(`${path} ${Deno.statSync(path).size} ${Deno.statSync(path).mode}`);
        }
      }
      return { files: files.map(withoutChance).sort(), state: await operation.observe(true) };
    });
  });
}

async function perform(operation: Operation): Promise<void> {
  await operation.prepare();
  await operation.run(() => Promise.resolve());
}

/** Names that hold the time, or digits by chance. */
function withoutChance(line: string): string {
  return line.replace(/\d{8}T\d{6}Z?/, "TIME").replace(/[0-9a-f]{16}/, "CHANCE");
}

for (const operation of [...STORAGE_OPERATIONS, ...VAULT_OPERATIONS, ...REDDB_OPERATIONS]) {
  Deno.test(`World leaves the same files as the system does: ${operation.name}`, async () => {
    assert.deepEqual(await onModel(operation), await onRealFiles(operation));
  });
}

Deno.test("unsynced() gives what no sync of its file or folder follows", () => {
  const data = new Uint8Array(1);
  assert.deepEqual(
    unsynced([
      { op: "name", file: 1, path: "/a/b" },
      { op: "write", file: 1, offset: 0, data },
      { op: "write", file: 2, offset: 0, data },
      { op: "sync", file: 1 },
      { op: "write", file: 1, offset: 1, data },
      { op: "rename", from: "/a/b", to: "/c/d" },
      { op: "sync-folder", folder: "/a" },
    ], 7),
    [2, 4, 5],
  );
});
