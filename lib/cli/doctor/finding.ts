/**
 * What `coffer doctor` finds, and what a check of it is.
 *
 * @module
 */
import type { ErrorCode } from "../../error_table.ts";
import type { FileSystem } from "../../storage/permissions.ts";
import type { VaultSummary } from "../../vault.ts";

/** How bad a finding is: a problem is to be mended, a warning to be thought about, a note to be known. */
export type Severity = "problem" | "warning" | "note";

/** One thing that was found. */
export interface Finding {
  /** Stable name of what was found, for scripts. */
  readonly id: string;
  /** How bad it is. */
  readonly severity: Severity;
  /** Code of the error that stands for it; a problem with none is one of no special kind. */
  readonly code?: ErrorCode;
  /** What was found. */
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
  /** Mends it; missing where that takes a decision, or a credential. */
  readonly fix?: () => Promise<void>;
}

/** The vault that is looked at. */
export interface Subject {
  /** Its path. */
  readonly path: string;
  /** The system that it is on. */
  readonly system: FileSystem;
  /** Whether the user accepts files that others can use. */
  readonly allowInsecurePermissions: boolean;
  /** What the file says of itself; missing when it is damaged. */
  readonly summary?: VaultSummary;
}

/** Looks at one side of a vault. */
export type Check = (subject: Subject) => Promise<readonly Finding[]>;
