import assert from "node:assert/strict";
import { DiskFullError, InputOutputError } from "../../lib/errors.ts";
import { checkStructure } from "../../lib/storage/check.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import type { Commit } from "../../lib/storage/medium.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { FaultyDisk, FaultyMachine } from "./faulty_disk.ts";
import { assertSameBytes, commitOf, contentsOf, digestOf, filled, firstImage, withFolder } from "./helpers.ts";
import { locked } from "./medium_suite.ts";

const FIRST = commitOf(1, [filled(5_000, 1)]);
const IMAGE = await firstImage(FIRST);

/** A handle on a machine that starts at version 1. */
function opened(): { machine: FaultyMachine; medium: FileMedium } {
  const machine = new FaultyMachine(IMAGE);
  return { machine, medium: new FileMedium(new FaultyDisk(machine)) };
}

/** The newest version and its contents, as a new handle sees them; the structure is sound. */
async function reopened(bytes: Uint8Array): Promise<{ version: number; contents: readonly Uint8Array[] }> {
  const file = new MemoryFile(bytes);
  assert.deepEqual((await checkStructure(new MemoryDisk(file))).problems, []);
  const committed = await new FileMedium(new MemoryDisk(file)).read();
  return { version: committed!.version, contents: await contentsOf(committed!) };
}

Deno.test("FileMedium.create() writes every byte where the format says", () => {
  const view = new DataView(IMAGE.buffer);
  assert.equal(IMAGE.length % PAGE_SIZE, 0);
  assert.equal(new TextDecoder().decode(IMAGE.subarray(0, 6)), "COFFER");
  assert.equal(view.getUint16(6, true), 1);
  assert.equal(view.getUint32(12, true), 64);
  assert.equal(view.getBigUint64(48, true), 1n);
  assert.ok(view.getUint32(56, true) * PAGE_SIZE <= IMAGE.length);
  assert.deepEqual([view.getUint16(60, true), view.getUint16(62, true)], [1, 1]);
  assert.deepEqual(new Uint8Array(IMAGE.subarray(64, 96)), digestOf(filled(5_000, 1)));
  assert.deepEqual([view.getBigUint64(128, true), view.getBigUint64(144, true)], [1n, 5_000n]);
  assert.deepEqual([view.getUint32(136, true), view.getUint32(140, true)], [2, 3]);
  assert.deepEqual(IMAGE.slice(1408, 1408 + 64), filled(64, 1));
  assert.ok(IMAGE.subarray(PAGE_SIZE, 2 * PAGE_SIZE).every((byte) => byte === 0));
  const [second, third] = [2 * PAGE_SIZE, 3 * PAGE_SIZE];
  assert.equal(new TextDecoder().decode(IMAGE.subarray(second, second + 4)), "CFPG");
  assert.deepEqual([view.getUint32(second + 4, true), view.getUint32(second + 8, true)], [3, 0]);
  assert.deepEqual([view.getUint32(third + 4, true), view.getUint32(third + 8, true)], [0, 1]);
  assert.deepEqual(IMAGE.slice(second + 12, second + 4092), filled(5_000, 1).slice(0, 4080));
  assert.deepEqual(IMAGE.slice(third + 12, third + 12 + 920), filled(5_000, 1).slice(4080));
  assert.ok(IMAGE.subarray(third + 12 + 920, third + 4092).every((byte) => byte === 0));
});

Deno.test("FileMedium.commit() writes its segments first, the meta page of its parity last, and syncs once", async () => {
  const { machine, medium } = opened();
  const first = await medium.read();
  await medium.commit(1, commitOf(2, [filled(100, 2)], first!.segments));
  const before = machine.log.length;
  assert.equal(machine.log[0]!.op, "sync", "what another wrote is made durable first");
  await medium.commit(2, commitOf(3, [filled(100, 3)]));
  const calls = machine.log.slice(before);
  assert.deepEqual(calls.map(({ op }) => op), ["write", "write", "sync"]);
  const [segment, meta] = calls;
  assert.ok(segment?.op === "write" && segment.offset >= 2 * PAGE_SIZE);
  assert.ok(meta?.op === "write" && meta.offset === 0 && meta.data.length === PAGE_SIZE);
});

