/**
 * What a crash may leave: a machine that stops at every call of a run of saves, and the files that a loss of power may
 * make of it, must load what was acknowledged, or what was being saved, and be fit for the next save.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Bytes } from "../../lib/bytes.ts";
import { InputOutputError } from "../../lib/errors.ts";
import { readSealed } from "../../lib/reddb/chain.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import { readCommitted } from "../../lib/reddb/committed.ts";
import { PageFile } from "../../lib/reddb/page_file.ts";
import { saveSealed } from "../../lib/reddb/save.ts";
import type { Sidecar } from "../../lib/reddb/sidecar.ts";
import type { Disk } from "../../lib/storage/disk.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { type DiskCall, durableCalls, FaultyDisk, FaultyMachine, imageAfter } from "../storage/faulty_disk.ts";
import { DEEP, filled, SEED, seeded } from "../storage/helpers.ts";
import { foreignFile, foreignPagesOf, MemorySidecar } from "./helpers.ts";

const PAGE_SIZE = 4096;
/** The unit that a disk writes whole. */
const SECTOR = 512;
const SALT = filled(16, 999);
/** Lengths of the payloads of a run, one save each: growth, shrinking, no chain at all, trunks that empty. */
const LENGTHS = [100, 30_000, 4_031, 60_000, 28, 4_032, 25_000, 8_087, 90_000, 12_000];
const PAYLOADS = LENGTHS.map((length, index) => filled(length, index + 1));
const INITIAL = foreignFile(PAGE_SIZE);
/** At most so many combinations of what was not synced, and so many tears of one write. */
const SUBSETS = DEEP ? 4096 : 32;
const TEARS = DEEP ? 60 : 8;

/** A note that stops with its machine. What a loss of power may have brought back counts as well. */
class FaultySidecar implements Sidecar {
  note: Bytes | null = null;
  /** The note before the last removal: that may not have been durable. */
  removed: Bytes | null = null;
  readonly #machine: FaultyMachine;

  constructor(machine: FaultyMachine) {
    this.#machine = machine;
  }

  read(): Promise<Bytes | null> {
    this.#machine.assertRunning();
    return Promise.resolve(this.note);
  }

  // deno-lint-ignore require-await
  async write(note: Uint8Array): Promise<void> {
    this.#step((bytes) => {
      this.note = note.slice(0, bytes);
      this.removed = null;
    });
  }

  // deno-lint-ignore require-await
  async remove(): Promise<void> {
    this.#step(() => {
      this.removed = this.note ?? this.removed;
      this.note = null;
    });
  }

  #step(work: (bytes?: number) => void): void {
    const machine = this.#machine;
    machine.assertRunning();
    const { fault } = machine;
    const hit = fault?.call === machine.calls++;
    if (!hit || fault.kind !== "stop-before") work(hit && fault.kind === "tear" ? fault.bytes : undefined);
    machine.stopped = hit;
    machine.assertRunning();
  }
}

async function save(disk: Disk, sidecar: Sidecar, payload: Uint8Array): Promise<void> {
  const file = await PageFile.read(disk);
  await saveSealed(file, sidecar, await readCommitted(file, sidecar), SALT, payload);
}

async function load(disk: Disk, sidecar: Sidecar): Promise<Bytes | null> {
  const file = await PageFile.read(disk);
  const { header } = await readCommitted(file, sidecar);
  return header === null ? null : await readSealed(file, header);
}

/** Saves one payload after another until the machine stops. Gives how many were acknowledged. */
async function run(machine: FaultyMachine, sidecar: Sidecar): Promise<number> {
  let acknowledged = 0;
  try {
    for (const payload of PAYLOADS) {
      await save(new FaultyDisk(machine), sidecar, payload);
      acknowledged++;
    }
  } catch (error) {
    if (!(error instanceof InputOutputError) || !machine.stopped) throw error;
  }
  return acknowledged;
}

/** Holds an image against the two states that it may have, then saves once more on it. */
async function assertRecovers(image: Uint8Array, note: Bytes | null, acknowledged: number, what: string) {
  const file = new MemoryFile(image);
  const sidecar = new MemorySidecar();
  sidecar.note = note;
  const disk = new MemoryDisk(file);
  const found = await load(disk, sidecar);
  const expected = [PAYLOADS[acknowledged - 1] ?? null, PAYLOADS[acknowledged] ?? null];
  assert.ok(expected.some((payload) => isSame(payload, found)), `loads neither the old nor the new state: ${what}`);
  await assertHarmless(disk, sidecar, `before: ${what}`);
  const next = filled(20_000, 77);
  await save(disk, sidecar, next);
  assert.ok(isSame(await load(disk, sidecar), next), `the next save is lost: ${what}`);
  await assertHarmless(disk, sidecar, `after: ${what}`);
  assert.ok(isSame(foreignPagesOf(file.bytes, PAGE_SIZE), foreignPagesOf(INITIAL, PAGE_SIZE)), `foreign: ${what}`);
  assert.equal(sidecar.note, null, `the note is left: ${what}`);
}

