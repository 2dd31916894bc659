/**
 * `coffer sign [FILE]`: a signature under the vault's master secret.
 *
 * @module
 */
import { encodeHex, encodeUtf8 } from "../../bytes.ts";
import { checkMayCreate } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson, writeOut } from "../output.ts";
import { writeNewFile } from "../private_file.ts";
import { readData } from "./signed_data.ts";

/** Flags of `sign`. */
export interface SignFlags extends GlobalFlags {
  /** File for the signature. */
  readonly out?: string;
}

/** Signs a file or stdin. */
export default async function sign(flags: SignFlags, path?: string): Promise<void> {
  const { out, json } = flags;
  const opening = prepareOpening(flags);
  if (out !== undefined) checkMayCreate(out);
  const data = await readData(path);
  await using vault = await openVault(opening);
  const signature = encodeHex(await vault.keyPair.sign(data));
  if (out !== undefined) writeNewFile(out, encodeUtf8(`${signature}\n`));
  if (json) await writeJson({ signature, ...(out === undefined ? {} : { out }) });
  else if (out === undefined) await writeOut(`${signature}\n`);
}
