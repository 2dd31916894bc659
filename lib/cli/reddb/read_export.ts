/**
 * Reading an export of RedDB's.
 *
 * @module
 */
import { concat, decodeUtf8 } from "../../bytes.ts";
import { RedDbCorruptError } from "../../reddb/errors.ts";
import type { VaultState } from "../../reddb/mod.ts";
import { claimStdin, readFile, readStdin, STDIN } from "../files.ts";
import type { RedDbCredentialSource } from "./open.ts";

/** Most bytes of an export: 64 MiB sealed, as hex. */
const MAX_EXPORT_SIZE = 128 * 1024 * 1024;
/** What an export begins with: hex, or the white space before it. A page file has zeros among its first bytes. */
const START = /^[0-9a-f\s]{8}/i;
const START_SIZE = 8;

/** The state in an export; `-` reads stdin. */
export async function readExport(path: string, credential: RedDbCredentialSource): Promise<VaultState> {
  const text = await readText(path);
  const { resolveRedDbCredential, unsealLogicalExport } = await import("../../reddb/mod.ts");
  const { kind, secret } = await resolveRedDbCredential(await credential());
  try {
    return await unsealLogicalExport(text, { [kind]: secret });
  } finally {
    secret.fill(0);
  }
}

/** Whether a file is an export rather than a page file. What cannot be read is neither, and is said elsewhere. */
export async function isExport(path: string): Promise<boolean> {
  if (path === STDIN) return true;
  try {
    // A pipe gives its bytes once, and no page file is one.
    const { isFifo } = await Deno.stat(path);
    if (isFifo) return true;
    using file = await Deno.open(path, { read: true });
    const start = new Uint8Array(START_SIZE);
    await file.read(start);
    return START.test(decodeUtf8(start));
  } catch {
    return false;
  }
}

async function readText(path: string): Promise<string> {
  if (path === STDIN) claimStdin("the export");
  const bytes = path === STDIN
    ? await readStdin(MAX_EXPORT_SIZE)
    : (await readFile(path, "the export", MAX_EXPORT_SIZE)).bytes;
  if (bytes.length > MAX_EXPORT_SIZE) throw new RedDbCorruptError(`the export has more than ${MAX_EXPORT_SIZE} bytes`);
  try {
    return decodeUtf8(concat(bytes));
  } catch {
    throw new RedDbCorruptError("the export is not hex");
  }
}
