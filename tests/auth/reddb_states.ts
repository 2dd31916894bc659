/**
 * What the tests of taking a RedDB vault over share.
 *
 * @module
 */
import { VaultState } from "../../lib/reddb/state.ts";
import type { RedDbImportOutcome, RedDbImportReport, Vault } from "../../mod.ts";

/** The password of users that tests make. */
export const PASSWORD = "correct horse";
/** `printf %s 'correct horse' | argon2 somesaltsomesalt -id -t 3 -k 4096 -p 1 -r`, with the salt in hex. */
export const CHECKABLE =
  "argon2id$736f6d6573616c74736f6d6573616c74$69c6d909c90e7c0041fecd94fde13cbeb33e57d1d64c88f8b322b1cc8c216b1f";
/** The latest time a date can be. */
export const LATEST = 8_640_000_000_000_000;

/** A state with what is given. */
export function stateWith(parts: Partial<VaultState>): VaultState {
  return Object.assign(VaultState.empty(), parts);
}

/** Entries of a state. */
export function kv(entries: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(entries));
}

/** What became of records: nothing but what is given. */
export function outcome<T>(parts: Partial<RedDbImportOutcome<T>> = {}): RedDbImportOutcome<T> {
  return { imported: [], overwritten: [], unchanged: [], skipped: [], ...parts };
}

/** All that a report says of changes. */
export function changes(
  { secrets, users, apiKeys, masterSecret, bootstrapped, certificate }: RedDbImportReport,
): unknown[] {
  const lists = [secrets, users, apiKeys].flatMap(({ imported, overwritten }) => [...imported, ...overwritten]);
  const parts = [masterSecret, bootstrapped, certificate].filter((part) =>
    part === "imported" || part === "overwritten"
  );
  return [...lists, ...parts];
}

/** How many commits there were. */
export async function generationOf(vault: Vault): Promise<number> {
  return (await vault.status()).generation;
}

/** What the log says, a line each. */
export async function logOf(vault: Vault): Promise<string[]> {
  const told = [];
  for await (const { operation, name, to, count } of vault.audit.entries()) {
    told.push([operation, name, to, count].filter((part) => part !== undefined).join(" "));
  }
  return told;
}
