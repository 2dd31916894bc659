import assert from "node:assert/strict";
import type { LockOptions } from "../lib/storage/disk.ts";
import { type Waiting, WaitingLine } from "../lib/waiting.ts";

/** A transaction, and what it was told so far. */
function asked(options: LockOptions = {}): Waiting & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return {
    run: () => {},
    options,
    resolve: (value) => void told.push(["resolved", value]),
    reject: (reason) => void told.push(["rejected", reason]),
    told,
  };
}

Deno.test("WaitingLine.take() gives who came first, until nobody is there", () => {
  const line = new WaitingLine();
  const [a, b] = [asked(), asked()];
  line.join(a, false);
  line.join(b, false);
  const first = line.first;
  assert.equal(line.take(), first);
  line.take()!.resolve(2);
  assert.deepEqual([line.first, line.take(), a.told, b.told], [undefined, undefined, [], [["resolved", 2]]]);
});

Deno.test("WaitingLine.join() gives up who waits when the signal says so, with its reason, and only once", () => {
  const line = new WaitingLine();
  const [leaver, ended] = [new AbortController(), new AbortController()];
  const [one, other] = [asked({ signal: leaver.signal }), asked({ signal: ended.signal })];
  line.join(one, true);
  line.join(other, true);
  leaver.abort("enough");
  assert.deepEqual(one.told, [["rejected", "enough"]]);
  line.take()!.resolve("done");
  ended.abort("late");
  assert.deepEqual([one.told.length, other.told], [1, [["resolved", "done"]]]);
  assert.equal(line.take(), undefined);
});

Deno.test("WaitingLine.take() makes a transaction that no signal or time-out gives up any more: it may commit", async () => {
  const line = new WaitingLine();
  const controller = new AbortController();
  const [one, other] = [asked({ signal: controller.signal, timeout: 0 }), asked({ timeout: 0 })];
  line.join(one, true);
  const taken = line.take()!;
  controller.abort("too late");
  line.join(other, true);
  while (other.told.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(String((other.told as [[string, Error]])[0][1].message), /^Another transaction of this process/);
  assert.deepEqual(one.told, []);
  taken.resolve("committed");
  assert.deepEqual(one.told, [["resolved", "committed"]]);
});

Deno.test("WaitingLine.close() tells all who wait that the vault is closed, and leaves no timer", () => {
  const line = new WaitingLine();
  const waiting = [asked(), asked({ timeout: 60_000 })];
  for (const [index, one] of waiting.entries()) line.join(one, index === 1);
  line.close();
  for (const { told } of waiting) assert.equal((told as [[string, { code: string }]])[0][1].code, "vault-closed");
  assert.equal(line.first, undefined);
});
