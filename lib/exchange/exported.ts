/**
 * What goes out with an export.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import type { KeptVersion } from "./entry.ts";

/** One secret, with everything that a vault knows of it. */
export interface ExportedSecret {
  /** Its name. */
  readonly name: string;
  /** Its value. */
  readonly value: Bytes;
  /** Number of the version that the value is. */
  readonly version: number;
  /** When the value was set. */
  readonly setAt: Date;
  /** When the secret came to be. */
  readonly createdAt: Date;
  /** When anything of it last changed. */
  readonly updatedAt: Date;
  /** The user's own words. */
  readonly note?: string;
  /** Sorted; empty when there are none. */
  readonly tags: readonly string[];
  /** When it should be replaced. */
  readonly expiresAt?: Date;
  /** What it is: `password`, `pem`, … */
  readonly type?: string;
  /** The versions before this one, oldest first, where they were asked for. */
  readonly history?: readonly KeptVersion[];
}
