/**
 * Looking at every record of users and their keys: whether it is of its form.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import type { RecordReader } from "../state/records.ts";
import { API_KEY, API_KEY_USED, decodeApiKey, lastUsed } from "./api_key_record.ts";
import { decodeFailures } from "./failures.ts";
import { readKeyPair } from "./key_pair_record.ts";
import { LOGIN_FAILURES } from "./login_limits.ts";
import { decodeUser, USER } from "./user_record.ts";

/** What is damaged, in words that name nobody. */
export function checkAuthRecords(records: RecordReader): readonly string[] {
  const problems: string[] = [];
  const each = (kind: string, decode: (key: string, json: string) => unknown) => {
    for (const key of records.keys(kind)) noting(problems, () => decode(key, records.get(kind, key)!));
  };
  each(USER, (_, json) => decodeUser(json));
  each(API_KEY, (_, json) => decodeApiKey(json));
  each(API_KEY_USED, (key) => lastUsed(records, key));
  each(LOGIN_FAILURES, (_, json) => decodeFailures(json));
  noting(problems, () => readKeyPair(records)?.secret.fill(0));
  return problems;
}

function noting(problems: string[], decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof CorruptVaultError)) throw error;
    problems.push(error.message);
  }
}
