/**
 * The values of many secrets, read in one go.
 *
 * @module
 */
import { MissingReferencesError } from "../exchange/errors.ts";
import type { TransactionSecrets } from "../secrets.ts";
import { isExpired } from "./metadata.ts";
import { nearNames } from "./near_names.ts";
import { type Opening, openVault } from "./open.ts";
import { shownDate, warn } from "./output.ts";

/** Values by name. */
export type Values = ReadonlyMap<string, Uint8Array>;

/** Which secrets are wanted. */
export interface Choice {
  /** Their names, valid ones. */
  readonly names: Iterable<string>;
  /** What else was looked for and is not there. */
  readonly missing?: readonly string[];
}

/**
 * Opens the vault, reads secrets in one transaction, and closes it: its keys are gone when this returns.
 *
 * @param choose says which ones, by what it finds; nothing is read before it has
 * @throws {MissingReferencesError} names all that are missing; no value is read then, and the log notes none
 */
export async function readSecrets(
  opening: Opening,
  choose: (secrets: TransactionSecrets) => Choice,
): Promise<Values> {
  await using vault = await openVault(opening);
  return await vault.transaction(({ secrets }) => {
    const names = assertThere(secrets, choose(secrets));
    for (const name of names) {
      const info = secrets.info(name);
      if (isExpired(info)) warn(`"${name}" expired on ${shownDate(info.expiresAt!)}`);
    }
    return new Map(names.map((name) => [name, secrets.get(name)]));
  });
}

/**
 * Looks whether secrets are there, without reading any.
 *
 * @throws {MissingReferencesError} names all that are missing
 */
export async function findSecrets(opening: Opening, names: Iterable<string>): Promise<void> {
  await using vault = await openVault(opening);
  await vault.transaction(({ secrets }) => void assertThere(secrets, { names }));
}

function assertThere(secrets: TransactionSecrets, { names, missing = [] }: Choice): readonly string[] {
  const distinct = [...new Set(names)];
  const absent = [...distinct.filter((name) => !secrets.has(name)), ...missing];
  if (absent.length > 0) throw new MissingReferencesError(absent, hintFor(absent, secrets));
  return distinct;
}

/** Names that may have been meant, where each missing one has any. */
function hintFor(absent: readonly string[], secrets: TransactionSecrets): { readonly hint?: string } {
  const names = secrets.list().map(({ name }) => name);
  const near = absent.map((name) => nearNames(name, names)[0]);
  if (near.some((name) => name === undefined)) return {};
  return { hint: `Did you mean ${[...new Set(near)].map((name) => `"${name}"`).join(" and ")}?` };
}
