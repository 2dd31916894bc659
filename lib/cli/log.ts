/**
 * The log of a command, on stderr: for people, or as JSON.
 *
 * @module
 */
import { configure, type LogRecord } from "@logtape/logtape";
import { prepareLog } from "../log.ts";
import type { GlobalFlags } from "./flags.ts";
import { shown, writeErr } from "./output.ts";

/** Sends the library's log to stderr: all of it with `--verbose`, else what is of level `info` and above. */
export async function startLog({ verbose, logFormat = "text" }: GlobalFlags): Promise<void> {
  const format = logFormat === "json" ? asJson : asText;
  await configure({
    sinks: { stderr: (record) => writeErr(`${format(record)}\n`) },
    loggers: [
      { category: "coffer", lowestLevel: verbose ? "debug" : "info", sinks: ["stderr"] },
      // Of its own affairs LogTape tells only what went wrong.
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
  await prepareLog();
}

/** `coffer: debug: vault: Committed generation 3: a delta of 120 bytes`. */
function asText(record: LogRecord): string {
  const area = record.category.filter((part) => part !== "coffer").join(".");
  return `coffer: ${record.level}: ${area}: ${shown(messageOf(record))}`;
}

/** What an entry says, with its parts by name. */
function asJson(record: LogRecord): string {
  const { timestamp, level, category, properties } = record;
  const logger = category.join(".");
  return JSON.stringify({
    time: new Date(timestamp).toISOString(),
    level,
    logger,
    message: messageOf(record),
    properties,
  });
}

function messageOf({ message }: LogRecord): string {
  return message.map(String).join("");
}
