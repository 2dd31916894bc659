/**
 * How API keys are shown: never the keys themselves.
 *
 * @module
 */
import type { ApiKeyInfo } from "../../auth/transaction_api_keys.ts";
import { shownDate } from "../output.ts";
import { table } from "../table.ts";

/** A table of API keys. */
export function keyTable(keys: readonly ApiKeyInfo[]): string {
  const date = (value: Date | undefined) => value === undefined ? "-" : shownDate(value);
  return table([
    ["ID", "OWNER", "ROLE", "NAME", "CREATED", "EXPIRES", "LAST USED"],
    ...keys.map((key) => [
      key.id,
      key.owner,
      key.role,
      key.name === "" ? "-" : key.name,
      date(key.createdAt),
      date(key.expiresAt),
      date(key.lastUsedAt),
    ]),
  ], ["OWNER", "NAME"]);
}
