/**
 * A terminal without echo, for as long as a hidden answer takes and not a moment longer.
 *
 * @module
 */
import { InterruptedError } from "../errors.ts";
import { untilSignal } from "./until_signal.ts";

/**
 * Runs work while the terminal shows nothing of what is typed. A signal that would end the process ends the work: a
 * process that died at once would leave a terminal behind that shows nothing of what its user types next.
 *
 * @param work gets a promise that rejects when a signal comes; it must not wait for anything else alone
 * @throws {InterruptedError} when a signal came
 */
export async function withoutEcho<T>(work: (interrupted: Promise<never>) => Promise<T>): Promise<T> {
  // First the signals, then the terminal: there is no moment in which one could leave it as it is.
  return await untilSignal(async (signalled) => {
    const interrupted = signalled.then((): never => {
      throw new InterruptedError();
    });
    // A signal may come when the work is over and nobody waits for this any more.
    interrupted.catch(() => {});
    try {
      Deno.stdin.setRaw(true);
      return await work(interrupted);
    } finally {
      restore();
    }
  });
}

/** A terminal that has gone away, as after SIGHUP, needs nothing; it must not hide why the work ended. */
function restore(): void {
  try {
    Deno.stdin.setRaw(false);
  } catch { /* Nobody is there to type. */ }
}
