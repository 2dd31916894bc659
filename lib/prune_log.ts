/**
 * Letting the oldest entries of the audit log go.
 *
 * @module
 */
import { EMPTY_LOG, extendLog, type LogHead } from "./audit/chain.ts";
import { AUDIT, decodeEntry } from "./audit/entry.ts";
import { CHECKPOINT, encodeCheckpoint, verifyLog } from "./audit/log.ts";
import type { Bytes } from "./bytes.ts";
import { auditLines, encode, planWithLog } from "./commit_plan.ts";
import type { Engine } from "./engine.ts";
import type { Line } from "./state/lines.ts";

/** Lets the entries before a time go: see `AuditLog.prune`. */
export async function pruneLog(engine: Engine, before: Date): Promise<number> {
  const time = before.getTime();
  if (Number.isNaN(time)) throw new TypeError("The time up to which entries go is no valid date");
  return await engine.exclusively(async (now) => {
    const { head, count, kept } = await split(engine, time);
    if (count === 0) return 0;
    const checkpoint: Line = [AUDIT, CHECKPOINT, encodeCheckpoint(head)];
    const log = [...encode([checkpoint]), ...kept];
    await engine.rewrite(
      { operation: "audit.prune", count },
      (live, changes) => planWithLog(live, changes, [...log, ...encode(auditLines([changes]))]),
      now,
    );
    return count;
  });
}

/** Where the log ends whose entries go, how many of them are still there, and the lines of the others. */
async function split(
  engine: Engine,
  time: number,
): Promise<{ head: LogHead; count: number; kept: readonly Bytes[] }> {
  let head = EMPTY_LOG;
  let count = 0;
  let keeping = false;
  const kept: Bytes[] = [];
  await verifyLog(engine.keys, engine.live.generation, async ({ first, entries }, before) => {
    let going = 0;
    while (!keeping && going < entries.length) {
      if (decodeEntry(first + going, entries[going]!).time >= time) keeping = true;
      else going++;
    }
    if (going > 0) head = await extendLog(before, entries.slice(0, going));
    count += going;
    const lines = entries.slice(going).map((json, index): Line => [AUDIT, String(first + going + index), json]);
    if (lines.length > 0) kept.push(...encode(lines));
  });
  return { head, count, kept };
}
