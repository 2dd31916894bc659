/**
 * Times as users write them: when a secret expires, and since when to look back.
 *
 * @module
 */
import { UsageError } from "../errors.ts";

const SECOND = 1000;
const UNITS: Readonly<Record<string, number>> = {
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
  w: 7 * 86_400 * SECOND,
  y: 365 * 86_400 * SECOND,
};
const EXAMPLES = "Write a date as 2027-01-31 or 2027-01-31T12:00Z, or a time from now as 90m, 12h, 30d, 2w or 1y";

/**
 * Reads a date (`2027-01-31`, `2027-01-31T12:00Z`; UTC unless it names an offset) or a time from now (`30d`).
 *
 * @throws {UsageError}
 */
export function parseExpiry(text: string): Date {
  const duration = /^([0-9]{1,9})([smhdwy])$/.exec(text);
  const date = duration === null ? parseDate(text) : new Date(Date.now() + Number(duration[1]) * UNITS[duration[2]!]!);
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw new UsageError("The expiry is neither a date nor a time from now", { hint: EXAMPLES });
  }
  return date;
}

/**
 * Reads a date, as {@linkcode parseExpiry} does, or a time back from now (`30d`).
 *
 * @throws {UsageError}
 */
export function parsePast(text: string): Date {
  const duration = /^([0-9]{1,9})([smhdwy])$/.exec(text);
  const date = duration === null ? parseDate(text) : new Date(Date.now() - Number(duration[1]) * UNITS[duration[2]!]!);
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw new UsageError("The time is neither a date nor a time back from now", {
      hint: EXAMPLES.replace("from", "before"),
    });
  }
  return date;
}

function parseDate(text: string): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day, time = "00:00", zone = "Z"] = match;
  // A day that its month does not have would roll over into the next one.
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day!)) return undefined;
  return new Date(`${day}T${time}${zone}`);
}
