/**
 * Looks over a RedDB file without any key.
 *
 * @module
 */
import type { Disk } from "../storage/disk.ts";
import type { WhereOptions } from "./where.ts";

/** One thing that is wrong. */
export interface RedDbProblem {
  /** Stable name of the kind of problem. */
  readonly kind: RedDbProblemKind;
  /** What is wrong, in words. */
  readonly what: string;
  /** The page, where there is one. */
  readonly page: number | null;
}

/**
 * `file`: page 0, or the file's size. `header`: page 2. `chain`: a page of the vault's chain. `freelist`: a trunk or an id
 * in it. `orphan`: a vault page that nothing reaches; a crash leaves such, and they do no harm.
 */
export type RedDbProblemKind = "file" | "header" | "chain" | "freelist" | "orphan";

/** What a check found. */
export interface RedDbCheckReport {
  /** Bytes in the file. */
  readonly fileSize: number;
  /** Bytes in a page; 0 when page 0 cannot be read. */
  readonly pageSize: number;
  /** Pages, as page 0 counts them. */
  readonly pageCount: number;
  /** Version of the vault's header; null when there is no vault. */
  readonly version: number | null;
  /** Pages of the vault's chain, the header not counted. */
  readonly chainPages: number;
  /** Pages in the list of free pages, its trunks included. */
  readonly freePages: number;
  /** Vault pages that nothing reaches. */
  readonly orphanPages: number;
  /** Pages of RedDB's own, which are not looked into. */
  readonly otherPages: number;
  /** Whether a crash left a note beside the file; the next load or save puts things right. */
  readonly interrupted: boolean;
  /** What is wrong; nothing, in a sound file. */
  readonly problems: readonly RedDbProblem[];
}

/**
 * Checks every vault page, the chain and the list of free pages. Changes nothing.
 *
 * @throws {VaultNotFoundError} and other errors of the disk; damage is in the report instead
 */
export function checkRedDbFile(_where: string | Disk, _options: WhereOptions = {}): Promise<RedDbCheckReport> {
  throw new Error("not yet");
}
