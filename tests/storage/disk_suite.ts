/**
 * What every Disk promises.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BusyError } from "../../lib/errors.ts";
import type { Disk } from "../../lib/storage/disk.ts";
import { assertSameBytes, filled } from "./helpers.ts";

/** Opens handles on one file that is empty at first, and removes it. */
export interface DiskBench {
  /** Opens one more handle. */
  open(): Disk;
  /** Removes the file, once the handles are closed. */
  remove(): void;
}

/** Runs the suite against one kind of disk. */
export function testDisk(kind: string, bench: () => DiskBench): void {
  const test = (name: string, body: (open: () => Disk) => Promise<void>) =>
    Deno.test(`${kind} ${name}`, async () => {
      const { open, remove } = bench();
      const opened: Disk[] = [];
      try {
        await body(() => {
          const disk = open();
          opened.push(disk);
          return disk;
        });
      } finally {
        for (const disk of opened) disk.close();
        remove();
      }
    });

  test("readAt() fills what there is before the end, and says how much", async (open) => {
    const disk = open();
    assert.equal(await disk.readAt(new Uint8Array(4), 0), 0);
    await disk.writeAt(new Uint8Array([1, 2, 3]), 0);
    const target = new Uint8Array(4).fill(9);
    assert.equal(await disk.readAt(target, 1), 2);
    assert.deepEqual([...target], [2, 3, 9, 9]);
    assert.equal(await disk.readAt(target, 3), 0);
    assert.equal(await disk.readAt(target, 1_000_000), 0);
    assert.equal(await disk.readAt(new Uint8Array(0), 0), 0);
  });

  test("writeAt() past the end leaves zeros between", async (open) => {
    const disk = open();
    await disk.writeAt(new Uint8Array([7]), 5_000);
    assert.equal(await disk.size(), 5_001);
    const target = new Uint8Array(5_001);
    assert.equal(await disk.readAt(target, 0), 5_001);
    assert.ok(target.subarray(0, 5_000).every((byte) => byte === 0));
    assert.equal(target[5_000], 7);
  });

  test("writeAt() with nothing to write changes nothing", async (open) => {
    const disk = open();
    await disk.writeAt(new Uint8Array(0), 100);
    assert.equal(await disk.size(), 0);
  });

  test("writeAt() is done with the caller's buffer when it resolves", async (open) => {
    const disk = open();
    for (const length of [10, 300_000]) {
      const data = filled(length, length);
      await disk.writeAt(data, 0);
      data.fill(0);
      const target = new Uint8Array(length);
      await disk.readAt(target, 0);
      assert.deepEqual(target, filled(length, length));
    }
  });

  test("readAt() and writeAt() of all sizes at once keep out of each other's way", async (open) => {
    const disk = open();
    const sizes = [1, 512, 4096, 65_536, 65_537, 200_000, 1_000_000, 3];
    const offsets = sizes.map((_, index) => sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
    await Promise.all(sizes.map((size, index) => disk.writeAt(filled(size, index), offsets[index]!)));
    await Promise.all(sizes.map(async (size, index) => {
      const target = new Uint8Array(size);
      assert.equal(await disk.readAt(target, offsets[index]!), size);
      assertSameBytes([target], [filled(size, index)], `size ${size}`);
    }));
  });

  test("truncate() cuts, and grows with zeros", async (open) => {
    const disk = open();
    await disk.writeAt(filled(100, 1), 0);
    await disk.truncate(10);
    assert.equal(await disk.size(), 10);
    await disk.truncate(20);
    assert.equal(await disk.size(), 20);
    const target = new Uint8Array(20);
    await disk.readAt(target, 0);
    assert.deepEqual([...target], [...filled(100, 1).subarray(0, 10), ...new Uint8Array(10)]);
  });

  test("sync() resolves, twice, and after nothing", async (open) => {
    const disk = open();
    await disk.sync();
    await disk.writeAt(filled(10, 1), 0);
    await disk.sync();
    await disk.sync();
  });

  test("readAt() of a second handle sees what the first one wrote", async (open) => {
    const [one, two] = [open(), open()];
    await one.writeAt(new Uint8Array([5]), 3);
    const target = new Uint8Array(4);
    assert.equal(await two.readAt(target, 0), 4);
    assert.equal(target[3], 5);
  });

  test("lock() lets shared holders in together, and an exclusive one alone", async (open) => {
    const [one, two] = [open(), open()];
    const shared = [await one.lock("shared"), await two.lock("shared")];
    assert.ok(shared.every(({ replaced }) => !replaced));
    const three = open();
    await assert.rejects(three.lock("exclusive", { timeout: 0 }), BusyError);
    for (const lock of shared) lock.release();
    const exclusive = await three.lock("exclusive", { timeout: 0 });
    await assert.rejects(one.lock("shared", { timeout: 0 }), BusyError);
    await assert.rejects(one.lock("exclusive", { timeout: 0 }), BusyError);
    exclusive.release();
    (await one.lock("exclusive", { timeout: 0 })).release();
  });

  test("lock() waits until the holder releases", async (open) => {
    const [one, two] = [open(), open()];
    const held = await one.lock("exclusive");
    const waiting = two.lock("exclusive");
    held.release();
    (await waiting).release();
  });

  test("lock() says after how long it gave up", async (open) => {
    const [one, two] = [open(), open()];
    await one.lock("exclusive");
    const busy = two.lock("shared", { timeout: 3 });
    await assert.rejects(busy, (error) => error instanceof BusyError && error.timeout === 3);
  });

  test("lock() ends when its signal aborts, with the signal's reason", async (open) => {
    const [one, two] = [open(), open()];
    const held = await one.lock("exclusive");
    const controller = new AbortController();
    const waiting = two.lock("exclusive", { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await assert.rejects(two.lock("shared", { signal: controller.signal }), (error) => error === reason);
    held.release();
    (await two.lock("exclusive", { timeout: 0 })).release();
  });

  test("lock() released twice gives up no later lock", async (open) => {
    const [one, two] = [open(), open()];
    const first = await one.lock("exclusive");
    first.release();
    const second = await one.lock("exclusive");
    first.release();
    await assert.rejects(two.lock("shared", { timeout: 0 }), BusyError);
    second.release();
    (await two.lock("shared", { timeout: 0 })).release();
  });

  test("close() gives up the lock, and may come twice", async (open) => {
    const [one, two] = [open(), open()];
    const lock = await one.lock("exclusive");
    one.close();
    one.close();
    (await two.lock("exclusive", { timeout: 0 })).release();
    lock.release();
  });
}
