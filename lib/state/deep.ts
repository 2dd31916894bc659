/**
 * Looking at every record of a state: whether values decode, and whether writers kept to the rules.
 *
 * @module
 */
import { CofferError, CorruptVaultError } from "../errors.ts";
import { checkMetadata } from "./metadata.ts";
import { checkName } from "./names.ts";
import { POLICY_NAMES, readPolicy } from "./policies.ts";
import type { State } from "./records.ts";
import { getSecret, INLINE_SIZE, readValue, SECRET, type StoredSecret, VALUE } from "./secret.ts";

/** What a look at every record found. Which secret it is stays out: a report may be shown to anyone. */
export interface DeepFindings {
  /** How many values were decoded, all versions of every secret. */
  readonly values: number;
  /** What is damaged. */
  readonly problems: readonly string[];
  /** What a reader takes, though no writer may write it. */
  readonly notes: readonly string[];
}

/**
 * Decodes every version of every secret.
 *
 * @param onProgress is told how many secrets of how many are done
 */
export function checkDeep(state: State, onProgress?: (done: number, total: number) => void): DeepFindings {
  const problems: string[] = [];
  const notes: string[] = [];
  const used = new Set<string>();
  let [values, done] = [0, 0];
  const total = state.count(SECRET);
  for (const name of state.keys(SECRET)) {
    onProgress?.(done++, total);
    const secret = attempt(() => getSecret(state, name), problems);
    for (const { version, ref } of secret?.versions ?? []) {
      if (ref !== undefined && used.has(ref)) problems.push("The vault is damaged: two versions share a value");
      if (ref !== undefined) used.add(ref);
      if (attempt(() => readValue(state, name, version), problems) !== undefined) values++;
    }
    if (secret !== undefined) notes.push(...brokenRules(name, secret));
  }
  let unused = 0;
  for (const key of state.keys(VALUE)) {
    if (!used.has(key)) unused++;
    if (!/^[0-9a-f]{32}$/.test(key)) notes.push("A value's key is not 32 hex digits");
  }
  if (unused > 0) notes.push(`Values that no secret names: ${unused}`);
  for (const name of POLICY_NAMES) attempt(() => readPolicy(state, name), problems);
  onProgress?.(total, total);
  return { values, problems, notes };
}

/** The rules that bind writers alone. */
function brokenRules(name: string, { versions, tags, note, type }: StoredSecret): string[] {
  const broken: string[] = [];
  const hold = (rule: () => void) => {
    try {
      rule();
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      broken.push(error.message);
    }
  };
  hold(() => checkName(name));
  hold(() =>
    checkMetadata({
      ...(note === undefined ? {} : { note }),
      ...(type === undefined ? {} : { type }),
      ...(tags === undefined ? {} : { tags }),
    })
  );
  const sorted = [...new Set(tags)].sort();
  if (tags?.some((tag, index) => tag !== sorted[index])) broken.push("Tags are not sorted, or stand twice");
  if (tags?.length === 0 || note === "" || type === "") broken.push("An empty member was not left out");
  const misplaced = versions.some(({ size, ref }) => (size <= INLINE_SIZE) !== (ref === undefined));
  if (misplaced) broken.push("A value does not stand where one of its size belongs");
  return broken;
}

function attempt<T>(work: () => T, problems: string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CorruptVaultError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}
