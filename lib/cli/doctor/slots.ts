/**
 * The key slots of a vault: what they cost to guess, and what is left when one is lost.
 *
 * @module
 */
import { KdfLimitError } from "../../errors.ts";
import { ERROR_TABLE } from "../../error_table.ts";
import { DEFAULT_KDF, KDF_CEILING } from "../../sealed/kdf_limits.ts";
import type { SlotInfo } from "../../slots.ts";
import type { Finding, Subject } from "./finding.ts";

const HOSTILE = ERROR_TABLE["kdf-limit"].hint;

/** Looks at the slots, as far as anyone can see them. */
// deno-lint-ignore require-await
export async function checkSlots({ summary }: Subject): Promise<readonly Finding[]> {
  if (summary === undefined) return [];
  const { slots } = summary;
  return [...slots.flatMap(checkCost), ...checkSpare(slots)];
}

function checkCost({ id, kdf }: SlotInfo): Finding[] {
  if (kdf === undefined) return [];
  const { memory, passes, lanes } = kdf;
  if (memory > KDF_CEILING.memory || passes > KDF_CEILING.passes || lanes > KDF_CEILING.lanes) {
    const what = new KdfLimitError(memory, passes, lanes).message;
    return [{ id: "hostile-slot", severity: "problem", code: "kdf-limit", what: `Slot ${id}: ${what}`, hint: HOSTILE }];
  }
  if (memory >= DEFAULT_KDF.memory && passes >= DEFAULT_KDF.passes) return [];
  const [more, again] = [Math.max(memory, DEFAULT_KDF.memory), Math.max(passes, DEFAULT_KDF.passes)];
  return [{
    id: "weak-slot",
    severity: "warning",
    code: "weak-kdf",
    what: `A guess at the passphrase of slot ${id} costs ${memory} KiB and ${passes} passes, ` +
      `less than the ${DEFAULT_KDF.memory} KiB and ${DEFAULT_KDF.passes} passes of a new one`,
    hint: `Set it anew with \`coffer passwd --slot ${id} --kdf-memory ${
      Math.ceil(more / 1024)
    } --kdf-passes ${again}\``,
  }];
}

function checkSpare(slots: readonly SlotInfo[]): Finding[] {
  if (slots.length === 1) {
    return [{
      id: "only-slot",
      severity: "warning",
      what: "There is one slot: when its credential is lost, so are the secrets",
      hint: "Add a recovery code with `coffer slot add --kind recovery`",
    }];
  }
  if (slots.some(({ kind }) => kind === "recovery")) return [];
  return [{
    id: "no-recovery",
    severity: "note",
    what: "There is no recovery code for when every other credential is lost",
    hint: "Add one with `coffer slot add --kind recovery`",
  }];
}
