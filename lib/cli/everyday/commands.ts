/**
 * The commands of every day beside set and get: names, flags, arguments and help.
 *
 * @module
 */
import { UsageError } from "../../errors.ts";
import { command, none } from "../define.ts";
import { count, parsed, text, toggle } from "../flags.ts";

const NAME = { brief: "Name of the secret", placeholder: "NAME", proposes: "secrets", parse: String } as const;

export const generate = command({
  brief: "Make a password or passphrase",
  description:
    `Make a password, every possible one as likely as any other, with a character of each class; or a passphrase of
words (--words) out of the 2048 of BIP 39. With a name it is kept there, as a new version, and not shown; without one it
goes to stdout, and no vault is opened. How much entropy it has goes to stderr.

JSON: entropy (in bits), and name and version, or value`,
  examples: [["coffer generate db/password"], [
    "coffer generate --length 32 --classes lower,upper,digits,symbols",
    "shown, not kept",
  ], ["coffer generate mail/passphrase --words 6"]],
  load: () => import("./generate.ts"),
  flags: {
    length: count("N", "How many characters, at most 1024 (24)"),
    classes: text("LIST", "Of lower, upper, digits, symbols, with commas (lower,upper,digits)"),
    words: count("N", "So many words instead, at most 128, of 11 bits each"),
    separator: text("TEXT", "What stands between words (-)"),
  },
  positional: { kind: "tuple", parameters: [{ ...NAME, brief: "Where to keep it", optional: true }] },
});

export const otp = command({
  brief: "Print a one-time code",
  description:
    `Print the code by time (TOTP, RFC 6238) of a secret that holds an otpauth:// address, or its secret in base32;
of NAME/otp when there is one and NAME is no such secret. For how long it holds goes to stderr.

JSON: name, code, secondsLeft, period`,
  examples: [["coffer otp mail/otp"]],
  load: () => import("./otp.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [NAME] },
});

export const find = command({
  brief: "Find secrets by name, tag or note",
  description:
    `List the names of secrets whose name, note, or one of whose tags holds a text, in any case. Values are not looked
at.

JSON: an array of name, in (array of name, tags, note), and where set note, tags, expiresAt, type`,
  examples: [["coffer find postgres"]],
  load: () => import("./find.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [{ brief: "The text", placeholder: "TEXT", parse: String }] },
});

export const auditPasswords = command({
  brief: "Look for weak, reused and expired passwords",
  description:
    `Look for passwords that are weak (an estimate below 50 bits), used for several names, expired, or older than the
policy max-secret-age wants. Passwords are secrets of type password or passphrase, and those without a type whose name
ends like one (…password, …token, …key); with --all every line of text. No value is shown. Ends with exit code 1 when
something was found.

The estimate takes a text apart into repeats, runs, years, very common passwords, words of BIP 39 and single characters,
in the cheapest way. It knows no dictionary, and rates what is built from other words too high.

JSON: ok, checked (how many), weak (array of name, bits), reused (array of arrays of names), expired, old (arrays of names)`,
  examples: [["coffer audit-passwords"], ["coffer audit-passwords --all --json"]],
  load: () => import("./audit_passwords.ts"),
  flags: { all: toggle("Judge every value that is one line of text") },
  positional: none(),
});

export const copy = command({
  brief: "Copy a value to the terminal's clipboard",
  description:
    `Copy a value to the clipboard of the terminal (OSC 52), which works over SSH too where the terminal allows it. It
is cleared after 45 seconds, or at once with Ctrl-C. Only on a terminal.

JSON: name, seconds`,
  examples: [["coffer copy db/password"], ["coffer copy db/password --for 10"]],
  load: () => import("./copy.ts"),
  flags: { for: parsed("SECONDS", "Clear it after so many seconds, at most a day (45)", parseSeconds) },
  positional: { kind: "tuple", parameters: [NAME] },
});

export const edit = command({
  brief: "Edit a value in an editor",
  description:
    `Edit a value that is text, or a new one, in $VISUAL, else $EDITOR. The text lies in a private folder, in memory
where the system has such a place and permissions allow it, and is removed whatever happens. When nothing was changed, or
the editor fails, nothing is kept. A value that somebody else changed meanwhile is not overwritten.

Needs --allow-run of the editor.

JSON: name, version, changed`,
  examples: [["coffer edit db/notes"], ["coffer edit db/notes --editor 'vim -n'"]],
  load: () => import("./edit.ts"),
  flags: { editor: text("COMMAND", "The editor, instead of $VISUAL and $EDITOR") },
  positional: { kind: "tuple", parameters: [NAME] },
});

function parseSeconds(input: string): number {
  const seconds = /^[0-9]{1,5}$/.test(input) ? Number(input) : 0;
  if (!(seconds >= 1 && seconds <= 86_400)) throw new UsageError("SECONDS must be a whole number from 1 to 86400");
  return seconds;
}
