/**
 * `coffer get NAME`: a value, byte for byte.
 *
 * @module
 */
import { decodeUtf8, encodeBase64 } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { checkName } from "../state/names.ts";
import { checkMayCreate, checkMayWrite } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { isExpired } from "./metadata.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shownDate, warn, writeJson, writeOut } from "./output.ts";

/** Flags of `get`. */
export interface GetFlags extends GlobalFlags {
  /** File to write the value to. */
  readonly out?: string;
  /** Whether that file may exist. */
  readonly overwrite: boolean;
  /** Which version. */
  readonly version?: number;
  /** Whether binary data may go to a terminal. */
  readonly forceTty: boolean;
}

/** Anything but text and its usual white space. */
const NOT_TEXT = /[^\P{Cc}\t\n\r]/u;

/** Prints a value, or writes it to a file. */
export default async function get(flags: GetFlags, name: string): Promise<void> {
  const { json, out, overwrite, version } = flags;
  checkName(name);
  if (overwrite && out === undefined) throw new UsageError("--overwrite needs --out");
  const opening = prepareOpening(flags);
  if (out !== undefined && overwrite) checkMayWrite(out, "write");
  else if (out !== undefined) checkMayCreate(out);

  await using vault = await openVault(opening);
  const info = await vault.secrets.info(name);
  // What was just described, even if another process sets a newer version in between.
  const value = await vault.secrets.get(name, { version: version ?? info.version });
  if (isExpired(info)) warn(`"${name}" expired on ${shownDate(info.expiresAt!)}`);

  const description = { name, version: version ?? info.version, size: value.length };
  if (out !== undefined) {
    const { replaceFile, writeNewFile } = await import("./private_file.ts");
    (overwrite ? replaceFile : writeNewFile)(out, value);
    if (json) await writeJson({ ...description, out });
  } else if (json) {
    const text = asText(value);
    const encoded = text === undefined
      ? { encoding: "base64", value: encodeBase64(value) }
      : { encoding: "utf8", value: text };
    await writeJson({ ...description, ...encoded });
  } else await print(value, flags.forceTty);
}

async function print(value: Uint8Array, forceTty: boolean): Promise<void> {
  if (!Deno.stdout.isTerminal()) return await writeOut(value);
  const text = asText(value);
  if (!forceTty && (text === undefined || NOT_TEXT.test(text))) {
    throw new UsageError("The value is binary, and stdout is a terminal", {
      hint: "Write it to a file with --out, or send it all the same with --force-tty",
    });
  }
  await writeOut(value);
  if (text !== "" && !text?.endsWith("\n")) await writeOut("\n");
}

function asText(value: Uint8Array): string | undefined {
  try {
    return decodeUtf8(value);
  } catch {
    return undefined;
  }
}
