/**
 * The commands for the audit log.
 *
 * @module
 */
import { AUDIT_OPERATIONS } from "../../audit/entry.ts";
import { command, none, routes } from "../define.ts";
import { choice, parsed, text, toggle } from "../flags.ts";

const auditLs = command({
  brief: "Show what was done",
  description: `Show what was done to the vault, oldest first: the audit log. \`coffer audit\` alone means this.

WHEN is a date (2027-01-31, 2027-01-31T12:00Z) or a time back from now (90m, 12h, 30d, 2w, 1y).

JSON: an array of sequence, time, operation, and where there are any name, to, count, slot, actor, reason; with --verify
ok, length, pruned, head`,
  examples: [["coffer audit"], ["coffer audit ls --since 7d --op secret.read --name 'db/**'"], [
    "coffer audit ls --verify",
  ]],
  load: () => import("../audit_ls.ts"),
  flags: {
    since: parsed("WHEN", "Only entries of this time or later", parsePast),
    until: parsed("WHEN", "Only entries before this time", parsePast),
    op: choice("OPERATION", AUDIT_OPERATIONS, "Only one operation, such as secret.set"),
    name: text("PATTERN", "Only names, old or new, that match: a glob, as for ls"),
    verify: toggle("Recompute the chain over all entries instead; exit code 6 when it is broken"),
  },
  positional: none(),
});

const auditPrune = command({
  brief: "Let old entries go",
  description: `Let the oldest entries of the log go, up to the first one that is not before a time. What is left still
verifies, and an entry says how many went. Asks once on a terminal.

JSON: pruned, how many entries went`,
  examples: [["coffer audit prune --before 1y"]],
  load: () => import("../audit_prune.ts"),
  flags: {
    before: parsed("WHEN", "A date, or a time back from now: 90m, 12h, 30d, 2w, 1y; needed", parsePast),
    yes: toggle("Do not ask"),
  },
  positional: none(),
});

/** `coffer audit`; alone it means `coffer audit ls`. */
export const audit = routes("Show what was done, and let old entries go", { ls: auditLs, prune: auditPrune }, "ls");

async function parsePast(input: string): Promise<Date> {
  const { parsePast } = await import("../expiry.ts");
  return parsePast(input);
}
