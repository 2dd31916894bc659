/**
 * Policies, as the command line writes them.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import type { Vault } from "../vault.ts";
import { counted, shown, warn } from "./output.ts";

/** Words for the values of a policy. */
const SWITCH = new Map<string, unknown>([["on", true], ["true", true], ["off", false], ["false", false]]);
/** What each policy can be set to: words, and behind them what the library takes. */
const VALUES: ReadonlyMap<string, ReadonlyMap<string, unknown>> = new Map([
  ["audit-reads", SWITCH],
  ["plaintext-export", new Map<string, unknown>([["allow", "allow"], ["forbid", "forbid"]])],
  ["require-reason", SWITCH],
  ["max-secret-age", new Map<string, unknown>([["none", null]])],
]);
const AGE = "max-secret-age";
/** Days of the units that an age can be given in. */
const UNITS: Readonly<Record<string, number>> = { d: 1, w: 7, y: 365 };

/**
 * The value that a word stands for.
 *
 * @throws {UsageError} when there is no such policy, or it can not have the value
 */
export function parsePolicy(name: string, word: string): unknown {
  const values = VALUES.get(name);
  if (values === undefined) throw new UsageError(`There is no such policy; there are ${[...VALUES.keys()].join(", ")}`);
  if (values.has(word)) return values.get(word);
  const [, count, unit = "d"] = /^([1-9][0-9]{0,4})([dwy])?$/.exec(word) ?? [];
  const days = Number(count) * UNITS[unit]!;
  if (name === AGE && days <= 36_500) return days;
  const words = name === AGE
    ? "days from 1 to 36500 (90, 90d, 12w, 1y), or none"
    : [...values.keys()].slice(0, 4).join(", ");
  throw new UsageError(`The policy ${name} takes ${words}`);
}

/** A value as `policy set` takes it. */
export function shownPolicy(value: unknown): string {
  return value === null ? "none" : value === true ? "on" : value === false ? "off" : String(value);
}

/** Warns of values that are older than the vault's policy wants, of those names only that are given. */
export async function warnOverdue(vault: Vault, names?: ReadonlySet<string>): Promise<void> {
  const overdue = (await vault.policies.overdue()).filter((name) => names === undefined || names.has(name));
  if (overdue.length === 0) return;
  const some = overdue.slice(0, 3).map((name) => `"${shown(name)}"`).join(", ");
  const more = overdue.length > 3 ? ", …" : "";
  const verb = overdue.length === 1 ? "is" : "are";
  warn(`${counted(overdue.length, "secret")} ${verb} older than the policy ${AGE} wants: ${some}${more}`);
}