Deno.test("FileMedium.commit() never writes over what one of the two meta pages reaches", async () => {
  const { machine, medium } = opened();
  let { segments } = (await medium.read())!;
  let reached: readonly Set<number>[] = [new Set([2, 3])];
  for (let version = 2; version < 60; version++) {
    const before = machine.log.length;
    const retain = version % 5 === 0 ? [] : segments.slice(version % 3 === 0 ? 1 : 0);
    ({ segments } = await medium.commit(
      version - 1,
      commitOf(version, [filled((version * 7_919) % 30_000 + 1, version)], retain),
    ));
    for (const call of machine.log.slice(before)) {
      if (call.op !== "write" || call.offset < 2 * PAGE_SIZE) continue;
      for (let page = call.offset / PAGE_SIZE; page < (call.offset + call.data.length) / PAGE_SIZE; page++) {
        assert.ok(reached.every((pages) => !pages.has(page)), `version ${version} wrote page ${page}`);
      }
    }
    const now = new Set<number>();
    const view = new DataView(machine.file.bytes.buffer, ((version + 1) % 2) * PAGE_SIZE, PAGE_SIZE);
    for (let entry = 0; entry < view.getUint16(60, true); entry++) {
      for (let page = view.getUint32(128 + entry * 24 + 8, true); page !== 0;) {
        now.add(page);
        page = new DataView(machine.file.bytes.buffer, page * PAGE_SIZE).getUint32(4, true);
      }
    }
    reached = [now, reached[0]!];
  }
});

Deno.test("FileMedium.commit() is taken back when its sync fails, and the next one works", async () => {
  const { machine, medium } = opened();
  const other = new FileMedium(new FaultyDisk(machine));
  await locked(medium, "exclusive", async () => {
    const base = await medium.read();
    await medium.commit(1, commitOf(2, [filled(100, 2)], base!.segments));
  });
  // Of the next commit: its segment, its meta page, its sync.
  machine.fault = { kind: "fail-once", call: machine.calls + 2 };
  await locked(medium, "exclusive", async () => {
    const base = await medium.read();
    await assert.rejects(medium.commit(2, commitOf(3, [filled(100, 3)], base!.segments)), InputOutputError);
  });
  await locked(other, "shared", async () => {
    assert.equal((await other.read())!.version, 2);
    assert.equal((await other.read())!.recovered, true, "a commit that was taken back is told");
  });
  await locked(medium, "exclusive", async () => {
    const base = await medium.read();
    assert.equal(base!.version, 2);
    assert.equal((await medium.commit(2, commitOf(4, [filled(100, 4)], base!.segments))).version, 3);
  });
  const { version, contents } = await reopened(machine.file.bytes);
  assert.equal(version, 3);
  assertSameBytes(contents, [filled(5_000, 1), filled(100, 2), filled(100, 4)], "after the failure");
});

Deno.test("FileMedium.read() since the same version leaves segments usable after a commit that failed", async () => {
  const { machine, medium } = opened();
  const base = (await medium.read())!;
  const second = await medium.commit(1, commitOf(2, [filled(100, 2)], base.segments));
  const { segments } = second;
  machine.fault = { kind: "fail-once", call: machine.calls + 2 };
  const next = commitOf(3, [filled(100, 3)], segments);
  await assert.rejects(medium.commit(2, next), InputOutputError);
  // Null would say that what the caller holds still counts: then it can be committed on.
  const again = await medium.read(second);
  const committed = await medium.commit(2, { ...next, retain: again === null ? segments : again.segments });
  assert.deepEqual(committed.segments.map(({ version }) => version), [1, 2, 3]);
});

Deno.test("FileMedium.read() since the same version leaves segments usable after another's commit that failed", async () => {
  const { machine, medium } = opened();
  const other = new FileMedium(new FaultyDisk(machine));
  const second = await locked(medium, "exclusive", async () => {
    const base = (await medium.read())!;
    return await medium.commit(1, commitOf(2, [filled(100, 2)], base.segments));
  });
  await locked(other, "exclusive", async () => {
    assert.equal((await other.read())!.version, 2);
    machine.fault = { kind: "fail-once", call: machine.calls + 3 };
    await assert.rejects(other.commit(2, commitOf(9, [filled(10, 9)])), InputOutputError);
  });
  await locked(medium, "exclusive", async () => {
    const again = await medium.read(second);
    const retain = (again ?? second).segments;
    const committed = await medium.commit(2, commitOf(3, [filled(100, 3)], retain));
    assert.deepEqual(committed.segments.map(({ version }) => version), [1, 2, 3]);
  });
});

Deno.test("FileMedium.commit() passes on why a write failed, at any call, and works once the fault is gone", async () => {
  const calls = await (async () => {
    const { machine, medium } = opened();
    await medium.commit(1, commitOf(2, [filled(100_000, 2)], (await medium.read())!.segments));
    return machine.calls;
  })();
  for (let call = 0; call < calls; call++) {
    const { machine, medium } = opened();
    const base = await medium.read();
    machine.fault = { kind: "fail-from", call, error: new DiskFullError("write", "faulty") };
    await assert.rejects(medium.commit(1, commitOf(2, [filled(100_000, 2)], base!.segments)), DiskFullError);
    machine.fault = undefined;
    const now = (await medium.read())!;
    // When the commit could not be taken back either, it may stand.
    assert.ok(now.version === 1 || (now.version === 2 && call === calls - 1), `call ${call}: version ${now.version}`);
    await medium.commit(now.version, commitOf(3, [filled(50, 3)], now.segments));
    assert.equal((await reopened(machine.file.bytes)).version, now.version + 1);
  }
});

