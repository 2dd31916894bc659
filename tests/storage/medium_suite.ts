/**
 * What every Medium promises.
 *
 * @module
 */
import assert from "node:assert/strict";
import { BusyError, ConflictError } from "../../lib/errors.ts";
import type { LockMode } from "../../lib/storage/disk.ts";
import type { Commit, Committed, Medium } from "../../lib/storage/medium.ts";
import { assertSameBytes, commitOf, contentsOf, filled } from "./helpers.ts";

/** Opens handles on one medium that stands at version 1, and removes it. */
export interface MediumBench {
  /** Makes version 1 and opens it. */
  create(first: Commit): Promise<Medium>;
  /** Opens one more handle. */
  open(): Promise<Medium> | Medium;
  /** Removes it, once the handles are closed. */
  remove(): void;
}

/** Runs with a lock, as every caller must. */
export async function locked<T>(medium: Medium, mode: LockMode, use: () => Promise<T>): Promise<T> {
  const lock = await medium.lock(mode, { timeout: 0 });
  try {
    return await use();
  } finally {
    lock.release();
  }
}

const FIRST = commitOf(1, [filled(100, 1)]);

/** Runs the suite against one kind of medium. */
export function testMedium(kind: string, bench: () => MediumBench): void {
  const test = (name: string, body: (one: Medium, open: () => Promise<Medium>) => Promise<void>) =>
    Deno.test(`${kind} ${name}`, async () => {
      const { create, open, remove } = bench();
      const opened: Medium[] = [];
      const keep = (medium: Medium) => {
        opened.push(medium);
        return medium;
      };
      try {
        await body(keep(await create(FIRST)), async () => keep(await open()));
      } finally {
        for (const medium of opened) medium.close();
        remove();
      }
    });
  const read = async (medium: Medium): Promise<Committed> => {
    const committed = await medium.read();
    assert.ok(committed);
    return committed;
  };

  test("read() gives version 1 as it was made", async (one) => {
    await locked(one, "shared", async () => {
      const first = await read(one);
      assert.equal(first.version, 1);
      assert.equal(first.recovered, false);
      assertSameBytes([first.meta], [FIRST.meta], "meta");
      assertSameBytes(await contentsOf(first), FIRST.append, "segments");
      assert.deepEqual(first.segments.map(({ version, length }) => [version, length]), [[1, 100]]);
    });
  });

  test("read() of a part of a segment gives that part", async (one) => {
    const whole = filled(20_000, 5);
    await locked(one, "exclusive", async () => {
      const { segments } = await one.commit(1, commitOf(2, [whole]));
      for (
        const [offset, length] of [
          [0, 0],
          [0, 1],
          [19_999, 1],
          [20_000, 0],
          [4_079, 2],
          [4_080, 4_080],
          [1, 19_998],
        ] as const
      ) {
        const part = await segments[0]!.read(offset, length);
        assertSameBytes([part], [whole.slice(offset, offset + length)], `${length} at ${offset}`);
      }
    });
  });

  test("read() since the newest version gives null, and since an older one the newest", async (one, open) => {
    const two = await open();
    await locked(one, "exclusive", async () => {
      const first = (await one.read())!;
      assert.equal(await one.read(first), null);
      const second = await one.commit(1, commitOf(2));
      assert.equal(await one.read(second), null);
      assert.equal((await one.read(first))?.version, 2);
    });
    await locked(two, "shared", async () => {
      const second = (await two.read())!;
      assert.equal(second.version, 2);
      assert.equal(await two.read(second), null);
    });
  });

  test("commit() gives what a read gives", async (one, open) => {
    const two = await open();
    const committed = await locked(one, "exclusive", async () => {
      const base = await read(one);
      return await one.commit(1, commitOf(2, [filled(9_000, 2), filled(1, 3)], base.segments));
    });
    await locked(two, "shared", async () => {
      const seen = await read(two);
      for (const { version, meta, segments, recovered } of [seen, committed]) {
        assert.equal(version, 2);
        assert.equal(recovered, false);
        assertSameBytes([meta], [filled(64, 2)], "meta");
        assert.deepEqual(segments.map((segment) => [segment.version, segment.length]), [[1, 100], [2, 9_000], [2, 1]]);
      }
      const expected = [filled(100, 1), filled(9_000, 2), filled(1, 3)];
      assertSameBytes(await contentsOf(seen), expected, "read");
      assertSameBytes(await contentsOf(committed), expected, "committed");
    });
  });

  test("commit() keeps copies: the caller may reuse the buffers", async (one) => {
    await locked(one, "exclusive", async () => {
      const meta = filled(10, 4);
      const segment = filled(5_000, 4);
      const committed = await one.commit(1, { meta, append: [segment], retain: [] });
      meta.fill(0);
      segment.fill(0);
      assertSameBytes([committed.meta], [filled(10, 4)], "meta");
      assertSameBytes(await contentsOf(committed), [filled(5_000, 4)], "segment");
    });
  });

  test("commit() takes a meta of 1 byte and of 2688", async (one) => {
    await locked(one, "exclusive", async () => {
      for (const [index, length] of [1, 2_688].entries()) {
        await one.commit(1 + index, { meta: filled(length, length), append: [], retain: [] });
        assertSameBytes([(await read(one)).meta], [filled(length, length)], `meta of ${length}`);
      }
    });
  });

  test("commit() on another version than the newest changes nothing", async (one, open) => {
    const two = await open();
    await locked(two, "shared", () => read(two));
    await locked(one, "exclusive", () => one.commit(1, commitOf(2)));
    await locked(two, "exclusive", async () => {
      for (const base of [0, 1, 3]) {
        await assert.rejects(two.commit(base, commitOf(9)), (error) => {
          return error instanceof ConflictError && error.base === base && error.newest === 2;
        });
      }
      const newest = await read(two);
      assert.equal(newest.version, 2);
      assertSameBytes([newest.meta], [filled(64, 2)], "meta");
    });
  });

  test("commit() drops what is not retained, and keeps the order of the rest", async (one, open) => {
    await locked(one, "exclusive", async () => {
      let { segments } = await read(one);
      for (let version = 2; version <= 6; version++) {
        ({ segments } = await one.commit(version - 1, commitOf(version, [filled(version * 3_000, version)], segments)));
      }
      const retain = segments.filter(({ version }) => version % 2 === 0);
      ({ segments } = await one.commit(6, commitOf(7, [filled(10, 7)], retain)));
      assert.deepEqual(segments.map(({ version }) => version), [2, 4, 6, 7]);
      ({ segments } = await one.commit(7, commitOf(8, [], segments)));
      assert.deepEqual(segments.map(({ version }) => version), [2, 4, 6, 7]);
    });
    const two = await open();
    await locked(two, "shared", async () => {
      const expected = [filled(6_000, 2), filled(12_000, 4), filled(18_000, 6), filled(10, 7)];
      assertSameBytes(await contentsOf(await read(two)), expected, "after dropping");
    });
  });

  test("commit() by two handles in turn builds one chain", async (one, open) => {
    const handles = [one, await open()];
    const expected = [filled(100, 1)];
    for (let version = 2; version < 40; version++) {
      const medium = handles[version % 2]!;
      const added = filled((version * 977) % 9_000 + 1, version);
      await locked(medium, "exclusive", async () => {
        const base = await read(medium);
        const drop = version % 7 === 0 ? 3 : 0;
        await medium.commit(version - 1, commitOf(version, [added], base.segments.slice(drop)));
        expected.splice(0, drop);
        expected.push(added);
        assertSameBytes(await contentsOf(await read(medium)), expected, `version ${version}`);
      });
    }
  });

  test("lock() lets readers in together, and a writer alone", async (one, open) => {
    const two = await open();
    const shared = [await one.lock("shared"), await two.lock("shared")];
    await Promise.all([read(one), read(two)]);
    const three = await open();
    await assert.rejects(three.lock("exclusive", { timeout: 0 }), BusyError);
    for (const lock of shared) lock.release();
    const exclusive = await three.lock("exclusive", { timeout: 0 });
    await assert.rejects(one.lock("shared", { timeout: 0 }), BusyError);
    await assert.rejects(one.lock("exclusive", { timeout: 1 }), { timeout: 1 });
    exclusive.release();
    (await one.lock("shared", { timeout: 0 })).release();
  });

  test("lock() ends with the reason of its signal", async (one, open) => {
    const two = await open();
    const held = await one.lock("exclusive");
    const controller = new AbortController();
    const waiting = two.lock("shared", { signal: controller.signal });
    controller.abort("enough");
    await assert.rejects(waiting, (reason) => reason === "enough");
    held.release();
    await assert.rejects(two.lock("shared", { signal: AbortSignal.abort("before") }), (reason) => reason === "before");
    (await two.lock("exclusive", { timeout: 0 })).release();
  });

  test("usage() grows with what is live, and is never less", async (one) => {
    await locked(one, "exclusive", async () => {
      const { segments } = await read(one);
      const before = await one.usage();
      await one.commit(1, commitOf(2, [filled(100_000, 2)], segments));
      const after = await one.usage();
      assert.ok(after.live >= before.live + 100_000);
      for (const { total, live } of [before, after]) assert.ok(total >= live && live >= 100);
      await one.commit(2, commitOf(3));
      assert.ok((await one.usage()).live < after.live);
    });
  });
}
