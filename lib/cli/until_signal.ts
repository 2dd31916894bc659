/**
 * Work that a signal ends early, in good order.
 *
 * Not for a command that is run for somebody, which gets the signals itself: see `run/signals.ts`.
 *
 * @module
 */

/** What asks a process to end, where the system has it and lets a process notice. */
export const END_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"];

/**
 * Runs work while signals do not end the process. The work gets a promise that resolves with the first signal.
 *
 * @param signals which signals
 */
export async function untilSignal<T>(
  work: (signalled: Promise<Deno.Signal>) => Promise<T>,
  signals: readonly Deno.Signal[] = END_SIGNALS,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  const listeners = signals.map((signal) => [signal, () => resolve(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    return await work(promise);
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}
