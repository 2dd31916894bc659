/**
 * Is reading a secret quicker than with dotenvx, the usual way of encrypted variables in a project?
 *
 * @module
 */
import assert from "node:assert/strict";
import { newKeyFile, Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withFolder } from "./harness.ts";
import { installedCommand, output } from "./pieces.ts";

/** See {@linkcode Bench}. */
export const bench: Bench = {
  name: "dotenvx",
  question: "`coffer get` with a key file, as installed, against `npx dotenvx get`, both as whole processes",
  run: () =>
    withFolder(async (folder) => {
      try {
        await output("npm", ["install", "--silent", "--prefix", folder, "@dotenvx/dotenvx@2.38.2"]);
      } catch {
        return "dotenvx could not be installed from the npm registry";
      }
      const dotenvx = (...args: readonly string[]) => output("npx", ["--no-install", "dotenvx", ...args], folder);
      await dotenvx("set", "NAME", "value-42");
      const keyFile = newKeyFile();
      await Deno.writeFile(`${folder}/key`, keyFile, { mode: 0o600 });
      {
        await using vault = await Vault.create(`${folder}/app.coffer`, { keyFile });
        await vault.secrets.set("name", "value-42");
      }
      const installed = await installedCommand(folder);
      const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`];
      const where = ["--vault", `${folder}/app.coffer`, "--keyfile", `${folder}/key`];
      const coffer = () => output(Deno.execPath(), ["run", ...permissions, installed, "get", "name", ...where]);

      assert.match(await Deno.readTextFile(`${folder}/.env`), /^NAME="?encrypted:/m);
      assert.equal((await dotenvx("get", "NAME")).trim(), "value-42");
      assert.equal(await coffer(), "value-42");

      const times = await interleaved(7, {
        coffer: () => timed(coffer),
        dotenvx: () => timed(() => dotenvx("get", "NAME")),
      });
      return [{
        name: "coffer get / npx dotenvx get",
        value: times.coffer / times.dotenvx,
        atMost: 0.25,
        detail: `${ms(times.coffer)} / ${ms(times.dotenvx)}`,
      }];
    }),
};
