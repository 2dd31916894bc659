/**
 * Reading secrets out of a vault, for an export.
 *
 * @module
 */
import type { Engine, Work } from "../engine.ts";
import { globMatcher } from "../state/names.ts";
import { readPolicy } from "../state/policies.ts";
import type { RecordReader } from "../state/records.ts";
import { getSecret, readValue, SECRET } from "../state/secret.ts";
import { below, MAX_EXCHANGE_SIZE } from "./entry.ts";
import { ExchangeLimitError, ExportRefusedError } from "./errors.ts";
import type { ExportedSecret } from "./exported.ts";

/** What to export, and to what end. */
export interface ExportOptions {
  /** Whether what is given is to be written without encryption. The vault's policy may forbid that; the log tells of it. */
  readonly plaintext: boolean;
  /** Only names that match one of these globs; all by default. */
  readonly globs?: readonly string[];
  /** Only names below this path, which is taken off them. */
  readonly under?: string | undefined;
  /** Whether older versions go with the newest. @default {false} */
  readonly history?: boolean;
}

/**
 * Gives secrets, sorted by name, once the log tells of it.
 *
 * @throws {ExportRefusedError} when the policy forbids it @throws {ExchangeLimitError} when they are too large together
 */
export async function exportSecrets(engine: Engine, options: ExportOptions): Promise<ExportedSecret[]> {
  const matchers = options.globs?.map(globMatcher) ?? [];
  const prefix = options.under === undefined ? "" : below(options.under, "");
  const isChosen = (name: string) =>
    name.startsWith(prefix) && name.length > prefix.length &&
    (matchers.length === 0 || matchers.some((matches) => matches(name)));
  const read = (records: RecordReader) => {
    if (options.plaintext && readPolicy(records, "plaintext-export") === "forbid") throw new ExportRefusedError();
    return readSecrets(records, [...records.keys(SECRET)].filter(isChosen).sort(), prefix.length, options.history);
  };
  await engine.refresh();
  // A backup is not written to, so nothing can be noted in it.
  if (engine.committed.generation.meta.backup) return read(engine.committed.state);
  return await engine.transact((work) => {
    const secrets = read(work.records);
    note(work, secrets, prefix, options.plaintext);
    return secrets;
  });
}

function note(work: Work, secrets: readonly ExportedSecret[], prefix: string, plaintext: boolean): void {
  work.audit({ operation: plaintext ? "export.plaintext" : "export.encrypted", count: secrets.length });
  if (!readPolicy(work.records, "audit-reads")) return;
  for (const { name } of secrets) work.audit({ operation: "secret.read", name: prefix + name });
}

function readSecrets(
  records: RecordReader,
  names: readonly string[],
  prefixSize: number,
  history = false,
): ExportedSecret[] {
  let size = 0;
  return names.map((name) => {
    const { versions, created, updated, note, tags = [], expires, type } = getSecret(records, name);
    const current = versions.at(-1)!;
    const given = history ? versions : [current];
    for (const version of given) size += version.size;
    if (size > MAX_EXCHANGE_SIZE) throw new ExchangeLimitError("The secrets have more bytes", MAX_EXCHANGE_SIZE);
    const kept = given.map(({ version, created }) => ({
      version,
      setAt: new Date(created),
      value: readValue(records, name, version),
    }));
    const newest = kept.pop()!;
    return {
      name: name.slice(prefixSize),
      ...newest,
      createdAt: new Date(created),
      updatedAt: new Date(updated),
      ...(note === undefined ? {} : { note }),
      tags,
      ...(expires === undefined ? {} : { expiresAt: new Date(expires) }),
      ...(type === undefined ? {} : { type }),
      ...(history ? { history: kept } : {}),
    };
  });
}
