/**
 * `coffer anchor status`: what the anchor says, and how the vault stands to it.
 *
 * @module
 */
import type { VaultSummary } from "../vault.ts";
import { ANCHOR_STATES, compareAnchor } from "./anchor_state.ts";
import { findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { anchorOf, fileOptions, openVault, prepareOpening, vaultPath } from "./open.ts";
import { note, shown, writeJson, writeOut } from "./output.ts";

/** Flags of `anchor status`. */
export interface AnchorStatusFlags extends GlobalFlags {
  /** Whether to ask for a passphrase when no credential was given. */
  readonly unlock: boolean;
}

/** Shows the anchor, held against the vault. */
export default async function anchorStatus(flags: AnchorStatusFlags): Promise<void> {
  const path = vaultPath(flags);
  const authenticated = flags.unlock || findCredential(flags) !== undefined;
  const summary = await read(flags, path, authenticated);
  const { anchored, generation } = summary;
  const anchor = anchorOf(flags, path);
  const compared = compareAnchor(anchor, summary);
  // A copy without an anchor that stands in the place of a vault with one is older than that says.
  const { state, record } = anchored || compared.state === "older" ? compared : { state: "none" as const };
  const said = record === undefined ? {} : { anchorGeneration: record.generation, anchorEpoch: record.epoch };
  if (flags.json) {
    const place = state === "none" ? {} : { anchor };
    return await writeJson({ path, anchored, ...place, state, generation, ...said, authenticated });
  }
  const lines = [["vault", path], ["generation", String(generation)]];
  if (state !== "none") lines.push(["anchor", anchor]);
  if (record !== undefined) lines.push(["it says", `generation ${record.generation}, epoch ${record.epoch}`]);
  lines.push(["state", ANCHOR_STATES[state]]);
  await writeOut(lines.map(([key, value]) => `${`${key}:`.padEnd(13)}${shown(value!)}\n`).join(""));
  if (!authenticated && Deno.stderr.isTerminal()) {
    note("None of this is authenticated; --unlock opens the vault first.");
  }
}

/** With a credential a vault that does not fit its anchor is an error, as for every command. */
async function read(flags: AnchorStatusFlags, path: string, unlock: boolean): Promise<VaultSummary> {
  if (unlock) {
    await using vault = await openVault(prepareOpening(flags));
    return await vault.status();
  }
  const { Vault } = await import("../vault.ts");
  return await Vault.inspect(path, fileOptions(flags));
}
