/**
 * Flags for what is noted about a secret, and how that is shown.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import type { SecretInfo } from "../secrets.ts";
import { checkMetadata, type SecretMetadata } from "../state/metadata.ts";
import { shownDate } from "./output.ts";

/** Flags that note something. */
export interface MetadataFlags {
  /** Free text. */
  readonly note?: string;
  /** All tags. */
  readonly tag?: readonly string[];
  /** When it expires. */
  readonly expires?: Date;
  /** What it is. */
  readonly type?: string;
}

/**
 * The metadata of the flags; what no flag names stays as it is.
 *
 * @throws {InvalidMetadataError}
 */
export function metadataFrom(flags: MetadataFlags): SecretMetadata {
  const { note, tag, expires, type } = flags;
  return checkMetadata({
    ...(note === undefined ? {} : { note }),
    ...(tag === undefined || tag.length === 0 ? {} : { tags: tag }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...(type === undefined ? {} : { type }),
  });
}

/** Refuses flags that contradict each other. */
export function refuseBoth(flags: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(flags).filter(([, value]) => isGiven(value)).map(([name]) => name);
  if (given.length > 1) throw new UsageError(`${given.join(" and ")} cannot be used together`);
}

/** Whether a flag was given. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** Whether a secret is past its date. */
export function isExpired({ expiresAt }: SecretInfo): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now();
}

/** A secret in JSON. */
export function infoJson(info: SecretInfo): Readonly<Record<string, unknown>> {
  return { ...info, expired: isExpired(info) };
}

/** The expiry in a table: the date, and whether it is past. */
export function shownExpiry(info: SecretInfo): string {
  if (info.expiresAt === undefined) return "-";
  return `${shownDate(info.expiresAt)}${isExpired(info) ? " (expired)" : ""}`;
}
