/**
 * What users may note about a secret, and its bounds.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { InvalidMetadataError } from "../errors.ts";
import type { StoredSecret } from "./secret.ts";

/** Longest note, in bytes of UTF-8. */
export const MAX_NOTE_SIZE = 4096;
/** Longest tag and longest type, in bytes of UTF-8. */
export const MAX_TAG_SIZE = 64;
/** Most tags of one secret. */
export const MAX_TAGS = 32;

/** Metadata to set. A field that is left out stays as it is, null clears it. */
export interface SecretMetadata {
  /** Free text of at most 4096 bytes; may have several lines. */
  readonly note?: string | null;
  /** At most 32 tags of at most 64 bytes each. They are kept sorted and without doubles. */
  readonly tags?: readonly string[] | null;
  /** When the secret should be replaced. Nothing happens to it then; it is shown as expired. */
  readonly expiresAt?: Date | null;
  /** What it is, in at most 64 bytes: `password`, `pem`, … */
  readonly type?: string | null;
}

/**
 * Returns the metadata when all of it is acceptable.
 *
 * @throws {InvalidMetadataError} that names the field
 */
export function checkMetadata(metadata: SecretMetadata): SecretMetadata {
  const { note, tags, expiresAt, type } = metadata;
  if (typeof note === "string") checkText("note", note, MAX_NOTE_SIZE, /[^\P{Cc}\n\r\t]/u);
  if (typeof type === "string") checkText("type", type, MAX_TAG_SIZE, /\p{Cc}/u);
  if (tags) {
    if (tags.length > MAX_TAGS) {
      throw new InvalidMetadataError("tags", `at most ${MAX_TAGS} are allowed, got ${tags.length}`);
    }
    for (const tag of tags) checkText("tag", tag, MAX_TAG_SIZE, /\p{Cc}/u);
  }
  if (expiresAt && !(expiresAt.getTime() >= 0)) {
    throw new InvalidMetadataError("expiry", "it is not a date after 1970");
  }
  return metadata;
}

/** The record with the metadata laid over it. */
export function withMetadata(secret: StoredSecret, metadata: SecretMetadata, now: number): StoredSecret {
  const { note = secret.note, tags = secret.tags, type = secret.type } = metadata;
  const expires = metadata.expiresAt === undefined ? secret.expires : metadata.expiresAt?.getTime();
  return {
    created: secret.created,
    updated: now,
    ...(note ? { note } : {}),
    ...(tags?.length ? { tags: [...new Set(tags)].sort() } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(type ? { type } : {}),
    versions: secret.versions,
  };
}

function checkText(field: string, text: string, most: number, forbidden: RegExp): void {
  if (typeof text !== "string") throw new TypeError(`The ${field} must be a string, got ${typeof text}`);
  if (text === "" && field === "tag") throw new InvalidMetadataError(field, "it is empty");
  if (text.length > most || encodeUtf8(text).length > most) {
    throw new InvalidMetadataError(field, `it is longer than ${most} bytes`);
  }
  if (!text.isWellFormed()) throw new InvalidMetadataError(field, "it is not valid Unicode");
  if (forbidden.test(text)) throw new InvalidMetadataError(field, "it holds a control character");
}