Deno.test("FileMedium.commit() refuses what no version can hold, and writes nothing", async () => {
  const { machine, medium } = opened();
  const { segments } = (await medium.read())!;
  const refused: readonly Commit[] = [
    { meta: new Uint8Array(0), append: [], retain: [] },
    { meta: new Uint8Array(2_689), append: [], retain: [] },
    commitOf(2, [new Uint8Array(0)]),
    commitOf(2, Array.from({ length: 49 }, () => filled(1, 1))),
    commitOf(2, Array.from({ length: 48 }, () => filled(1, 1)), segments),
  ];
  for (const commit of refused) await assert.rejects(medium.commit(1, commit), RangeError);
  assert.equal(machine.calls, 0);
  const full = await medium.commit(1, commitOf(2, Array.from({ length: 47 }, (_, i) => filled(1, i)), segments));
  assert.equal(full.segments.length, 48);
  assert.equal((await reopened(machine.file.bytes)).contents.length, 48);
});

Deno.test("FileMedium.commit() refuses to retain a segment that is not of its base", async () => {
  const { medium } = opened();
  const { segments } = (await medium.read())!;
  await medium.commit(1, commitOf(2, [filled(10, 2)]));
  await assert.rejects(medium.commit(2, commitOf(3, [], segments)), RangeError);
});

Deno.test("FileMedium.commit() of little keeps the file's size", async () => {
  const { machine, medium } = opened();
  let sizes = new Set<number>();
  let { segments } = (await medium.read())!;
  for (let version = 2; version < 200; version++) {
    const retain = segments.length > 10 ? [] : segments;
    ({ segments } = await medium.commit(version - 1, commitOf(version, [filled(200, version)], retain)));
    if (version === 20) sizes = new Set();
    sizes.add(machine.file.bytes.length);
  }
  assert.equal(sizes.size, 1, `${[...sizes]}`);
});

Deno.test("FileMedium.commit() cuts the file after a big segment was dropped, and not before two commits", async () => {
  const { machine, medium } = opened();
  const small = (await medium.read())!.segments;
  const big = await medium.commit(1, commitOf(2, [filled(8_000_000, 2)], small));
  const size = machine.file.bytes.length;
  assert.ok(size > 8_000_000);
  let { segments } = await medium.commit(2, commitOf(3, [filled(10, 3)], big.segments.slice(0, 1)));
  assert.equal(machine.file.bytes.length, size, "the older version still counts");
  // What came while the big one was still needed stands behind it; compactions bring it to the front.
  for (let version = 4; version < 8; version++) {
    ({ segments } = await medium.commit(version - 1, commitOf(version, [filled(5_000, version)])));
  }
  ({ segments } = await medium.commit(7, commitOf(8, [filled(10, 8)], segments)));
  assert.ok(machine.file.bytes.length < 1_000_000, `${machine.file.bytes.length} bytes are left`);
  const { version, contents } = await reopened(machine.file.bytes);
  assert.equal(version, 8);
  assertSameBytes(contents, [filled(5_000, 7), filled(10, 8)], "after the cut");
});

Deno.test("FileMedium.commit() keeps the file small through 3000 commits with compactions", async () => {
  const { machine, medium } = opened();
  let { segments } = (await medium.read())!;
  let expected: Uint8Array[] = [filled(5_000, 1)];
  for (let version = 2; version <= 3_000; version++) {
    const compact = segments.length >= 40;
    const added = filled(compact ? 20_000 + (version * 31) % 30_000 : (version * 7_919) % 3_000 + 1, version);
    ({ segments } = await medium.commit(version - 1, commitOf(version, [added], compact ? [] : segments)));
    expected = [...compact ? [] : expected, added];
    const { total, live } = await medium.usage();
    assert.ok(total < 3 * live + 1024 * 1024, `version ${version}: ${total} bytes for ${live}`);
  }
  const { version, contents } = await reopened(machine.file.bytes);
  assert.equal(version, 3_000);
  assertSameBytes(contents, expected, "after 3000 commits");
});

Deno.test("FileMedium.read() gives a vault that took the path's place, though its version is the same", () =>
  withFolder(async (folder) => {
    const [path, beside] = [`${folder}/a`, `${folder}/b`];
    const medium = await FileMedium.create(path, FIRST);
    const first = (await locked(medium, "shared", () => medium.read()))!;
    (await FileMedium.create(beside, commitOf(7, [filled(10, 7)]))).close();
    Deno.renameSync(beside, path);
    await locked(medium, "shared", async () => {
      const other = await medium.read(first);
      assert.ok(other);
      assertSameBytes(await contentsOf(other), [filled(10, 7)], "the other vault");
      assert.equal(await medium.read(other), null);
    });
    medium.close();
  }));
