/**
 * `coffer anchor move PATH`: keeps the anchor elsewhere.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { FileAnchor } from "../storage/anchor_file.ts";
import { checkMayWrite } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { anchorOf, openVault, prepareOpening } from "./open.ts";
import { note, shown, writeJson } from "./output.ts";

/** Moves the anchor. */
export default async function anchorMove(flags: GlobalFlags, to: string): Promise<void> {
  if (to === "") throw new UsageError("The path of the anchor is empty");
  const opening = prepareOpening(flags);
  const from = anchorOf(flags, opening.path);
  FileAnchor.assertFree(to);
  checkMayWrite(to, "create anchor");
  // Before there are two.
  checkMayWrite(from, "remove anchor");
  await using vault = await openVault(opening);
  await vault.moveAnchor(to);
  if (flags.json) await writeJson({ path: opening.path, anchor: to, from });
  else if (Deno.stderr.isTerminal()) note(`Every command now needs --anchor ${shown(to)}`);
}
