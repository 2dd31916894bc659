/**
 * What does reading one secret cost as a whole process, and what a start that reads none?
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { newKeyFile, Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withFolder } from "./harness.ts";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** The bench. */
export const bench: Bench = {
  name: "get_process",
  question: "`coffer get` with a key file, and `coffer --version`, as a process, against `deno run` of an empty file",
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
      const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
      const where = ["--vault", `${folder}/app.coffer`, "--keyfile", `${folder}/key`];
      const get = () => deno(["run", ...permissions, CLI, "get", "name-42", ...where]);
      const version = () => deno(["run", CLI, "--version"]);
      const empty = () => deno(["run", `${folder}/empty.ts`]);

      assert.equal(await get(), "value-42");
      assert.match(await version(), /^\d+\.\d+\.\d+/);
      assert.equal(await empty(), "");

      const times = await interleaved(21, {
        get: () => timed(get),
        version: () => timed(version),
        empty: () => timed(empty),
      });
      return [
        {
          name: "coffer get / empty program",
          value: times.get / times.empty,
          atMost: 4,
          detail: `${ms(times.get)} / ${ms(times.empty)}`,
        },
        {
          name: "coffer --version / empty program",
          value: times.version / times.empty,
          atMost: 1.5,
          detail: `${ms(times.version)} / ${ms(times.empty)}`,
        },
      ];
    }),
};

async function deno(args: readonly string[]): Promise<string> {
  const output = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).output();
  const decoder = new TextDecoder();
  assert.ok(output.success, decoder.decode(output.stderr));
  return decoder.decode(output.stdout);
}
