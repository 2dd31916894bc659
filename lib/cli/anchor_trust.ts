/**
 * `coffer anchor trust`: takes the vault as it is for the newest.
 *
 * @module
 */
import { AnchorForeignError, NoAnchorError } from "../errors.ts";
import type { GlobalFlags } from "./flags.ts";
import { anchorOf, fileOptions, openVault, prepareOpening, vaultPath } from "./open.ts";
import { note, shown, writeJson } from "./output.ts";
import { assertWanted } from "./terminal.ts";

/** Flags of `anchor trust`. */
export interface AnchorTrustFlags extends GlobalFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
  /** Whether another vault's anchor may be written over. */
  readonly replaceForeign: boolean;
}

/** Makes the anchor anew. */
export default async function anchorTrust(flags: AnchorTrustFlags): Promise<void> {
  const { path, options } = prepareOpening(flags);
  const { Vault } = await import("../vault.ts");
  const { anchored, generation: found, updatedAt } = await Vault.inspect(vaultPath(flags), fileOptions(flags));
  if (!anchored) throw new NoAnchorError();
  const question =
    `Take generation ${found} of ${updatedAt.toISOString()} for the newest? Later changes, if there were ` +
    "any, are lost.";
  await assertWanted(flags.yes, question);
  const trusting = { ...options, trustAnchor: true, replaceForeignAnchor: flags.replaceForeign };
  await using vault = await openVault({ path, options: trusting }).catch(hinted);
  const { generation } = await vault.status();
  const anchor = anchorOf(flags, path);
  if (flags.json) await writeJson({ path, anchor, generation });
  else if (Deno.stderr.isTerminal()) note(`The anchor ${shown(anchor)} says generation ${generation}`);
}

function hinted(error: unknown): never {
  if (!(error instanceof AnchorForeignError)) throw error;
  throw new AnchorForeignError(error.path, {
    hint:
      "Name the vault's own anchor with --anchor, or insist with --replace-foreign: the other vault then lacks its own",
    cause: error,
  });
}
