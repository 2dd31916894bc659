/**
 * A machine that fails on demand, and the files that a loss of power may leave behind.
 *
 * @module
 */
import type { Bytes } from "../../lib/bytes.ts";
import { InputOutputError } from "../../lib/errors.ts";
import type { Disk, Lock, LockMode, LockOptions } from "../../lib/storage/disk.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";

/** One call that changes a file or makes it durable. */
export type DiskCall =
  | { readonly op: "write"; readonly offset: number; readonly data: Bytes }
  | { readonly op: "truncate"; readonly size: number }
  | { readonly op: "sync" };

/** What goes wrong, and at which call, counted from 0 over all handles. */
export type Fault =
  /** The machine stops before or after the call. */
  | { readonly kind: "stop-before" | "stop-after"; readonly call: number }
  /** The machine stops when so many bytes of the write are there. */
  | { readonly kind: "tear"; readonly call: number; readonly bytes: number }
  /** The call fails, and the machine goes on; a failed write wrote nothing, a failed sync promised nothing. */
  | { readonly kind: "fail-once" | "fail-from"; readonly call: number; readonly error?: Error };

/** One file, its log, and what is to go wrong with it. Handles on it are {@linkcode FaultyDisk}s. */
export class FaultyMachine {
  /** What every process would see: the system's cache. */
  readonly file: MemoryFile;
  /** The calls that took effect, in order. */
  readonly log: DiskCall[] = [];
  /** How many calls were begun. */
  calls = 0;
  /** Whether the machine stopped. */
  stopped = false;
  /** What is to go wrong. */
  fault: Fault | undefined;

  /** Starts with durable contents, or none. */
  constructor(contents?: Uint8Array, fault?: Fault) {
    this.file = new MemoryFile(contents);
    this.fault = fault;
  }

  /** Throws when the machine has stopped. */
  assertRunning(): void {
    if (this.stopped) throw stoppedError();
  }

  /** Does a call, or what the fault makes of it. */
  async call(call: DiskCall, disk: MemoryDisk): Promise<void> {
    this.assertRunning();
    const number = this.calls++;
    const { fault } = this;
    const hit = fault !== undefined && fault.call === number;
    if ((hit && fault.kind === "fail-once") || (fault?.kind === "fail-from" && number >= fault.call)) {
      throw fault.error ?? new InputOutputError(call.op, "faulty");
    }
    if (hit && fault.kind === "stop-before") return this.#stop();
    const torn = hit && fault.kind === "tear" && call.op === "write";
    const done = torn ? { ...call, data: call.data.slice(0, fault.bytes) } : call;
    this.log.push(done);
    if (done.op === "write") await disk.writeAt(done.data, done.offset);
    if (done.op === "truncate") await disk.truncate(done.size);
    if (hit) this.#stop();
  }

  #stop(): void {
    this.stopped = true;
    throw stoppedError();
  }
}

/** One handle on a {@linkcode FaultyMachine}. */
export class FaultyDisk implements Disk {
  readonly path = "faulty";
  readonly readOnly = false;
  /** The machine. */
  readonly machine: FaultyMachine;
  readonly #disk: MemoryDisk;

  /** Opens a handle. */
  constructor(machine: FaultyMachine = new FaultyMachine()) {
    this.machine = machine;
    this.#disk = new MemoryDisk(machine.file, this.path);
  }

  // deno-lint-ignore require-await
  async readAt(target: Uint8Array, offset: number): Promise<number> {
    this.machine.assertRunning();
    return this.#disk.readAt(target, offset);
  }

  async writeAt(data: Uint8Array, offset: number): Promise<void> {
    this.machine.assertRunning();
    // An empty write only asks whether writing is allowed: no machine stops at it.
    if (data.length > 0) await this.machine.call({ op: "write", offset, data: new Uint8Array(data) }, this.#disk);
  }

  sync(): Promise<void> {
    return this.machine.call({ op: "sync" }, this.#disk);
  }

  // deno-lint-ignore require-await
  async size(): Promise<number> {
    this.machine.assertRunning();
    return this.#disk.size();
  }

  truncate(size: number): Promise<void> {
    return this.machine.call({ op: "truncate", size }, this.#disk);
  }

  // deno-lint-ignore require-await
  async lock(mode: LockMode, options: LockOptions = {}): Promise<Lock & { readonly replaced: boolean }> {
    this.machine.assertRunning();
    return this.#disk.lock(mode, options);
  }

  close(): void {
    this.#disk.close();
  }
}

/** How many calls of a log, from its start, are durable: those up to its last sync. */
export function durableCalls(log: readonly DiskCall[]): number {
  return log.findLastIndex(({ op }) => op === "sync") + 1;
}

/** What power left of a log. */
export interface Survivors {
  /** Whether the unsynced call at an index of the log reached the disk. */
  readonly keeps: (index: number) => boolean;
  /** A write that only so many bytes of reached the disk. */
  readonly torn?: { readonly index: number; readonly bytes: number };
}

/** The file after a loss of power: all up to the last sync, and of the later calls those that survived. */
export function imageAfter(initial: Uint8Array, log: readonly DiskCall[], survivors: Survivors): Bytes {
  const durable = durableCalls(log);
  let bytes = new Uint8Array(initial);
  const resize = (size: number) => {
    const resized = new Uint8Array(size);
    resized.set(bytes.subarray(0, size));
    bytes = resized;
  };
  for (const [index, call] of log.entries()) {
    if (index >= durable && !survivors.keeps(index)) continue;
    if (call.op === "truncate") resize(call.size);
    if (call.op !== "write") continue;
    const data = survivors.torn?.index === index ? call.data.subarray(0, survivors.torn.bytes) : call.data;
    if (call.offset + data.length > bytes.length) resize(call.offset + data.length);
    bytes.set(data, call.offset);
  }
  return bytes;
}

function stoppedError(): InputOutputError {
  return new InputOutputError("use", "faulty", { hint: "The machine has stopped" });
}
