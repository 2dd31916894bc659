/**
 * The names that completion offers: only where a vault opens without a question, soon, and without a trace.
 *
 * @module
 */
import { NoCredentialError, TooManyAttemptsError } from "../../errors.ts";
import type { SlotInfo } from "../../slots.ts";
import type { Vault, VaultSummary } from "../../vault.ts";
import { credentialFrom, findCredential } from "../credential.ts";
import { STDIN } from "../files.ts";
import type { GlobalFlags, NameKind } from "../flags.ts";
import { fileOptions, vaultPath } from "../open.ts";
import { shown, writeJson, writeOut } from "../output.ts";

/** Longest wait for the vault's lock, in milliseconds. */
const TIMEOUT = 500;
/** KiB times passes that may be spent on passphrase slots: about a second, and enough for one of the usual cost. */
const MAX_COST = 1024 * 1024;

/** Prints names, one per line. Where that is not possible nothing is printed, and the exit code is 1. */
export async function printNames(flags: GlobalFlags, kind: NameKind): Promise<void> {
  let names: readonly string[];
  try {
    names = await namesOf({ ...flags, timeout: TIMEOUT }, kind);
  } catch {
    // Whatever it is: in the middle of somebody's line is no place to say so.
    Deno.exitCode = 1;
    return;
  }
  if (flags.json) await writeJson(names);
  // One that has to be shown escaped would be completed to another one.
  else await writeOut(names.filter((name) => shown(name) === name).map((name) => `${name}\n`).join(""));
}

async function namesOf(flags: GlobalFlags, kind: NameKind): Promise<readonly string[]> {
  const path = vaultPath(flags);
  const { Vault } = await import("../../vault.ts");
  const summary = await Vault.inspect(path, fileOptions(flags));
  if (kind === "slots") return summary.slots.map(({ id }) => String(id));
  const source = findCredential(flags);
  if (source === undefined || source.file === STDIN) throw new NoCredentialError();
  assertMayTry(summary, source.kind === "passphrase");
  // A wrong key file on the line would else count as a try each time that somebody presses a key.
  const opening = { ...credentialFrom(source), ...fileOptions(flags), attempts: false };
  await using vault = await Vault.open(path, opening);
  return await list(vault, kind);
}

/** Failures are not counted here, so none may have been: this is no way round the wait that they bring. */
function assertMayTry({ attempts, slots }: VaultSummary, derives: boolean): void {
  if ((attempts?.failures ?? 0) > 0) throw new TooManyAttemptsError(attempts!.retryAfter);
  if (derives && slots.map(cost).reduce((sum, one) => sum + one, 0) > MAX_COST) throw new NoCredentialError();
}

function cost({ kdf }: SlotInfo): number {
  return kdf === undefined ? 0 : kdf.memory * kdf.passes;
}

async function list(vault: Vault, kind: Exclude<NameKind, "slots">): Promise<readonly string[]> {
  switch (kind) {
    case "secrets":
      return (await vault.secrets.list()).map(({ name }) => name);
    case "users":
      return (await vault.users.list()).map(({ user }) => user);
    case "keys":
      return (await vault.apiKeys.list()).map(({ id }) => id);
  }
}
