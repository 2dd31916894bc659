/**
 * What a vault remembers of keys and anchors before its own, so that a crash between a commit and its anchor is told from
 * an older copy.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { HMAC_SIZE, type HmacKey, importHmacKey } from "../crypto/hmac.ts";
import { wipe } from "../crypto/random.ts";
import { DIGEST_SIZE, sha256 } from "../crypto/sha256.ts";
import { CorruptVaultError } from "../errors.ts";
import { type Changes, type RecordReader, setChange } from "../state/records.ts";

/** Kind of the records about the vault's own keys and anchors. */
export const EPOCH = "epoch";

/** Where the anchor key of the epoch before stands: a crash between a rotation and its anchor leaves the old anchor. */
export const PREVIOUS_ANCHOR = { kind: EPOCH, key: "previous-anchor" } as const;

/** Where stands what a restore or a repair put an older version over. */
const SUPERSEDED = { kind: EPOCH, key: "superseded" } as const;

/** What an older version was put over. */
export interface Superseded {
  /** The highest epoch that was known then: the next key is of a higher one, so that none comes twice. */
  readonly epoch: number;
  /** SHA-256 of the anchor that stood there, to the byte: it is behind, whatever it says. Absent when there was none. */
  readonly anchor?: Bytes;
}

/** The JSON text of the record. */
export function encodePreviousAnchorKey(raw: Bytes): string {
  return JSON.stringify(encodeBase64(raw));
}

/** The anchor key of the epoch before; undefined in the first. @throws {CorruptVaultError} */
export async function previousAnchorKey(records: RecordReader): Promise<HmacKey | undefined> {
  const json = records.get(PREVIOUS_ANCHOR.kind, PREVIOUS_ANCHOR.key);
  if (json === undefined) return undefined;
  let raw: Bytes;
  try {
    raw = decodeBase64(JSON.parse(json));
    if (raw.length !== HMAC_SIZE) throw new RangeError();
  } catch {
    throw new CorruptVaultError("the record of the anchor key before is not of its form");
  }
  const key = await importHmacKey(raw);
  wipe(raw);
  return key;
}

/** Notes what a version is put over, in place of what an earlier time noted. */
export async function supersede(changes: Changes, epoch: number, anchor: Bytes | undefined): Promise<void> {
  const digest = anchor === undefined ? {} : { anchor: encodeBase64(await sha256(anchor)) };
  setChange(changes, SUPERSEDED.kind, SUPERSEDED.key, JSON.stringify({ epoch, ...digest }));
}

/** Forgets it: a new key is above all that was known, and its anchor is of its own. */
export function forgetSuperseded(changes: Changes, records: RecordReader): void {
  if (records.get(SUPERSEDED.kind, SUPERSEDED.key) === undefined) return;
  setChange(changes, SUPERSEDED.kind, SUPERSEDED.key, null);
}

/** What the vault was put over; undefined when it was not. @throws {CorruptVaultError} */
export function readSuperseded(records: RecordReader): Superseded | undefined {
  const json = records.get(SUPERSEDED.kind, SUPERSEDED.key);
  if (json === undefined) return undefined;
  try {
    const { epoch, anchor } = JSON.parse(json);
    if (!Number.isSafeInteger(epoch) || epoch < 1) throw new RangeError();
    if (anchor === undefined) return { epoch };
    const digest = decodeBase64(anchor);
    if (digest.length !== DIGEST_SIZE) throw new RangeError();
    return { epoch, anchor: digest };
  } catch {
    throw new CorruptVaultError("the record of what was superseded is not of its form");
  }
}

/** The highest epoch that a vault knows of. @throws {CorruptVaultError} */
export function highestEpoch(epoch: number, records: RecordReader): number {
  return Math.max(epoch, readSuperseded(records)?.epoch ?? 0);
}
