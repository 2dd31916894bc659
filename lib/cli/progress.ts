/**
 * How far long work is, on a terminal.
 *
 * @module
 */
import { canShowTransients, clearTransient, lastTouched, showTransient, touch } from "./transient.ts";

/** Work that is done sooner, in milliseconds, shows nothing. */
const PATIENCE = 500;
/** The same for work of which nobody knows how long it takes. */
const LONG_PATIENCE = 1000;
/** Milliseconds between two lines. */
const PAUSE = 100;

/** Shows how much is done, on one line of stderr that goes when all is; undefined when there is nobody to see it. */
export function showProgress(what: string): ((done: number, total: number) => void) | undefined {
  if (!canShowTransients()) return undefined;
  let next = performance.now() + PATIENCE;
  return (done, total) => {
    if (done >= total) clearTransient();
    else if (performance.now() >= next) {
      next = performance.now() + PAUSE;
      showTransient(`${Math.floor(100 * done / total)} % ${what}`);
      touch();
    }
  };
}

/**
 * Runs work that cannot say how far it is. What it does and for how many seconds is shown on one line of stderr, which
 * goes with the work; only on a terminal, and not before it took a second without a question.
 *
 * @param what what is done, such as `importing`
 * @param work may call `say` when it begins to do something else
 */
export async function waitingFor<T>(what: string, work: (say: (what: string) => void) => Promise<T>): Promise<T> {
  if (!canShowTransients()) return await work(() => {});
  let current = what;
  let since = performance.now();
  const timer = setInterval(() => {
    const waited = performance.now() - Math.max(since, lastTouched());
    if (waited >= LONG_PATIENCE) showTransient(`${current}… ${Math.floor(waited / 1000)} s`);
  }, PAUSE);
  try {
    return await work((next) => {
      current = next;
      since = performance.now();
    });
  } finally {
    clearInterval(timer);
    clearTransient();
  }
}
