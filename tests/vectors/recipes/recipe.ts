/**
 * How a vector is written down.
 *
 * @module
 */
import type { Bytes } from "../../../lib/bytes.ts";
import { encodeBase64, encodeUtf8 } from "../../../lib/bytes.ts";
import { forge, type Identity, PASSPHRASE, SEGMENTS, type VaultPlan } from "../forge.ts";

/** What a vector must give; see `README.md`. */
export type Expected = string | Record<string, unknown>;

/** A vector that is made once. */
export interface Recipe {
  readonly name: string;
  readonly what: string;
  readonly expect: Expected;
  readonly credential?: Record<string, unknown>;
  /** Bytes of the vault, and of what stands beside it: `anchor`, `attempts`. */
  make(): Promise<Bytes | { readonly vault: Bytes; readonly anchor?: Bytes; readonly attempts?: Bytes }>;
}

/** What opens nearly every vector. */
export const CREDENTIAL = { passphrase: PASSPHRASE };

/** A record as the index says it. */
export function record(value: string, version = 1, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { valueBase64: encodeBase64(encodeUtf8(value)), version, ...more };
}

/** What the usual segments hold, and what they held before the last commit. */
export const RECORDS = {
  b: record("22", 1, { note: "two", tags: ["x", "y"] }),
  c: record("333"),
  d: record("4444"),
};
/** What they held before the last commit. */
export const BEFORE = { a: record("1"), b: RECORDS.b, c: RECORDS.c };

/** A change of the usual plan. */
export type Change = Partial<VaultPlan> | ((identity: Identity) => Partial<VaultPlan>);

/** A row of a table of forged vaults: name, what it is, the change, and what it gives if not `corrupt-vault`. */
export type Row = readonly [name: string, what: string, change: Change, expect?: Expected];

/** Recipes of a table, each in a folder of its own kind. */
export function recipesOf(folder: string, identity: Identity, rows: readonly Row[]): readonly Recipe[] {
  return rows.map(([name, what, change, expect = "corrupt-vault"]) => ({
    name: `${folder}/${name}`,
    what,
    expect,
    make: () => {
      const changes = typeof change === "function" ? change(identity) : change;
      return forge({ identity, segments: SEGMENTS, ...changes });
    },
  }));
}
