/**
 * Key slots, as the commands show them.
 *
 * @module
 */
import type { SlotInfo } from "../slots.ts";
import { shownDate } from "./output.ts";
import { table } from "./table.ts";

/** A table of key slots. */
export function slotTable(slots: readonly SlotInfo[]): string {
  const rows = slots.map(({ id, kind, label, createdAt, kdf }) => [
    String(id),
    kind,
    label || "-",
    shownDate(createdAt),
    kdf === undefined ? "-" : `${kdf.memory / 1024} MiB, passes ${kdf.passes}, lanes ${kdf.lanes}`,
  ]);
  return table([["SLOT", "KIND", "LABEL", "CREATED", "ARGON2ID"], ...rows], ["LABEL", "ARGON2ID"]);
}
