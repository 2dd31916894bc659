/**
 * `coffer reddb bootstrap FILE`: a new RedDB vault with its first user.
 *
 * @module
 */
import {
  InputOutputError,
  NoCredentialError,
  UsageError,
  VaultExistsError,
  WeakCredentialError,
} from "../../errors.ts";
import { RedDbCorruptError, RedDbPageFileError } from "../../reddb/errors.ts";
import type { CredentialInput, RedDbOpenOptions, VaultState } from "../../reddb/mod.ts";
import { readCredentialText } from "../credential.ts";
import { checkFree, checkMayCreate, checkMayWrite, claimStdin, isThere, STDIN } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { withNewFile } from "../new_credential.ts";
import { note, shown, writeJson, writeOut } from "../output.ts";
import { askNewPassphrase, canAsk } from "../terminal.ts";
import { redDbOptions } from "./open.ts";

/** Flags of `reddb bootstrap`. */
export interface RedDbBootstrapFlags extends GlobalFlags {
  /** Name of the administrator. */
  readonly user?: string;
  /** File with the administrator's password. */
  readonly passwordFile?: string;
  /** File for the certificate. */
  readonly certificateOut?: string;
  /** Whether a vault of version 1 may be replaced. */
  readonly replaceLegacy: boolean;
}

/** Makes a vault that its certificate opens, and shows the certificate once. */
export default async function bootstrap(flags: RedDbBootstrapFlags, path: string): Promise<void> {
  const { user, certificateOut, json } = flags;
  if (user === undefined || user === "") {
    throw new UsageError("--user is missing", { hint: "Name the administrator: --user NAME" });
  }
  if (flags.passwordFile === STDIN) claimStdin("--password-file");
  if (certificateOut !== undefined) {
    checkFree(certificateOut);
    checkMayCreate(certificateOut);
  }
  checkMayWrite(path, "write");
  const options = redDbOptions(flags, path);
  await assertNoVault(path, flags.replaceLegacy, options);
  const password = await readPassword(flags);

  const { bootstrapState } = await import("../../reddb/mod.ts");
  const { state, pair, apiKey } = await bootstrapState(user, password);
  // What cannot be written is refused before a file is made.
  state.serialize().fill(0);
  // Shown before the vault is made: there is never a vault whose certificate nobody has seen.
  await withNewFile(certificateOut, async (write) => {
    if (certificateOut !== undefined) write(pair.certificateHex);
    const certificate = certificateOut === undefined
      ? { certificate: pair.certificateHex }
      : { certificateFile: certificateOut };
    await show(async () => {
      if (json) return await writeJson({ file: path, user, apiKey, ...certificate });
      note("The certificate opens the vault, and nothing else does. It and the API key are shown this once.");
      await writeOut(
        `${certificateOut === undefined ? `certificate: ${pair.certificateHex}\n` : ""}api key: ${apiKey}\n`,
      );
    });
    await save(path, state, { certificate: pair.certificate }, { ...options, replaceUnreadable: flags.replaceLegacy });
  });
  if (!json) note(`Made a vault in ${shown(path)}`);
}

/** Shows what is shown once. A reader that went away has not seen it: here that is an error, and no vault is made. */
async function show(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    throw new InputOutputError("write to", "standard output", { cause: error });
  }
}

/**
 * Looks the file over before anything is asked or shown.
 *
 * @throws {VaultExistsError} when the file has a vault that bootstrapping must not replace
 * @throws {RedDbPageFileError} @throws {RedDbCorruptError} when nothing can be saved to it
 */
async function assertNoVault(path: string, replaceLegacy: boolean, options: RedDbOpenOptions): Promise<void> {
  if (!isThere(path)) return;
  const { checkRedDbFile } = await import("../../reddb/mod.ts");
  const { version, problems } = await checkRedDbFile(path, options);
  if (version === null || (version === 1 && replaceLegacy)) {
    const problem = problems.find(({ kind, harmless }) => !harmless && !(kind === "header" && replaceLegacy));
    if (problem === undefined) return;
    const { kind, what, page } = problem;
    const at = page === null ? {} : { page };
    throw kind === "header" ? new RedDbCorruptError(what, at) : new RedDbPageFileError(path, what, at);
  }
  throw new VaultExistsError(path, {
    hint: version === 1
      ? "Its vault is of version 1 and cannot be read; --replace-legacy puts a new one in its place"
      : "A vault is bootstrapped once; name another file",
  });
}

async function save(
  path: string,
  state: VaultState,
  credential: CredentialInput,
  options: RedDbOpenOptions,
): Promise<void> {
  const { RedDbVault } = await import("../../reddb/mod.ts");
  // The vault's own certificate counts, whatever the environment holds.
  const own = { ...options, environment: () => undefined };
  await using vault = isThere(path)
    ? await RedDbVault.open(path, credential, own)
    : await RedDbVault.create(path, credential, own);
  await vault.saveFirst(state);
}

async function readPassword({ passwordFile }: RedDbBootstrapFlags): Promise<string> {
  const password = await givenPassword(passwordFile);
  if (password === "") throw new WeakCredentialError("A password must not be empty");
  return password;
}

async function givenPassword(file: string | undefined): Promise<string> {
  if (file !== undefined) return await readCredentialText(file, "passphrase");
  if (canAsk()) return await askNewPassphrase("password");
  throw new NoCredentialError({ hint: "Give --password-file, or run on a terminal" });
}
