/**
 * The commands for key slots, and for the vault key that they wrap.
 *
 * @module
 */
import { command, none, proposing, routes } from "../define.ts";
import { choice, count, file, KDF_FLAGS, repeated, toggle } from "../flags.ts";
import { NEW_SLOT_FLAGS, RECOVERY_OUT_FLAGS, SLOT_JSON } from "./shared.ts";

/** `coffer passwd`. */
export const passwd = command({
  brief: "Change a passphrase",
  description:
    `Change the passphrase of the slot that opens the vault, or of --slot. The cost stays as it was unless flags say
otherwise, or it is below the floor. Older copies of the file still open with the old passphrase.

JSON: ${SLOT_JSON}`,
  examples: [["coffer passwd"], ["coffer passwd --slot 2 --new-passphrase-file pass.txt --keyfile app.key"]],
  load: () => import("../passwd.ts"),
  flags: {
    newPassphraseFile: NEW_SLOT_FLAGS.newPassphraseFile,
    slot: { ...count("ID", "Another passphrase slot"), ...proposing("slots") },
    ...KDF_FLAGS,
  },
  positional: none(),
});

const slotLs = command({
  brief: "List key slots",
  description: `List the key slots. Without a credential the list is what the file says, not authenticated.

JSON: an array of ${SLOT_JSON}`,
  examples: [["coffer slot ls"]],
  load: () => import("../slot_ls.ts"),
  flags: {},
  positional: none(),
});

const slotAdd = command({
  brief: "Add a key slot",
  description: `Add another way to open the vault. A recovery code or certificate is made, and printed once.

JSON: ${SLOT_JSON}, and recoveryCode, certificate or out`,
  examples: [["coffer slot add --kind keyfile --new-keyfile app.key --label server"], [
    "coffer slot add --kind recovery --out code.txt",
  ], ["coffer slot add --kind passphrase"]],
  load: () => import("../slot_add.ts"),
  flags: {
    kind: choice(
      "KIND",
      ["passphrase", "recovery", "keyfile", "certificate"] as const,
      "passphrase, recovery, keyfile or certificate",
    ),
    ...NEW_SLOT_FLAGS,
    out: file("Write the recovery code or certificate to a new file instead of stdout"),
    ...KDF_FLAGS,
  },
  positional: none(),
});

const slotRm = command({
  brief: "Remove a key slot",
  description: `Remove a key slot; the last one stays. Older copies of the file still open with its credential.

JSON: ${SLOT_JSON}`,
  examples: [["coffer slot rm 3"]],
  load: () => import("../slot_rm.ts"),
  flags: { yes: toggle("Do not ask") },
  positional: {
    kind: "tuple",
    parameters: [{
      brief: "Number of the slot",
      placeholder: "ID",
      ...proposing("slots"),
      parse: count("ID", "").parse,
    }],
  },
});

/** `coffer rotate`. */
export const rotate = command({
  brief: "Give the vault a new key",
  description:
    `Give the vault a new key and seal everything anew, in one commit. The slot that opens the vault stays, and its
passphrase too; so do those whose credentials are given with --also flags. Without --drop-others no other slot goes
without a word. A fresh recovery code takes the place of the old one, and is shown once. Older copies of the file still
open with the old credentials.

JSON: epoch, slots, dropped (arrays of ${SLOT_JSON}), and recoveryCode or recoveryFile`,
  examples: [["coffer rotate"], [
    "coffer rotate --also-keyfile app.key --recovery-out code.txt",
    "the key file goes on opening the vault",
  ], ["coffer rotate --drop-others"]],
  load: () => import("../rotate.ts"),
  flags: {
    dropOthers: toggle("Let slots go whose credentials were not given, and say which; asks once on a terminal"),
    yes: toggle("Do not ask"),
    noRecovery: toggle("Make no new recovery code"),
    ...RECOVERY_OUT_FLAGS,
    alsoPassphraseFile: repeated(file("File with the passphrase of another slot that stays")),
    alsoKeyfile: repeated(file("Key file of another slot that stays")),
    alsoCertificateFile: repeated(file("File with the certificate of another slot that stays")),
    alsoRecoveryFile: repeated(file("File with a recovery code that stays")),
  },
  positional: none(),
});

/** `coffer slot`. */
export const slot = routes("List, add and remove key slots", { ls: slotLs, add: slotAdd, rm: slotRm });
