/**
 * `coffer bootstrap [NAME]`: the first admin of the platform, and a certificate.
 *
 * @module
 */
import { AlreadyBootstrappedError } from "../../auth/errors.ts";
import { toUserId } from "../../auth/user_id.ts";
import { UsageError } from "../../errors.ts";
import { checkLabel } from "../../sealed/slot.ts";
import { checkMayChange, checkMayCreate } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { withNewFile } from "../new_credential.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, shown, showOnce, writeJson, writeOut } from "../output.ts";
import { claim, readNewPassword } from "./secret_input.ts";

/** Flags of `bootstrap`. */
export interface BootstrapFlags extends GlobalFlags {
  /** File with the password. */
  readonly newPasswordFile?: string;
  /** File for the certificate. */
  readonly certificateOut?: string;
  /** Label of the certificate's slot. */
  readonly label?: string;
}

/** Makes the admin and the certificate, which is shown once, in one commit. */
export default async function bootstrap(flags: BootstrapFlags, name = "admin"): Promise<void> {
  const { certificateOut, json, label = "" } = flags;
  if (toUserId(name).tenant !== null) throw new UsageError("The first admin is a user of the platform, of no tenant");
  checkLabel(label);
  const opening = prepareOpening(flags);
  claim(flags.newPasswordFile, "--new-password-file");
  if (certificateOut !== undefined) checkMayCreate(certificateOut);
  checkMayChange(opening.path);

  await using vault = await openVault(opening);
  // Before a password is asked for that would not be used.
  if (await vault.auth.isBootstrapped()) throw new AlreadyBootstrappedError();
  const password = await readNewPassword(flags.newPasswordFile);
  const user = await withNewFile(certificateOut, async (write) => {
    return await vault.auth.bootstrap({
      name,
      password,
      label,
      onCertificate: async (certificate) => {
        if (certificateOut !== undefined) write(certificate);
        else if (json) await showOnce(() => writeJson({ user: name, role: "admin", certificate }));
        else await showOnce(() => writeOut(`${certificate}\n`));
      },
    });
  });
  if (json && certificateOut !== undefined) {
    await writeJson({ user: name, role: "admin", certificateFile: certificateOut });
  }
  if (!json && Deno.stderr.isTerminal()) {
    note(`${shown(user.user)} is the first admin; keep the certificate, it opens the vault`);
  }
}
