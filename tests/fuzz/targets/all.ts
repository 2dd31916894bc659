/**
 * Every decoder that is fuzzed. A decoder of another area gets its entry in a table of that area.
 *
 * @module
 */
import type { Target } from "../target.ts";
import { AUTH_TARGETS } from "./auth.ts";
import { CLI_TARGETS } from "./cli.ts";
import { EXCHANGE_TARGETS } from "./exchange.ts";
import { REDDB_TARGETS } from "./reddb.ts";
import { SEALED_TARGETS } from "./sealed.ts";
import { STATE_TARGETS } from "./state.ts";
import { STORAGE_TARGETS } from "./storage.ts";

/** All targets. */
export const TARGETS: readonly Target[] = [
  ...STORAGE_TARGETS,
  ...SEALED_TARGETS,
  ...STATE_TARGETS,
  ...AUTH_TARGETS,
  ...REDDB_TARGETS,
  ...CLI_TARGETS,
  ...EXCHANGE_TARGETS,
];
