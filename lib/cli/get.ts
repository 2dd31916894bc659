/**
 * `coffer get NAME`: a value, byte for byte.
 *
 * @module
 */
import { decodeUtf8, encodeBase64 } from "../bytes.ts";
import { UsageError, VersionNotFoundError } from "../errors.ts";
import type { SecretInfo } from "../secrets.ts";
import { checkName } from "../state/names.ts";
import { checkMayCreate, checkMayWrite, REPLACEABLE } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { isExpired } from "./metadata.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shownDate, warn, writeJson, writeOut } from "./output.ts";
import type { Vault } from "../vault.ts";

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

/** How often the newest version may be taken away while it is read. */
const ATTEMPTS = 8;

/** Anything but text and its usual white space. */
const NOT_TEXT = /[^\P{Cc}\t\n\r]/u;

/** Prints a value, or writes it to a file. */
export default async function get(flags: GetFlags, name: string): Promise<void> {
  const { json, out, overwrite, version } = flags;
  checkName(name);
  if (overwrite && out === undefined) throw new UsageError("--overwrite needs --out");
  const opening = prepareOpening(flags);
  if (out !== undefined && overwrite) checkMayWrite(out, "write");
  else if (out !== undefined) checkMayCreate(out, REPLACEABLE);

  await using vault = await openVault(opening);
  const { info, value } = await suggesting(vault, () => read(vault, name, version));
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

/** What was just described, even if another process sets a newer version in between. */
async function read(
  vault: Vault,
  name: string,
  version: number | undefined,
): Promise<{ readonly info: SecretInfo; readonly value: Uint8Array }> {
  for (let attempt = 1;; attempt++) {
    const info = await vault.secrets.info(name);
    try {
      return { info, value: await vault.secrets.get(name, { version: version ?? info.version }) };
    } catch (error) {
      // A restore took the newest version away in between; the one that was asked for it did not.
      if (!(error instanceof VersionNotFoundError) || version !== undefined || attempt === ATTEMPTS) throw error;
    }
  }
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
