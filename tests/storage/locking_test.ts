import assert from "node:assert/strict";
import { BusyError } from "../../lib/errors.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { DEFAULT_TIMEOUT, type Lockable, Pauses, withLock } from "../../lib/storage/locking.ts";
import { MemoryMedium, MemoryStore } from "../../lib/storage/memory.ts";

/** Two handles on one lock: of a disk, of a medium. */
const PAIRS: Readonly<Record<string, () => readonly [Lockable, Lockable]>> = {
  "a disk": () => {
    const file = new MemoryFile();
    return [new MemoryDisk(file), new MemoryDisk(file)];
  },
  "a medium": () => {
    const store = new MemoryStore();
    return [new MemoryMedium(store), new MemoryMedium(store)];
  },
};

for (const [name, pair] of Object.entries(PAIRS)) {
  Deno.test(`withLock() holds the lock of ${name} as long as the work takes, and gives its result`, async () => {
    const [one, other] = pair();
    const result = await withLock(one, "exclusive", {}, async () => {
      await assert.rejects(withLock(other, "shared", { timeout: 0 }, () => "in"), BusyError);
      return "done";
    });
    assert.equal(result, "done");
    assert.equal(await withLock(other, "exclusive", { timeout: 0 }, () => "in"), "in");
  });

  Deno.test(`withLock() gives the lock of ${name} back when the work throws, at once or later`, async () => {
    const [one, other] = pair();
    const failure = new Error("no");
    const works = [() => Promise.reject(failure), () => {
      throw failure;
    }];
    for (const work of works) {
      await assert.rejects(withLock(one, "exclusive", {}, work), failure);
      assert.equal(await withLock(other, "exclusive", { timeout: 0 }, () => "in"), "in");
    }
  });
}

Deno.test("withLock() hands the lock to the work, which sees that a file was replaced", async () => {
  assert.equal(await withLock(new MemoryDisk(), "shared", {}, ({ replaced }) => replaced), false);
});

Deno.test("withLock() does no work without the lock", async () => {
  const file = new MemoryFile();
  const [one, other] = [new MemoryDisk(file), new MemoryDisk(file)];
  const { release } = await one.lock("shared");
  let worked = false;
  const work = () => {
    worked = true;
  };
  await assert.rejects(withLock(other, "exclusive", { timeout: 0 }, work), BusyError);
  await assert.rejects(withLock(other, "shared", { signal: AbortSignal.abort("enough") }, work), (reason) => {
    return reason === "enough";
  });
  assert.equal(worked, false);
  release();
});

Deno.test("withLock() tells of a release that fails, unless the work failed first", async () => {
  const failure = new Error("release");
  const target: Lockable = {
    lock: () =>
      Promise.resolve({
        release: () => {
          throw failure;
        },
      }),
  };
  await assert.rejects(withLock(target, "shared", {}, () => 1), failure);
  const first = new Error("work");
  await assert.rejects(withLock(target, "shared", {}, () => Promise.reject(first)), first);
});

Deno.test("Pauses.next() grows, and is short again for who has waited long", () => {
  const pauses = new Pauses();
  assert.deepEqual(Array.from({ length: 8 }, () => pauses.next(100, 0)), [0.5, 1, 2, 4, 8, 16, 25, 25]);
  assert.deepEqual([300, 301, 10_000].map((waited) => pauses.next(waited, 0)), [25, 1, 1]);
});

Deno.test("Pauses.next() leaves the processors to others for a while when a pause ended late", () => {
  const pauses = new Pauses();
  while (pauses.next(0, 0) < 25);
  assert.equal(pauses.next(1000, 4.9), 1, "a little late is nothing");
  assert.equal(pauses.next(1000, 6), 25);
  let eased = 1;
  while (pauses.next(1000, 0) === 25) eased++;
  assert.equal(eased, 40, "forty looks: about a second");
  pauses.next(1000, 6);
  for (let i = 0; i < 200; i++) assert.equal(pauses.next(1000, i % 20 === 0 ? 6 : 0), 25, "it begins anew each time");
});

Deno.test("DEFAULT_TIMEOUT is what the documentation of LockOptions says", () => {
  const text = Deno.readTextFileSync(new URL("../../lib/storage/disk.ts", import.meta.url));
  assert.match(text, new RegExp(`@default \\{${DEFAULT_TIMEOUT}\\}`));
});
