/**
 * The committed state: damage, a commit that was torn, how often its key has sealed, and its time.
 *
 * @module
 */
import { type CofferError, CorruptVaultError, TruncatedVaultError } from "../../errors.ts";
import { SEAL_LIMIT } from "../../sealed/meta.ts";
import type { FileOptions } from "../../vault.ts";
import { counted, shownDate } from "../output.ts";
import type { Check, Finding, Subject } from "./finding.ts";

/** From here on it is time for a new vault key: half of what one key may seal. */
const MANY_SEALS = SEAL_LIMIT / 2;
/** A vault key that has sealed so often soon stops. */
const TOO_MANY_SEALS = SEAL_LIMIT * 0.9;
/** Clocks of machines that share a vault may differ by so many milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

/**
 * A check of every page.
 *
 * @param known what was found to be damaged before, which the pages themselves may not tell
 */
export function checkDamage(options: FileOptions, known?: CofferError): Check {
  return async ({ path }) => {
    const { Vault } = await import("../../vault.ts");
    try {
      const { problems } = await Vault.checkStructure(path, options);
      if (problems.length > 0) return [damage(`${counted(problems.length, "problem")} in its pages`)];
      return known === undefined ? [] : [damage(known.message)];
    } catch (error) {
      if (error instanceof CorruptVaultError || error instanceof TruncatedVaultError) return [damage(error.message)];
      throw error;
    }
  };
}

/** Looks at what the file says of itself. */
// deno-lint-ignore require-await
export async function checkState({ summary }: Subject): Promise<readonly Finding[]> {
  if (summary === undefined) return [];
  const { recovered, seals, updatedAt } = summary;
  const findings = checkSeals(seals);
  if (recovered) {
    findings.push({
      id: "recovered",
      severity: "warning",
      what: "A meta page is torn or wiped, so a newer commit may be lost: a crash, or somebody's doing",
      hint: "See that the newest changes are there; the next commit makes the file whole",
    });
  }
  if (updatedAt.getTime() > Date.now() + CLOCK_TOLERANCE) {
    findings.push({
      id: "clock",
      severity: "warning",
      what: `The vault was last changed at ${shownDate(updatedAt)}, which is yet to come`,
      hint: "Set the clock of this machine, or of the one that changed it",
    });
  }
  return findings;
}

function checkSeals(seals: number): Finding[] {
  if (seals < MANY_SEALS) return [];
  const late = seals >= TOO_MANY_SEALS;
  return [{
    id: "many-seals",
    severity: late ? "problem" : "warning",
    code: "seal-limit",
    what: `The vault key has sealed ${seals} times, of the ${SEAL_LIMIT} that one key may`,
    hint: "Give the vault a new key: `coffer rotate`",
  }];
}

function damage(what: string): Finding {
  return {
    id: "damage",
    severity: "problem",
    code: "corrupt-vault",
    what: `The vault is damaged: ${what.replace(/^The vault is damaged: /, "")}`,
    hint: "Run `coffer check` for each of them, keep the file, and restore a backup",
  };
}
