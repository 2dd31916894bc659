/**
 * `coffer reddb export FILE`: the whole state as one line of sealed text.
 *
 * @module
 */
import { encodeUtf8 } from "../../bytes.ts";
import { VaultNotFoundError } from "../../errors.ts";
import { checkMayCreate } from "../files.ts";
import { writeJson, writeOut } from "../output.ts";
import { writeNewFile } from "../private_file.ts";
import { ownCredential, reaching, type RedDbFlags, redDbOptions } from "./open.ts";
import { warnOfKeptLines } from "./state.ts";

/** Flags of `reddb export`. */
export interface RedDbExportFlags extends RedDbFlags {
  /** File to write the export to. */
  readonly out?: string;
}

/** Seals the state under the credential that opens the vault. */
export default async function exportState(flags: RedDbExportFlags, path: string): Promise<void> {
  const { json, out } = flags;
  const credential = ownCredential(flags, path);
  if (out !== undefined) checkMayCreate(out);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  const text = await reaching(async () => {
    const options = redDbOptions(flags, path);
    if (!await RedDbVault.hasSavedState(path, options)) throw new VaultNotFoundError(path);
    await using vault = await RedDbVault.open(path, await credential(), options);
    const state = await vault.load();
    if (state === null) throw new VaultNotFoundError(path);
    warnOfKeptLines(state);
    return await vault.sealLogicalExport(state);
  });
  if (out !== undefined) {
    writeNewFile(out, encodeUtf8(`${text}\n`));
    if (json) await writeJson({ out });
  } else if (json) await writeJson({ export: text });
  else await writeOut(`${text}\n`);
}
