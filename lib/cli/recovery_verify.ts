/**
 * `coffer recovery verify`: whether a recovery code opens the vault.
 *
 * @module
 */
import { NoCredentialError, UsageError } from "../errors.ts";
import type { CredentialOptions } from "../sealed/credential.ts";
import { credentialFrom, findCredential } from "./credential.ts";
import type { GlobalFlags } from "./flags.ts";
import { fileOptions, openVault, vaultPath } from "./open.ts";
import { writeJson, writeOut } from "./output.ts";
import { askHidden, canAsk } from "./terminal.ts";

/** Opens the vault with the code, and says no more than that it did. */
export default async function recoveryVerify(flags: GlobalFlags): Promise<void> {
  const path = vaultPath(flags);
  const credential = recoveryCredential(flags, path);
  await using _vault = await openVault({ path, options: { ...credential, ...fileOptions(flags) } });
  if (flags.json) await writeJson({ ok: true });
  else await writeOut("ok\n");
}

/** Another credential would prove nothing about the code, so variables are passed over. */
function recoveryCredential(flags: GlobalFlags, path: string): CredentialOptions {
  const { passphraseFile, keyfile, certificateFile } = flags;
  if ([passphraseFile, keyfile, certificateFile].some((file) => file !== undefined)) {
    throw new UsageError("Only a recovery code is verified", { hint: "Give --recovery-file alone, or type the code" });
  }
  if (flags.recoveryFile !== undefined) return credentialFrom(findCredential(flags)!);
  return { recoveryCode: async () => await ask(path) };
}

async function ask(path: string): Promise<string> {
  if (!canAsk()) throw new NoCredentialError({ hint: "Give --recovery-file, or run on a terminal" });
  const bytes = await askHidden(`Recovery code of ${path}:`);
  try {
    return new TextDecoder().decode(bytes);
  } finally {
    bytes.fill(0);
  }
}
