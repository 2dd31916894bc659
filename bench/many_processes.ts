/**
 * Do commands that are started all at once get in each other's way?
 *
 * @module
 */
import assert from "node:assert/strict";
import { newKeyFile, Vault } from "../mod.ts";
import { type Bench, interleaved, timed, withFolder } from "./harness.ts";
import { installedCommand, output } from "./pieces.ts";

const PROCESSES = 100;

/** See {@linkcode Bench}. */
export const bench: Bench = {
  name: "many_processes",
  question: `${PROCESSES} of \`coffer set\` started at once on one vault, against one after another`,
  run: () =>
    withFolder(async (folder) => {
      const keyFile = newKeyFile();
      const path = `${folder}/app.coffer`;
      await Deno.writeFile(`${folder}/key`, keyFile, { mode: 0o600 });
      await (await Vault.create(path, { keyFile })).close();
      const command = await installedCommand(folder);
      const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
      const flags = ["--vault", path, "--keyfile", `${folder}/key`, "--timeout", "600"];
      let sets = 0;
      const set = () =>
        output(Deno.execPath(), ["run", ...permissions, command, "set", "a", "--value", `${++sets}`, ...flags]);
      const together = () => Promise.all(Array.from({ length: PROCESSES }, set));
      const apart = async () => {
        for (let i = 0; i < PROCESSES; i++) await set();
      };

      const times = await interleaved(3, { together: () => timed(together), apart: () => timed(apart) });
      await using vault = await Vault.open(path, { keyFile });
      assert.equal((await vault.secrets.info("a")).version, sets, "each made its version");
      const seconds = (time: number) => `${(time / 1000).toFixed(1)} s`;
      return [{
        name: "at once / one after another",
        value: times.together / times.apart,
        atMost: 1,
        detail: `${seconds(times.together)} / ${seconds(times.apart)} for ${PROCESSES} processes`,
      }];
    }),
};
