/**
 * What does reading one secret cost as a whole process, and what a start that reads none?
 *
 * @module
 */
import assert from "node:assert/strict";
import { newKeyFile, Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withFolder } from "./harness.ts";
import { installedCommand, output, SOURCE } from "./pieces.ts";

/** Most milliseconds that `get` may take beyond an empty program. */
const MOST = 60;

/** See {@linkcode Bench}. */
export const bench: Bench = {
  name: "get_process",
  question:
    "`coffer get` with a key file, and `coffer --version`, as a process, as installed and from source, against `deno run` of an empty file",
  run: () =>
    withFolder(async (folder) => {
      const keyFile = newKeyFile();
      await Deno.writeFile(`${folder}/key`, keyFile, { mode: 0o600 });
      await Deno.writeTextFile(`${folder}/empty.ts`, "");
      {
        await using vault = await Vault.create(`${folder}/app.coffer`, { keyFile });
        await vault.transaction((tx) => {
          for (let i = 0; i < 100; i++) tx.secrets.set(`name-${i}`, `value-${i}`);
        });
      }
      const installed = await installedCommand(folder);
      const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
      const where = ["--vault", `${folder}/app.coffer`, "--keyfile", `${folder}/key`];
      const get = (command: string) => deno(["run", ...permissions, command, "get", "name-42", ...where]);
      const version = (command: string) => deno(["run", command, "--version"]);
      const empty = () => deno(["run", `${folder}/empty.ts`]);

      for (const command of [installed, SOURCE]) {
        assert.equal(await get(command), "value-42");
        assert.match(await version(command), /^\d+\.\d+\.\d+/);
      }
      assert.equal(await empty(), "");

      const times = await interleaved(21, {
        get: () => timed(() => get(installed)),
        version: () => timed(() => version(installed)),
        empty: () => timed(empty),
        sourceGet: () => timed(() => get(SOURCE)),
        sourceVersion: () => timed(() => version(SOURCE)),
      });
      return [
        {
          name: "coffer get / empty program",
          value: times.get / times.empty,
          atMost: 4,
          detail: `${ms(times.get)} / ${ms(times.empty)}`,
        },
        {
          name: "coffer get, more than an empty program, ms",
          value: times.get - times.empty,
          atMost: MOST,
          detail: `${ms(times.get)} - ${ms(times.empty)}`,
        },
        {
          name: "coffer --version / empty program",
          value: times.version / times.empty,
          atMost: 1.5,
          detail: `${ms(times.version)} / ${ms(times.empty)}`,
        },
        {
          name: "coffer get / empty program, from source",
          value: times.sourceGet / times.empty,
          detail: `${ms(times.sourceGet)} / ${ms(times.empty)}`,
        },
        {
          name: "coffer --version / empty program, from source",
          value: times.sourceVersion / times.empty,
          detail: `${ms(times.sourceVersion)} / ${ms(times.empty)}`,
        },
      ];
    }),
};

async function deno(args: readonly string[]): Promise<string> {
  return await output(Deno.execPath(), args);
}
