/**
 * `coffer set NAME`: keeps a value.
 *
 * @module
 */
import { encodeUtf8 } from "../bytes.ts";
import { UsageError, ValueTooLargeError } from "../errors.ts";
import { checkName } from "../state/names.ts";
import { checkValue, MAX_VALUE_SIZE } from "../state/secret.ts";
import { checkMayChange, claimStdin, readFile, readStdin, STDIN } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { endsItsLine, withoutLineEnd } from "./line_end.ts";
import { isGiven, type MetadataFlags, metadataFrom, refuseBoth } from "./metadata.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, shown, warn, writeJson } from "./output.ts";
import { askValue, canAsk } from "./terminal.ts";

/** Flags that say where a value comes from. */
export interface ValueFlags {
  /** Whether the value comes from stdin. */
  readonly stdin: boolean;
  /** File that holds the value. */
  readonly file?: string;
  /** The value itself. */
  readonly value?: string;
}

/** Flags of `set`. */
export interface SetFlags extends GlobalFlags, MetadataFlags, ValueFlags {
  /** Whether one line end behind what is read is left out. */
  readonly trim: boolean;
}

/** Reads a value and keeps it as a new version. */
export default async function set(flags: SetFlags, name: string): Promise<void> {
  checkName(name);
  const metadata = metadataFrom(flags);
  const opening = prepareOpening(flags);
  checkMayChange(opening.path);
  if (flags.trim && !flags.stdin && !isGiven(flags.file)) throw new UsageError("--trim needs --stdin or --file");
  const read = await readValue(flags, name);
  const given = flags.trim && read !== undefined ? withoutLineEnd(read) : read;

  await using vault = await openVault(opening);
  const value = given ?? await askValue(`Value of ${name}:`);
  const { version } = await vault.secrets.set(name, value, metadata);
  if (given !== undefined && (flags.stdin || isGiven(flags.file)) && !flags.trim && endsItsLine(given)) {
    warn("The line end behind the value is a part of it now; --trim leaves it out");
  }
  if (flags.json) await writeJson({ name, version });
  else if (Deno.stderr.isTerminal()) note(`Saved ${shown(name)}, version ${version}`);
}

/** The value that the flags name, or undefined when it is to be asked for. */
export async function readValue({ stdin, file, value }: ValueFlags, name: string): Promise<Uint8Array | undefined> {
  refuseBoth({ "--stdin": stdin, "--file": file, "--value": value });
  if (value !== undefined) return checkValue(encodeUtf8(value));
  if (stdin || file === STDIN) {
    claimStdin(stdin ? "--stdin" : "--file");
    if (canAsk()) note(`Reading the value of ${shown(name)}, which shows as it is typed; end with Ctrl-D`);
    return checkRead(await readStdin(MAX_VALUE_SIZE));
  }
  if (file !== undefined) return checkRead((await readFile(file, "the value from", MAX_VALUE_SIZE)).bytes);
  if (!canAsk()) {
    throw new UsageError("No value was given, and stdin is not a terminal", {
      hint: "Give the value with --stdin or --file",
    });
  }
  return undefined;
}

/** Reading stopped one byte past the limit, so how much more there is stays unknown. */
function checkRead(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_VALUE_SIZE) throw new ValueTooLargeError(bytes.length, MAX_VALUE_SIZE);
  return bytes;
}
