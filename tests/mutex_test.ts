import assert from "node:assert/strict";
import { Mutex } from "../lib/mutex.ts";

Deno.test("Mutex.run() runs one function after another, in the order in which they came", async () => {
  const mutex = new Mutex();
  const events: string[] = [];
  const work = (name: string, turns: number) => async () => {
    events.push(`${name} begins`);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([mutex.run(work("a", 5)), mutex.run(work("b", 0)), mutex.run(work("c", 3))]);
  assert.deepEqual(results, ["a", "b", "c"]);
  assert.deepEqual(events, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
});

Deno.test("Mutex.run() goes on after a function that throws, and its caller alone learns of it", async () => {
  const mutex = new Mutex();
  const failing = mutex.run(() => {
    throw new RangeError("mine");
  });
  const next = mutex.run(() => 7);
  await assert.rejects(failing, new RangeError("mine"));
  assert.equal(await next, 7);
});
