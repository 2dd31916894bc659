/**
 * Times as they are stored: milliseconds since 1970.
 *
 * @module
 */

/** The latest time that a date can have (ECMA-262, section 21.4.1.1): a later one could not be shown. */
export const LATEST_TIME = 8_640_000_000_000_000;

/** Whether a value is a whole number of milliseconds since 1970 that a date can have. */
export function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LATEST_TIME;
}
