/**
 * What does a backup of a vault of 30 MB cost, against copying its file with a sync?
 *
 * @module
 */
import assert from "node:assert/strict";
import { replaceFile } from "../lib/cli/private_file.ts";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withSecrets } from "./harness.ts";

/** Values of 100 bytes; with their names and times they make 30 MB. */
const COUNT = 100_000;

/** The bench. */
export const bench: Bench = {
  name: "backup",
  question:
    "a backup of a vault of 30 MB, written and synced as the command does, against copying its file with a sync",
  run: () =>
    withSecrets(COUNT, async ({ vault, path, folder, keyFile }) => {
      const [backup, copy] = [`${folder}/backup`, `${folder}/copy`];
      const backUp = async () => replaceFile(backup, (await vault.backup()).bytes);

      await backUp();
      await using open = await Vault.open(backup, { keyFile });
      assert.equal((await open.status()).secrets, COUNT);
      assert.deepEqual((await open.check()).problems, []);
      const { size } = Deno.statSync(backup);
      assert.ok(size > 25e6, `${size} bytes`);

      const times = await interleaved(7, {
        backup: () => timed(backUp),
        copy: () => timed(() => copySynced(path, copy)),
      });
      return [{
        name: "backup / copy and sync",
        value: times.backup / times.copy,
        atMost: 3,
        detail: `${ms(times.backup)} / ${ms(times.copy)} for ${(size / 1e6).toFixed(1)} MB`,
      }];
    }),
};

function copySynced(from: string, to: string): void {
  Deno.copyFileSync(from, to);
  using file = Deno.openSync(to, { write: true });
  file.syncSync();
}
