/**
 * `coffer reddb rm FILE KEY`: removes an entry.
 *
 * @module
 */
import { SecretNotFoundError } from "../../errors.ts";
import { writeJson } from "../output.ts";
import { ownCredential, reaching, type RedDbFlags, redDbOptions } from "./open.ts";
import { warnOfKeptLines } from "./state.ts";
import { assertWanted } from "../terminal.ts";

/** Flags of `reddb rm`. */
export interface RedDbRmFlags extends RedDbFlags {
  /** Whether not to ask. */
  readonly yes: boolean;
}

/** Removes an entry, under one lock from loading to saving. */
export default async function rm(flags: RedDbRmFlags, path: string, key: string): Promise<void> {
  const credential = ownCredential(flags, path);
  const { RedDbVault } = await import("../../reddb/mod.ts");
  await reaching(async () => {
    await using vault = await RedDbVault.open(path, await credential(), redDbOptions(flags, path));
    if ((await vault.load())?.kv.has(key)) await assertWanted(flags.yes, `Remove "${key}" from "${path}", for good?`);
    await vault.update((state) => {
      warnOfKeptLines(state);
      if (!state.kv.delete(key)) {
        throw new SecretNotFoundError(key, { hint: "List the entries with `coffer reddb show`" });
      }
    });
  });
  if (flags.json) await writeJson({ file: path, removed: key });
}
