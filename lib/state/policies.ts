/**
 * Policies: what a vault asks of those who use it, as records of the state.
 *
 * @module
 */
import type { AuditOrigin } from "../audit/entry.ts";
import { CorruptVaultError, PolicyError } from "../errors.ts";
import type { RecordReader } from "./records.ts";
import { currentVersion, getSecret, SECRET } from "./secret.ts";

/** Kind of the records that hold policies; their key is the policy's name. */
export const POLICY = "policy";

/** The policies of a vault, by name. */
export interface PolicyValues {
  /** Whether reading a value is noted in the log, before the value is given. */
  readonly "audit-reads": boolean;
  /** Whether values may be exported without encryption. */
  readonly "plaintext-export": "allow" | "forbid";
  /** Whether every change needs a reason. */
  readonly "require-reason": boolean;
  /** After how many days a value counts as old; null for never. */
  readonly "max-secret-age": number | null;
}

/** Name of a policy. */
export type PolicyName = keyof PolicyValues;

/** What holds where nothing was set. */
export const DEFAULT_POLICIES: PolicyValues = {
  "audit-reads": false,
  "plaintext-export": "allow",
  "require-reason": false,
  "max-secret-age": null,
};

/** The names of all policies. */
export const POLICY_NAMES: readonly PolicyName[] = Object.keys(DEFAULT_POLICIES) as PolicyName[];

/** Longest age that a policy may name, in days. */
const MAX_AGE = 36_500;
const DAY = 86_400_000;

/** The value of a policy. @throws {CorruptVaultError} when its record is not of its form */
export function readPolicy<NAME extends PolicyName>(records: RecordReader, name: NAME): PolicyValues[NAME] {
  const json = records.get(POLICY, name);
  if (json === undefined) return DEFAULT_POLICIES[name];
  try {
    const value = JSON.parse(json);
    checkPolicy(name, value);
    return value;
  } catch {
    throw new CorruptVaultError("the record of a policy is not of its form");
  }
}

/** Sets a policy that was checked. */
export function writePolicy<NAME extends PolicyName>(
  records: { put(kind: string, key: string, json: string): void },
  name: NAME,
  value: PolicyValues[NAME],
): void {
  records.put(POLICY, name, JSON.stringify(value));
}

/**
 * Refuses a policy that there is not, and a value that it can not have.
 *
 * @throws {TypeError}
 */
export function checkPolicy(name: string, value: unknown): void {
  switch (name) {
    case "audit-reads":
    case "require-reason":
      if (typeof value !== "boolean") throw new TypeError(`The policy ${name} is true or false`);
      return;
    case "plaintext-export":
      if (value !== "allow" && value !== "forbid") throw new TypeError(`The policy ${name} is "allow" or "forbid"`);
      return;
    case "max-secret-age":
      if (value !== null && !(Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_AGE)) {
        throw new TypeError(`The policy ${name} is null, or a number of days from 1 to ${MAX_AGE}`);
      }
      return;
    default:
      throw new TypeError(`There is no such policy; there are ${POLICY_NAMES.join(", ")}`);
  }
}

/**
 * Fails when a vault's policy asks for a reason and none was given.
 *
 * @throws {PolicyError}
 */
export function assertReason({ reason }: AuditOrigin, records: RecordReader): void {
  if (reason || !readPolicy(records, "require-reason")) return;
  throw new PolicyError("require-reason", "reason-required", "Every change of this vault needs a reason");
}

/** Whether a change takes a restriction away, so that whoever makes it must show a credential again. */
export function lifts<NAME extends PolicyName>(name: NAME, before: PolicyValues[NAME], after: unknown): boolean {
  switch (name) {
    case "audit-reads":
    case "require-reason":
      return before === true && after === false;
    case "plaintext-export":
      return before === "forbid" && after === "allow";
    default:
      return false;
  }
}

/** All policies; where nothing was set, what holds then. @throws {CorruptVaultError} */
export function readPolicies(records: RecordReader): PolicyValues {
  return Object.fromEntries(POLICY_NAMES.map((name) => [name, readPolicy(records, name)])) as unknown as PolicyValues;
}

/** The stricter value of each policy. */
export function stricter(one: PolicyValues, other: PolicyValues): PolicyValues {
  const ages = [one["max-secret-age"], other["max-secret-age"]].filter((days) => days !== null);
  return {
    "audit-reads": one["audit-reads"] || other["audit-reads"],
    "plaintext-export": [one, other].some((each) => each["plaintext-export"] === "forbid") ? "forbid" : "allow",
    "require-reason": one["require-reason"] || other["require-reason"],
    "max-secret-age": ages.length === 0 ? null : Math.min(...ages),
  };
}

/** Names of the secrets whose value is older than the policy wants, sorted. */
export function overdueSecrets(records: RecordReader, now: number): string[] {
  const days = readPolicy(records, "max-secret-age");
  if (days === null) return [];
  const isOld = (name: string) => now - currentVersion(getSecret(records, name)).created > days * DAY;
  return [...records.keys(SECRET)].filter(isOld).sort();
}
