/**
 * `coffer status`: what a vault is, and how it is.
 *
 * @module
 */
import type { AttemptsStatus } from "../attempts.ts";
import type { VaultStatus, VaultSummary } from "../vault.ts";
import { findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { fileOptions, openVault, prepareOpening, vaultPath, warnRecovered } from "./open.ts";
import { note, shown, shownDate, shownSize, warn, writeJson, writeOut } from "./output.ts";
import { warnOverdue } from "./policy.ts";
import { slotTable } from "./slot.ts";

/** Flags of `status`. */
export interface StatusFlags extends GlobalFlags {
  /** Whether to ask for a passphrase when no credential was given. */
  readonly unlock: boolean;
}

/** From here on it is time for a new vault key; half of what one key may seal. */
const MANY_SEALS = 2 ** 31;

/** Shows what the file says, and with a credential what is sealed in it. */
export default async function status(flags: StatusFlags): Promise<void> {
  const path = vaultPath(flags);
  const summary = await read(flags, path);
  const authenticated = "secrets" in summary;
  if (flags.json) await writeJson({ path, ...summary, authenticated });
  else await writeOut(describe(path, summary));
  // Where the vault was opened, that has said so.
  if (summary.recovered && !authenticated) warnRecovered();
  if (summary.seals >= MANY_SEALS) warn("The vault key has sealed very often; make a new one with `coffer rotate`");
  if (!authenticated && !flags.json && Deno.stderr.isTerminal()) {
    note("None of this is authenticated; --unlock opens the vault first.");
  }
}

async function read(flags: StatusFlags, path: string): Promise<VaultSummary | VaultStatus> {
  if (!flags.unlock && findCredential(flags) === undefined) {
    const { Vault } = await import("../vault.ts");
    return await Vault.inspect(path, fileOptions(flags));
  }
  await using vault = await openVault(prepareOpening(flags));
  await warnOverdue(vault);
  return await vault.status();
}

function describe(path: string, summary: VaultSummary | VaultStatus): string {
  const { usage, attempts } = summary;
  const lines = [
    ["vault", path],
    ["id", summary.vaultId],
    ["generation", String(summary.generation)],
    ["epoch", String(summary.epoch)],
    ["created", shownDate(summary.createdAt)],
    ["updated", shownDate(summary.updatedAt)],
    ["size", `${shownSize(usage.total)}, ${shownSize(usage.live)} in use`],
    ["seals", String(summary.seals)],
    ["anchor", summary.anchored ? "yes" : "no"],
  ];
  if (summary.backup) lines.push(["backup", "yes; it is read and restored, not changed"]);
  if (attempts !== undefined) lines.push(["failures", describeAttempts(attempts)]);
  if ("secrets" in summary) {
    lines.push(["secrets", String(summary.secrets)], ["opened with", `slot ${summary.openedWith}`]);
  }
  const facts = lines.map(([key, value]) => `${`${key}:`.padEnd(13)}${shown(value!)}\n`).join("");
  return `${facts}\n${slotTable(summary.slots)}`;
}

function describeAttempts({ failures, retryAfter }: AttemptsStatus): string {
  return retryAfter === 0 ? String(failures) : `${failures}, next try in ${Math.ceil(retryAfter / 1000)} s`;
}
