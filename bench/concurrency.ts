/**
 * How many more commits a second do 64 transactions make that are started together?
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bench, interleaved, ms, nameOf, newValue, timed, withSecrets } from "./harness.ts";

const COUNT = 10_000;
const TOGETHER = 64;

/** The bench. */
export const bench: Bench = {
  name: "concurrency",
  question: "64 concurrent transactions, against one at a time",
  run: () =>
    withSecrets(COUNT, async ({ vault }) => {
      let turn = 0;
      const change = (value: string) => {
        const name = nameOf((turn++ * 7919) % COUNT);
        return vault.transaction((tx) => tx.secrets.set(name, value));
      };
      const together = () => Promise.all(Array.from({ length: TOGETHER }, () => change(newValue())));
      const apart = async () => {
        for (let i = 0; i < TOGETHER; i++) await change(newValue());
      };

      const infos = await together();
      for (const { name, version } of infos) assert.equal((await vault.secrets.info(name)).version, version);

      const times = await interleaved(25, { together: () => timed(together, 4), apart: () => timed(apart, 4) });
      assert.deepEqual((await vault.check()).problems, []);
      const rate = (time: number) => `${Math.round(TOGETHER / time * 1000)}/s`;
      return [{
        name: "together / one at a time",
        value: times.apart / times.together,
        atLeast: 5,
        detail: `${rate(times.together)} / ${rate(times.apart)}, ${ms(times.together)} for ${TOGETHER}`,
      }];
    }),
};
