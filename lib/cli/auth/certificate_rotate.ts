/**
 * `coffer certificate rotate`: a new certificate in the place of the old one.
 *
 * @module
 */
import { checkMayChange, checkMayCreate } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { withNewFile } from "../new_credential.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, showOnce, writeJson, writeOut } from "../output.ts";

/** Flags of `certificate rotate`. */
export interface CertificateRotateFlags extends GlobalFlags {
  /** Number of the slot. */
  readonly slot?: number;
  /** File for the certificate. */
  readonly certificateOut?: string;
}

/** Makes a new certificate, and shows it once, before the old one stops to open the vault. */
export default async function certificateRotate(flags: CertificateRotateFlags): Promise<void> {
  const { slot, certificateOut, json } = flags;
  const opening = prepareOpening(flags);
  if (certificateOut !== undefined) checkMayCreate(certificateOut);
  checkMayChange(opening.path);
  await using vault = await openVault(opening);
  const only = slot ?? (await vault.slots.list()).find(({ kind }) => kind === "certificate")?.id;
  const replaced = await withNewFile(certificateOut, async (write) => {
    return await vault.slots.rotateCertificate(slot, {
      onSecret: async (certificate) => {
        if (certificateOut !== undefined) write(certificate);
        else if (json) await showOnce(() => writeJson({ slot: only, certificate }));
        else await showOnce(() => writeOut(`${certificate}\n`));
      },
    });
  });
  if (json && certificateOut !== undefined) await writeJson({ slot: replaced.id, certificateFile: certificateOut });
  if (!json && Deno.stderr.isTerminal()) note(`The old certificate of slot ${replaced.id} opens older copies only`);
}
