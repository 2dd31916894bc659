/**
 * The library's log, by way of LogTape: silent until the program that uses the library configures LogTape.
 *
 * Loading LogTape takes longer than opening a small vault, so nothing here does while nobody listens. A program that
 * configures LogTape has loaded it, and whichever copy that was, it keeps its loggers under one name that all copies
 * share: while there is nothing of that name there is nobody to tell. A call on the way of a commit then costs a look at
 * one property, and none of its arguments is computed.
 *
 * No entry holds a value, a credential, a key, or the name of a secret. Numbers, kinds, paths and error codes are fine.
 *
 * @module
 */
import { CofferError } from "./errors.ts";

/** What an entry is about; its category is `coffer` and this. */
export type LogArea = "storage" | "vault" | "auth";

/** How much an entry matters. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Writes an entry. Names in braces in the message stand for properties. */
export type LogEntry = (message: string, properties: Readonly<Record<string, unknown>>) => void;

/** Where every copy of LogTape keeps its loggers. */
const LOGGERS = Symbol.for("logtape.rootLogger");

type LogTape = typeof import("@logtape/logtape");

let logTape: LogTape | undefined;
let loading: Promise<LogTape> | undefined;

/**
 * What writes an entry, or undefined while nobody listens: `logger("vault", "info")?.("Opened", {})`.
 *
 * Entries from before LogTape is loaded here are kept, in order, and written as soon as it is.
 */
export function logger(area: LogArea, level: LogLevel): LogEntry | undefined {
  if (!(LOGGERS in globalThis)) return undefined;
  if (logTape === undefined) {
    return (message, properties) => {
      const write = (loaded: LogTape) => entry(loaded, area, level)?.(message, properties);
      // A log that cannot be loaded is no reason for what is logged to fail.
      void load().then(write, () => {});
    };
  }
  return entry(logTape, area, level);
}

/** Waits until the log can be written to, when somebody listens. */
export async function prepareLog(): Promise<void> {
  if (!(LOGGERS in globalThis) || logTape !== undefined) return;
  try {
    await load();
  } catch { /* As above. */ }
}

/** Writes an entry about what failed: its code, or the class of an error that is not coffer's own; never its message. */
export function logFailure(area: LogArea, operation: string, error: unknown): void {
  const code = error instanceof CofferError ? error.code : error instanceof Error ? error.name : typeof error;
  logger(area, "error")?.("Failed to {operation}: {code}", { operation, code });
}

/** Writes an entry about a torn newer commit that was passed over: a crash, or somebody's doing. */
export function logRecovered(generation: number, path: string): void {
  logger("storage", "warning")?.("A newer commit is torn: generation {generation} stands", { generation, path });
}

function entry({ getLogger }: LogTape, area: LogArea, level: LogLevel): LogEntry | undefined {
  const log = getLogger(["coffer", area]);
  if (!log.isEnabledFor(level)) return undefined;
  return (message, properties) => log[level](message, { ...properties });
}

function load(): Promise<LogTape> {
  return loading ??= import("@logtape/logtape").then((loaded) => logTape = loaded);
}
