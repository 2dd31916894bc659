/**
 * `coffer reddb unseal EXPORT`: what an export holds.
 *
 * @module
 */
import { ownCredential } from "./open.ts";
import { readExport } from "./read_export.ts";
import { print, type RedDbShowFlags } from "./show.ts";

/** Shows the state of an export. */
export default async function unseal(flags: RedDbShowFlags, path: string): Promise<void> {
  await print(await readExport(path, ownCredential(flags, path)), flags);
}
