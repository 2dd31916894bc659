/**
 * How far long work is, on a terminal.
 *
 * @module
 */
import { writeErr } from "./output.ts";

/** Work that is done sooner, in milliseconds, shows nothing. */
const PATIENCE = 500;
/** Milliseconds between two lines. */
const PAUSE = 100;

/** Shows how much is done, on one line of stderr that goes when all is; undefined when stderr is no terminal. */
export function showProgress(what: string): ((done: number, total: number) => void) | undefined {
  if (!Deno.stderr.isTerminal()) return undefined;
  let next = performance.now() + PATIENCE;
  let shown = false;
  return (done, total) => {
    if (done >= total) {
      if (shown) writeErr("\r\x1b[K");
      shown = false;
    } else if (performance.now() >= next) {
      next = performance.now() + PAUSE;
      shown = true;
      writeErr(`\r\x1b[K${Math.floor(100 * done / total)} % ${what}`);
    }
  };
}
