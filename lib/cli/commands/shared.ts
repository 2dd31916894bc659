/**
 * What several of the commands' definitions say.
 *
 * @module
 */
import { file, text, toggle } from "../flags.ts";

/** Flags for a credential that is new. */
export const NEW_SLOT_FLAGS = {
  newPassphraseFile: file("File with the new passphrase; - for stdin"),
  newKeyfile: file("Key file for it; made, readable by you alone, when it is missing"),
  label: text("TEXT", "Label of the slot, at most 32 bytes"),
} as const;

/** Flags of commands that make a recovery code. */
export const RECOVERY_OUT_FLAGS = {
  recoveryOut: file("Write the recovery code to a new file instead of stdout"),
  noConfirm: toggle("Do not ask the recovery code back on a terminal"),
} as const;

/** What is said of a key slot. */
export const SLOT_JSON = "id, kind, label, createdAt, and for a passphrase kdf {memory in KiB, passes, lanes}";
