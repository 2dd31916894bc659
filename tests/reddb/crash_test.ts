/**
 * What a save that was interrupted leaves beside the state: its pages, and its note. That the state itself survives any
 * crash is tried with all other operations, in `tests/crash`.
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
import { type DiskCall, FaultyDisk, FaultyMachine, imageAfter } from "../storage/faulty_disk.ts";
import { DEEP, filled } from "../storage/helpers.ts";
import { foreignFile, MemorySidecar } from "./helpers.ts";

const PAGE_SIZE = 4096;
/** The unit that a disk writes whole. */
const SECTOR = 512;
const SALT = filled(16, 999);
/** Lengths of the payloads of a run, one save each: growth, shrinking, no chain at all, trunks that empty. */
const LENGTHS = [100, 30_000, 4_031, 60_000, 28, 4_032, 25_000, 8_087, 90_000, 12_000];
const PAYLOADS = LENGTHS.map((length, index) => filled(length, index + 1));
const INITIAL = foreignFile(PAGE_SIZE);

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

async function assertHarmless(disk: Disk, sidecar: Sidecar, what: string): Promise<void> {
  const { problems } = await checkRedDbFile(disk, { sidecar });
  assert.deepEqual(problems.filter(({ harmless }) => !harmless), [], what);
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

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
  const before = new MemoryFile(INITIAL);
  await save(new MemoryDisk(before), new MemorySidecar(), PAYLOADS[1]!);
  const next = new FaultyMachine(before.bytes);
  const probe = new FaultySidecar(next);
  await save(new FaultyDisk(next), probe, PAYLOADS[3]!);
  const write = next.log.findIndex((call) => call.op === "write" && call.offset === 2 * PAGE_SIZE);
  assert.ok(write > 0);
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
