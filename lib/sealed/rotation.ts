/**
 * What a new vault key keeps of the one before it.
 *
 * @module
 */
import { type Bytes, decodeBase64, encodeBase64 } from "../bytes.ts";
import { HMAC_SIZE, type HmacKey, importHmacKey } from "../crypto/hmac.ts";
import { wipe } from "../crypto/random.ts";
import { CorruptVaultError } from "../errors.ts";
import type { RecordReader } from "../state/records.ts";

/** Where the anchor key of the epoch before stands: a crash between a rotation and its anchor leaves the old anchor. */
export const PREVIOUS_ANCHOR = { kind: "epoch", key: "previous-anchor" } as const;

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
