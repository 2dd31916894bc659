/**
 * Whether the anchor is there and level, and whether somebody tried to open the vault in vain.
 *
 * @module
 */
import { ANCHOR_STATES, compareAnchor } from "../anchor_state.ts";
import { counted } from "../output.ts";
import type { Check, Finding, Severity, Subject } from "./finding.ts";

/** States of an anchor that are no cause for anything. */
const FINE = ["none", "level"];

/** Looks at the anchor at a path. Nothing here is authenticated: opening the vault tells for sure. */
export function checkAnchor(path: string): Check {
  // deno-lint-ignore require-await
  return async ({ summary }) => {
    if (summary === undefined) return [];
    const { state } = compareAnchor(path, summary);
    // A copy without an anchor, in the place of a vault that has one, is not opened.
    const displaced = state === "older" || (summary.backup && state === "foreign");
    if (!summary.anchored && !displaced) {
      return [{
        id: "no-anchor",
        severity: "note",
        what: summary.backup ? "This is a backup, which has no anchor" : "The vault has no anchor",
        hint: summary.backup
          ? "Nothing is to be done; a restored vault gets one"
          : "An older copy, put in its place, would be taken for the newest; a vault gets its anchor when it is made",
      }];
    }
    if (FINE.includes(state)) return [];
    const behind = state === "behind";
    return [{
      id: `anchor-${state}`,
      severity: behind ? "note" : "problem",
      ...(state === "older"
        ? { code: "rollback-detected" as const }
        : behind
        ? {}
        : { code: `anchor-${state}` as "anchor-missing" }),
      what: `The anchor "${path}": ${ANCHOR_STATES[state]}`,
      hint: behind
        ? "Nothing is to be done: a crash came between a change and the anchor"
        : "Put the right anchor or the newest vault back; if it is gone for good, run `coffer anchor trust`",
    }];
  };
}

/** Tells of failed tries to open the vault. */
// deno-lint-ignore require-await
export async function checkAttempts({ summary }: Subject): Promise<readonly Finding[]> {
  const { failures = 0, retryAfter = 0 } = summary?.attempts ?? {};
  if (failures === 0) return [];
  const severity: Severity = retryAfter > 0 ? "warning" : "note";
  const finding: Finding = {
    id: "failed-attempts",
    severity,
    what: `${counted(failures, "try", "tries")} to open the vault failed since the last success` +
      (retryAfter > 0 ? `; the next has to wait ${Math.ceil(retryAfter / 1000)} s` : ""),
    hint: "If they were not yours, see who may read the vault; opening it resets the count",
  };
  return [finding];
}
