/**
 * What does it take to move a large dotenv file into a vault?
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { newKeyFile, Vault } from "../mod.ts";
import { type Bench, interleaved, ms, newValue, timed, withFolder } from "./harness.ts";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));
const LINES = 10_000;

/** The bench. */
export const bench: Bench = {
  name: "import_dotenv",
  question: "`coffer import` of 10,000 dotenv lines as a process, with a key file",
  run: () =>
    withFolder(async (folder) => {
      const keyFile = newKeyFile();
      await Deno.writeFile(`${folder}/key`, keyFile, { mode: 0o600 });
      const values = Array.from({ length: LINES }, (_, index) => [`NAME_${index}`, newValue()] as const);
      await Deno.writeTextFile(`${folder}/.env`, values.map(([name, value]) => `${name}="${value}"\n`).join(""));
      let vaults = 0;
      const fresh = async () => {
        const path = `${folder}/${vaults++}.coffer`;
        await (await Vault.create(path, { keyFile })).close();
        return path;
      };
      const run = async (path: string, ...args: readonly string[]) => {
        const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
        const where = ["--vault", path, "--keyfile", `${folder}/key`];
        const command = new Deno.Command(Deno.execPath(), { args: ["run", ...permissions, CLI, ...args, ...where] });
        const { success, stderr } = await command.output();
        assert.ok(success, new TextDecoder().decode(stderr));
      };

      const checked = await fresh();
      await run(checked, "import", `${folder}/.env`);
      {
        await using vault = await Vault.open(checked, { keyFile });
        assert.equal((await vault.secrets.list()).length, LINES);
        for (const [name, value] of values.slice(0, 50)) assert.equal(await vault.secrets.getText(name), value);
      }
      const times = await interleaved(9, {
        import: async () => {
          const path = await fresh();
          return await timed(() => run(path, "import", `${folder}/.env`));
        },
        list: async () => {
          const path = await fresh();
          return await timed(() => run(path, "ls"));
        },
      });
      return [
        { name: "seconds for 10,000 lines", value: times.import / 1000, atMost: 1, detail: ms(times.import) },
        {
          name: "import / ls of an empty vault",
          value: times.import / times.list,
          detail: `${ms(times.import)} / ${ms(times.list)}`,
        },
      ];
    }),
};
