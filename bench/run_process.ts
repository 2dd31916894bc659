/**
 * What does `coffer run`, as installed, add to the start of a command, key file instead of key derivation?
 *
 * @module
 */
import assert from "node:assert/strict";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, ms, timed, withFolder } from "./harness.ts";
import { installedCommand, output } from "./pieces.ts";

/** Most milliseconds that it may add. */
const MOST = 60;

/** See {@linkcode Bench}. */
export const bench: Bench = {
  name: "run_process",
  question: "what `coffer run` adds to a command's start beyond Deno's own, and against `coffer get`",
  run: () =>
    withFolder(async (folder) => {
      const keyFile = crypto.getRandomValues(new Uint8Array(32));
      await Deno.writeFile(`${folder}/key`, keyFile, { mode: 0o600 });
      await Deno.writeTextFile(`${folder}/empty.ts`, "");
      {
        await using vault = await Vault.create(`${folder}/app.coffer`, { keyFile, policies: { "audit-reads": true } });
        await vault.transaction((tx) => {
          for (let i = 0; i < 100; i++) tx.secrets.set(`app/name-${i}`, `value-${i}`);
        });
      }
      const command = await installedCommand(folder);
      const permissions = ["--no-prompt", `--allow-read=${folder}`, `--allow-write=${folder}`, "--allow-run=env"];
      const where = ["--vault", `${folder}/app.coffer`, "--keyfile", `${folder}/key`];
      const flags = ["--env", "A=app/name-42", "--env", "B=app/name-43"];
      const through = (...more: readonly string[]) =>
        output(Deno.execPath(), ["run", ...permissions, command, "run", ...where, ...flags, ...more, "--", "env"]);
      const get = () => output(Deno.execPath(), ["run", ...permissions, command, "get", "app/name-42", ...where]);
      const alone = () => output("env", []);
      const empty = () => output(Deno.execPath(), ["run", `${folder}/empty.ts`]);

      assert.match(await through(), /^A=value-42$/m);
      assert.match(await through("--redact"), /^B=\*\*\*$/m);
      assert.equal(await get(), "value-42");
      assert.match(await alone(), /^PATH=/m);

      const times = await interleaved(21, {
        coffer: () => timed(() => through()),
        redact: () => timed(() => through("--redact")),
        get: () => timed(get),
        alone: () => timed(alone),
        empty: () => timed(empty),
      });
      const added = (time: number) => time - times.alone - times.empty;
      return [
        {
          name: "coffer run, added beyond Deno, ms",
          value: added(times.coffer),
          atMost: MOST,
          detail: `${ms(times.coffer)} - ${ms(times.alone)} alone - ${ms(times.empty)} empty program`,
        },
        {
          name: "the same with --redact, ms",
          value: added(times.redact),
          detail: `${ms(times.redact)} in all`,
        },
        {
          name: "coffer run / coffer get",
          value: times.coffer / times.get,
          atMost: 1.25,
          detail: `${ms(times.coffer)} / ${ms(times.get)}`,
        },
      ];
    }),
};
