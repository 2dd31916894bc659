/**
 * Tags that tell sessions which count from those that were revoked.
 *
 * A token holds the tags of its user and of all users as they were when it was made; to revoke sessions is to draw another
 * tag. Unlike a time, that is right whatever clocks say: one that ran ahead would have made tokens that begin after their
 * revocation.
 *
 * @module
 */
import { encodeHex } from "../bytes.ts";
import { randomBytes } from "../crypto/random.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";
import { AUTH } from "./secret.ts";
import type { StoredUser } from "./user_record.ts";

const ALL_USERS = "sessions";
const TAG_SIZE = 8;

/** Draws a tag. */
export function newSessionTag(): string {
  return encodeHex(randomBytes(TAG_SIZE));
}

/** What a token of the user must hold to count. */
export function sessionTag(records: RecordReader, user: StoredUser): string {
  return `${user.sessions}.${records.get(AUTH, ALL_USERS) ?? "0"}`;
}

/** Ends every session of every user. */
export function endAllSessions(records: RecordWriter): void {
  // Digits only, so that the text is the JSON of a number: it need not be parsed.
  const number = Number(records.get(AUTH, ALL_USERS) ?? "0") + 1;
  records.put(AUTH, ALL_USERS, String(number));
}
