/**
 * Transactions that wait for their turn, and for how long they do.
 *
 * @module
 */
import type { Asked } from "./batch.ts";
import { BusyError, VaultClosedError } from "./errors.ts";
import type { LockOptions } from "./storage/disk.ts";
import { DEFAULT_TIMEOUT } from "./storage/locking.ts";

/** A transaction that waits. */
export interface Waiting extends Asked {
  /** How long it waits, for its turn and for the lock. */
  readonly options: LockOptions;
}

interface Place extends Waiting {
  resolve: Waiting["resolve"];
  reject: Waiting["reject"];
}

/** A line of transactions, first come, first served. */
export class WaitingLine {
  readonly #line: Place[] = [];

  /** The one whose turn it is; it stays in the line. */
  get first(): Waiting | undefined {
    return this.#line[0];
  }

  /** Joins the line. With a limit, the wait for the turn ends when the lock's time-out does. */
  join(waiting: Waiting, limited: boolean): void {
    const place: Place = { ...waiting };
    // The lock has a time-out of its own: a timer is for those that wait for their turn before that.
    if (limited) this.#limit(place);
    this.#line.push(place);
  }

  /** The one whose turn it is; it leaves the line, and is given up no more. */
  take(): Waiting | undefined {
    return this.#line.shift();
  }

  /** Takes one out of the line; false when it was not in it any more. */
  leave(waiting: Waiting): boolean {
    const index = this.#line.indexOf(waiting as Place);
    if (index >= 0) this.#line.splice(index, 1);
    return index >= 0;
  }

  /** Ends the line: everyone in it is told that the vault is closed. */
  close(): void {
    for (const { reject } of this.#line.splice(0)) reject(new VaultClosedError());
  }

  /**
   * A transaction that waits for its turn longer than for a lock is given up. It is also what ends a transaction that
   * was started, and is awaited, inside another one of the same vault.
   */
  #limit(place: Place): void {
    const { timeout = DEFAULT_TIMEOUT, signal } = place.options;
    const { resolve, reject } = place;
    const giveUp = (reason: unknown) => {
      if (!this.leave(place)) return;
      finish();
      reject(reason);
    };
    const onAbort = () => giveUp(signal!.reason);
    // Being already at work counts from here; being next in line counts as waiting.
    const timer = setTimeout(() => giveUp(otherDidNotEnd(timeout)), timeout + 50);
    signal?.addEventListener("abort", onAbort, { once: true });
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    place.resolve = (value) => (finish(), resolve(value));
    place.reject = (reason) => (finish(), reject(reason));
  }
}

/** What a wait behind another use of the same vault ends with. */
export function otherDidNotEnd(timeout: number): BusyError {
  return new BusyError("Another transaction of this process did not end", timeout, {
    hint: "Inside a transaction, do not await another use of the same vault",
  });
}