async function assertHarmless(disk: Disk, sidecar: Sidecar, what: string): Promise<void> {
  const { problems } = await checkRedDbFile(disk, { sidecar });
  assert.deepEqual(problems.filter(({ harmless }) => !harmless), [], what);
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

async function wholeRun(): Promise<{ machine: FaultyMachine; calls: number }> {
  const machine = new FaultyMachine(INITIAL);
  assert.equal(await run(machine, new FaultySidecar(machine)), PAYLOADS.length);
  return { machine, calls: machine.calls };
}

Deno.test("saveSealed() that stops before or after any call, or in a torn write, leaves the old or the new state", async () => {
  const { calls } = await wholeRun();
  const random = seeded(SEED);
  for (let call = 0; call < calls; call++) {
    for (const kind of ["stop-before", "stop-after", ...Array<"tear">(TEARS).fill("tear")] as const) {
      const bytes = random() < 0.5 ? SECTOR * Math.floor(random() * 16) : Math.floor(random() * 10_000);
      const machine = new FaultyMachine(INITIAL, { kind, call, bytes });
      const sidecar = new FaultySidecar(machine);
      const acknowledged = await run(machine, sidecar);
      await assertRecovers(machine.file.bytes, sidecar.note, acknowledged, `${kind} ${call} ${bytes} seed ${SEED}`);
    }
  }
});

Deno.test("saveSealed() leaves the old or the new state whatever a loss of power keeps of what was not synced", async () => {
  const { calls } = await wholeRun();
  const random = seeded(SEED);
  for (let call = 0; call < calls; call++) {
    const machine = new FaultyMachine(INITIAL, { kind: "stop-after", call });
    const sidecar = new FaultySidecar(machine);
    const acknowledged = await run(machine, sidecar);
    const { log } = machine;
    const first = durableCalls(log);
    const open = log.length - first;
    const all = 2 ** open;
    for (let i = 0; i < Math.min(all, SUBSETS); i++) {
      const mask = all <= SUBSETS ? i : Math.floor(random() * all);
      const keeps = (index: number) => (mask >> (index - first) & 1) === 1;
      const torn = tearOf(log, first, random);
      const image = imageAfter(INITIAL, log, torn === undefined ? { keeps } : { keeps, torn });
      const what = `power at ${call}, kept ${mask.toString(2)}, torn ${torn?.index} ${torn?.bytes}, seed ${SEED}`;
      await assertRecovers(image, sidecar.note, acknowledged, what);
      if (sidecar.removed !== null) await assertRecovers(image, sidecar.removed, acknowledged, `${what}, note back`);
    }
  }
});

Deno.test("saveSealed() that stops again while it goes on from a torn header leaves what was acknowledged or a later state", async () => {
  const [old, torn, next] = [PAYLOADS[1]!, PAYLOADS[3]!, PAYLOADS[6]!];
  const before = new MemoryFile(INITIAL);
  await save(new MemoryDisk(before), new MemorySidecar(), old);
  const calls = await callsOf(before.bytes, torn);
  for (let call = 0; call < calls; call++) {
    const first = new FaultyMachine(before.bytes, { kind: "tear", call, bytes: SECTOR * 3 });
    const sidecar = new FaultySidecar(first);
    await stops(first, save(new FaultyDisk(first), sidecar, torn));
    for (let again = 0; again < calls + 3; again++) {
      const second = new FaultyMachine(first.file.bytes, { kind: "stop-after", call: again });
      const note = new FaultySidecar(second);
      note.note = sidecar.note;
      await stops(second, save(new FaultyDisk(second), note, next));
      const what = `torn at ${call}, stopped at ${again}`;
      const after = new MemorySidecar();
      after.note = note.note;
      const found = await load(new MemoryDisk(second.file), after);
      assert.ok([old, torn, next].some((payload) => isSame(payload, found)), what);
      await assertHarmless(new MemoryDisk(second.file), after, what);
    }
  }
});

Deno.test("saveSealed() gives the pages of a save that was interrupted at its header back with the next one", async () => {
  const place = new MemoryFile(INITIAL);
  await save(new MemoryDisk(place), new MemorySidecar(), PAYLOADS[1]!);
  const calls = await callsOf(place.bytes, PAYLOADS[3]!);
  let interrupted = 0;
  for (let call = 0; call < calls; call++) {
    const machine = new FaultyMachine(place.bytes, { kind: "stop-before", call });
    const sidecar = new FaultySidecar(machine);
    await stops(machine, save(new FaultyDisk(machine), sidecar, PAYLOADS[3]!));
    if (sidecar.note === null) continue;
    interrupted++;
    const disk = new MemoryDisk(machine.file);
    const after = new MemorySidecar();
    after.note = sidecar.note;
    await save(disk, after, PAYLOADS[0]!);
    const report = await checkRedDbFile(disk, { sidecar: after });
    assert.ok(report.problems.every(({ harmless }) => harmless) && report.orphanPages <= 1, `stopped before ${call}`);
    // Page 0 and page 2 are of their own kind, page 1 is not looked at, and page 4 was free all along and in no list.
    const known = report.chainPages + report.freePages + report.orphanPages + report.otherPages + 4;
    assert.equal(known, report.pageCount, `stopped before ${call}`);
  }
  assert.ok(interrupted >= 3);
});

Deno.test("saveSealed() that fails before its header is written gives its pages back, and the next one goes on", async () => {
  const place = new MemoryFile(INITIAL);
  for (const payload of [PAYLOADS[1]!, PAYLOADS[3]!, PAYLOADS[2]!]) {
    await save(new MemoryDisk(place), new MemorySidecar(), payload);
  }
  const calls = await callsOf(place.bytes, PAYLOADS[8]!);
  for (let call = 0; call < calls; call++) {
    const machine = new FaultyMachine(place.bytes, { kind: "fail-once", call });
    const sidecar = new MemorySidecar();
    const disk = new FaultyDisk(machine);
    // Notes are not counted here: what fails is a call on the file.
    const failed = await save(disk, sidecar, PAYLOADS[8]!).then(() => false, () => true);
    if (machine.calls <= call) break;
    assert.ok(failed, `call ${call}`);
    const found = await load(disk, sidecar);
    assert.ok([PAYLOADS[2]!, PAYLOADS[8]!].some((payload) => isSame(payload, found)), `call ${call}`);
    if (isSame(found, PAYLOADS[2]!) && sidecar.note === null) {
      const { problems } = await checkRedDbFile(disk, { sidecar });
      assert.deepEqual(problems, [], `call ${call}`);
    }
    await save(disk, sidecar, PAYLOADS[5]!);
    assert.ok(isSame(await load(disk, sidecar), PAYLOADS[5]!));
    await assertHarmless(disk, sidecar, `call ${call}`);
  }
});

Deno.test("readCommitted() puts a header page together from the note, whichever of its sectors were written", async () => {
  const { machine } = await wholeRun();
  const before = new MemoryFile(INITIAL);
  await save(new MemoryDisk(before), new MemorySidecar(), PAYLOADS[1]!);
  const next = new FaultyMachine(before.bytes);
  const probe = new FaultySidecar(next);
  await save(new FaultyDisk(next), probe, PAYLOADS[3]!);
  const write = next.log.findIndex((call) => call.op === "write" && call.offset === 2 * PAGE_SIZE);
  assert.ok(write > 0 && machine.log.length > 0);
  // The same save, stopped where the header is about to be written; nonces are no part of it, so the bytes are the same.
  const image = imageAfter(before.bytes, next.log.slice(0, write), { keeps: () => true });
  const header = next.log[write]! as DiskCall & { op: "write" };
  for (let sectors = 0; sectors < 2 ** (PAGE_SIZE / SECTOR); sectors += DEEP ? 1 : 7) {
    const bytes = new Uint8Array(image);
    for (let sector = 0; sector < PAGE_SIZE / SECTOR; sector++) {
      if ((sectors >> sector & 1) === 0) continue;
      const start = sector * SECTOR;
      bytes.set(header.data.subarray(start, start + SECTOR), 2 * PAGE_SIZE + start);
    }
    const sidecar = new MemorySidecar();
    sidecar.note = probe.removed;
    const found = await load(new MemoryDisk(new MemoryFile(bytes)), sidecar);
    assert.ok(isSame(found, PAYLOADS[sectors === 0 ? 1 : 3]!), `sectors ${sectors.toString(2)}`);
  }
});

/** How many calls a save of a payload over an image makes. */
async function callsOf(image: Uint8Array, payload: Uint8Array): Promise<number> {
  const machine = new FaultyMachine(image);
  await save(new FaultyDisk(machine), new FaultySidecar(machine), payload);
  return machine.calls;
}

/** Waits for work that ends well, or with its machine. */
async function stops(machine: FaultyMachine, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof InputOutputError) || !machine.stopped) throw error;
  }
}

/** Now and then, a write among those that were not synced that is there in part. */
function tearOf(log: readonly DiskCall[], first: number, random: () => number) {
  const index = first + Math.floor(random() * (log.length - first + 1));
  const call = log[index];
  if (call?.op !== "write") return undefined;
  return { index, bytes: SECTOR * Math.floor(random() * (call.data.length / SECTOR)) };
}
