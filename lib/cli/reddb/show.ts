/**
 * `coffer reddb show FILE`: what a RedDB vault holds.
 *
 * @module
 */
import type { VaultState } from "../../reddb/mod.ts";
import { writeJson, writeOut } from "../output.ts";
import { ownCredential, reaching, type RedDbFlags, redDbOptions } from "./open.ts";
import { stateJson, stateText, warnOfKeptLines } from "./state.ts";

/** Flags of `reddb show` and `reddb unseal`. */
export interface RedDbShowFlags extends RedDbFlags {
  /** Whether secrets are shown. */
  readonly reveal: boolean;
}

/** Shows the state of a RedDB file. */
export default async function show(flags: RedDbShowFlags, path: string): Promise<void> {
  const credential = ownCredential(flags, path);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  await reaching(async () => {
    const options = redDbOptions(flags, path);
    // A missing or foreign file is said before anybody is asked for a passphrase.
    if (!await RedDbVault.hasSavedState(path, options)) return await print(null, flags);
    await using vault = await RedDbVault.open(path, await credential(), options);
    await print(await vault.load(), flags);
  });
}

/** Prints a state, or that there is none. */
export async function print(state: VaultState | null, { json, reveal }: RedDbShowFlags): Promise<void> {
  if (state !== null) warnOfKeptLines(state);
  if (json) await writeJson(state === null ? null : stateJson(state, reveal));
  else await writeOut(state === null ? "There is no vault in this file yet\n" : stateText(state, reveal));
}
