/**
 * What is imported: files of other programs, and templates. One line of the table each.
 *
 * @module
 */
import type { Target } from "../target.ts";

/** Targets of `lib/exchange`. */
export const EXCHANGE_TARGETS: readonly Target[] = [];
