/**
 * Failed logins under one name or from one source, as values.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";

/** Failed logins that count. */
export interface Failures {
  /** How many. */
  readonly count: number;
  /** Time of the last one, in milliseconds since 1970. */
  readonly last: number;
  /** What they were last written by: tells whether changes that are being committed are in them already. */
  readonly batch?: string;
  /** How many of a source's are whose: the name's hash, and a number. What is not told apart is not here. */
  readonly whose?: readonly (readonly [name: string, count: number])[];
}

/** What changes them. */
export type FailureChange =
  /** One login more failed; from a source, under a name. */
  | { readonly kind: "failed"; readonly time: number; readonly name?: string }
  /** A login under the name succeeded: of a source, what failed under that name counts no longer; else nothing does. */
  | { readonly kind: "succeeded"; readonly name?: string }
  /** The clock was set back: the last failure is taken to be now, so that the wait does pass. */
  | { readonly kind: "settled"; readonly time: number };

/** What failed so long ago, in milliseconds, counts no longer. */
export const FORGOTTEN_AFTER = 24 * 60 * 60 * 1000;
/** Of so many names a source's failures are told apart. */
const MOST_NAMES = 32;

/** The failures after a change; undefined when none are left. */
export function changeFailures(failures: Failures | undefined, change: FailureChange): Failures | undefined {
  switch (change.kind) {
    case "failed":
      return countFailure(isForgotten(failures, change.time) ? undefined : failures, change);
    case "settled":
      return failures === undefined ? undefined : { ...failures, last: Math.min(failures.last, change.time) };
    case "succeeded": {
      if (failures === undefined || change.name === undefined) return undefined;
      const forgiven = failures.whose?.find(([name]) => name === change.name)?.[1] ?? 0;
      const whose = failures.whose?.filter(([name]) => name !== change.name);
      const count = failures.count - forgiven;
      return count <= 0 ? undefined : { ...failures, count, ...(whose === undefined ? {} : { whose }) };
    }
  }
}

/** Whether failures are so old that they count no longer. */
export function isForgotten(failures: Failures | undefined, now: number): boolean {
  return failures !== undefined && now - failures.last > FORGOTTEN_AFTER;
}

function countFailure(
  failures: Failures | undefined,
  { time, name }: Extract<FailureChange, { kind: "failed" }>,
): Failures {
  const count = Math.min((failures?.count ?? 0) + 1, Number.MAX_SAFE_INTEGER);
  const last = Math.max(time, failures?.last ?? 0);
  if (name === undefined) return { count, last };
  const before = failures?.whose ?? [];
  const own = before.find(([other]) => other === name)?.[1] ?? 0;
  const others = before.filter(([other]) => other !== name);
  // A source that tries more names than a person has gets no credit for any further one.
  const whose = own > 0 || others.length < MOST_NAMES ? [...others, [name, own + 1] as const] : others;
  return { count, last, whose };
}

/** Reads failures. @throws {CorruptVaultError} when the record is not of its form */
export function decodeFailures(json: string): Failures {
  let failures: Failures;
  try {
    failures = JSON.parse(json);
  } catch {
    throw new CorruptVaultError("the record of failed logins is not JSON");
  }
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const sound = typeof failures === "object" && failures !== null && isCount(failures.count) &&
    isCount(failures.last) &&
    (failures.batch === undefined || typeof failures.batch === "string") &&
    (failures.whose === undefined || (Array.isArray(failures.whose) &&
      failures.whose.every((one) => Array.isArray(one) && typeof one[0] === "string" && isCount(one[1]))));
  if (!sound) throw new CorruptVaultError("the record of failed logins is not of its form");
  return failures;
}
