import assert from "node:assert/strict";
import { DelayedWrite } from "../../lib/auth/delayed_write.ts";
import type { Engine } from "../../lib/engine.ts";

/** As much of an engine as a delayed write asks of one. */
const ENGINE = { beforeClose: () => {} } as unknown as Engine;

/** Keeps the program alive, which the timer of a delayed write does not, until something is so, or plainly never will be. */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("DelayedWrite writes what came while it was writing, however long that took", async () => {
  const first = Promise.withResolvers<void>();
  let writes = 0;
  const write = () => ++writes === 1 ? first.promise : Promise.resolve();
  const later = new DelayedWrite(ENGINE, write, { delay: 1, most: 100, what: "test" });
  later.add();
  await until(() => writes === 1);
  later.add();
  // Longer than the delay, as when another process holds the lock.
  await new Promise((resolve) => setTimeout(resolve, 20));
  first.resolve();
  await until(() => writes === 2);
  assert.equal(writes, 2);
});

Deno.test("DelayedWrite keeps what could not be written for the next batch", async () => {
  const written: number[] = [];
  let pieces = 0;
  const later = new DelayedWrite(ENGINE, () => {
    written.push(pieces);
    return written.length === 1 ? Promise.reject(new Error("no room")) : Promise.resolve();
  }, { delay: 60_000, most: 100, what: "test" });
  pieces++;
  later.add();
  await assert.rejects(later.flush(), /no room/);
  await later.flush();
  await later.flush();
  assert.deepEqual(written, [1, 1]);
});
