/**
 * `coffer reddb set FILE KEY`: sets an entry.
 *
 * @module
 */
import { decodeUtf8 } from "../../bytes.ts";
import { MalformedTextError } from "../../errors.ts";
import { writeJson } from "../output.ts";
import { readValue, type ValueFlags } from "../set.ts";
import { askValue, assertWanted } from "../terminal.ts";
import { ownCredential, reaching, type RedDbFlags, redDbOptions } from "./open.ts";
import { warnOfKeptLines } from "./state.ts";

/** Flags of `reddb set`. */
export interface RedDbSetFlags extends RedDbFlags, ValueFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Sets an entry, under one lock from loading to saving. */
export default async function set(flags: RedDbSetFlags, path: string, key: string): Promise<void> {
  const credential = ownCredential(flags, path);
  const given = await readValue(flags, key);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  await reaching(async () => {
    await using vault = await RedDbVault.open(path, await credential(), redDbOptions(flags, path));
    const value = asText(given ?? await askValue(`Value of ${key}:`), key);
    const before = (await vault.load())?.kv.get(key);
    if (before !== undefined && before !== value) {
      await assertWanted(flags.yes, `Replace the value of "${key}"? RedDB keeps no older ones.`);
    }
    await vault.update((state) => {
      warnOfKeptLines(state);
      state.kv.set(key, value);
    });
  });
  if (flags.json) await writeJson({ file: path, key });
}

function asText(bytes: Uint8Array, key: string): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedTextError(key, { hint: "RedDB keeps text only" });
  }
}
