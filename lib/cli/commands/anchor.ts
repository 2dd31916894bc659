/**
 * The commands for the anchor.
 *
 * @module
 */
import { command, none, routes } from "../define.ts";
import { toggle } from "../flags.ts";

const anchorStatus = command({
  brief: "Show how the anchor stands to the vault",
  description:
    `Show what the anchor says, and how the vault stands to it: level, behind (a crash came in between; the next change
moves the anchor up), or older than the anchor says; or that the anchor is missing, damaged or of another vault. Without a
credential nothing of that is authenticated; with one, or --unlock, a vault that does not fit its anchor is an error.

JSON: path, anchored, anchor (its path), state (none, missing, damaged, foreign, level, behind, older), generation,
authenticated, and where the anchor can be read anchorGeneration, anchorEpoch`,
  examples: [["coffer anchor status"], ["coffer anchor status --unlock"]],
  load: () => import("../anchor_status.ts"),
  flags: { unlock: toggle("Open the vault; asks for a passphrase when no credential is given") },
  positional: none(),
});

const anchorTrust = command({
  brief: "Make the anchor anew",
  description:
    `Take the vault as it is for the newest, and make its anchor anew: for an anchor that is lost, or a copy that was put
back on purpose. The vault's log says so. Asks once on a terminal. The anchor of another vault is left alone.

JSON: path, anchor, generation`,
  examples: [["coffer anchor trust --reason 'put an older backup back'"]],
  load: () => import("../anchor_trust.ts"),
  flags: {
    yes: toggle("Do not ask"),
    replaceForeign: toggle("Write over the anchor of another vault, which then lacks its own"),
  },
  positional: none(),
});

const anchorMove = command({
  brief: "Move the anchor to another place",
  description: `Move the anchor to another place, another disk being better. From then on every command needs
--anchor PATH. An existing file is never replaced.

JSON: path, anchor (its new path), from`,
  examples: [["coffer anchor move /mnt/usb/app.anchor"]],
  load: () => import("../anchor_move.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Where it goes", placeholder: "PATH", parse: String }],
  },
});

/** `coffer anchor`. */
export const anchor = routes("Look after the anchor", { status: anchorStatus, trust: anchorTrust, move: anchorMove });
