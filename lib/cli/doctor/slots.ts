/**
 * The key slots of a vault: what they cost to guess, and what is left when one is lost.
 *
 * @module
 */
import { DEFAULT_KDF } from "../../sealed/kdf_limits.ts";
import type { SlotInfo } from "../../slots.ts";
import type { Finding, Subject } from "./finding.ts";

/** Looks at the slots, as far as anyone can see them. */
// deno-lint-ignore require-await
export async function checkSlots({ summary }: Subject): Promise<readonly Finding[]> {
  if (summary === undefined) return [];
  const { slots } = summary;
  return [...slots.flatMap(checkCost), ...checkSpare(slots)];
}

function checkCost({ id, kdf }: SlotInfo): Finding[] {
  if (kdf === undefined || (kdf.memory >= DEFAULT_KDF.memory && kdf.passes >= DEFAULT_KDF.passes)) return [];
  const [memory, passes] = [Math.max(kdf.memory, DEFAULT_KDF.memory), Math.max(kdf.passes, DEFAULT_KDF.passes)];
  return [{
    id: "weak-slot",
    severity: "warning",
    code: "weak-kdf",
    what: `A guess at the passphrase of slot ${id} costs ${kdf.memory} KiB and ${kdf.passes} passes, ` +
      `less than the ${DEFAULT_KDF.memory} KiB and ${DEFAULT_KDF.passes} passes of a new one`,
    hint: `Set it anew with \`coffer passwd --slot ${id} --kdf-memory ${memory / 1024} --kdf-passes ${passes}\``,
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
