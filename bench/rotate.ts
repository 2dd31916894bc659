/**
 * What does a new vault key for 100,000 secrets cost, against opening them?
 *
 * @module
 */
import assert from "node:assert/strict";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, ms, nameOf, timed, withSecrets } from "./harness.ts";

const COUNT = 100_000;

/** The bench. */
export const bench: Bench = {
  name: "rotate",
  question: "a new vault key for 100,000 secrets, sealed anew and synced, against opening them",
  run: () =>
    withSecrets(COUNT, async ({ vault, path, keyFile }) => {
      await vault.close();
      const open = async () => await (await Vault.open(path, { keyFile })).close();
      await using rotating = await Vault.open(path, { keyFile });
      const rotate = async () => await rotating.rotate({ credentials: [{ keyFile }] });

      const value = await rotating.secrets.getText(nameOf(COUNT - 1));
      assert.equal((await rotate()).epoch, 2);
      await using again = await Vault.open(path, { keyFile });
      assert.equal((await again.status()).secrets, COUNT);
      assert.equal(await again.secrets.getText(nameOf(COUNT - 1)), value);

      const times = await interleaved(7, { rotate: () => timed(rotate), open: () => timed(open) });
      return [{
        name: "rotate / open",
        value: times.rotate / times.open,
        atMost: 3,
        detail: `${ms(times.rotate)} / ${ms(times.open)}`,
      }];
    }),
};
