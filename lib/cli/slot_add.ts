/**
 * `coffer slot add`: another way to open the vault.
 *
 * @module
 */
import { NoCredentialError, UsageError } from "../errors.ts";
import { newKdf } from "../sealed/kdf_limits.ts";
import { checkLabel, type SlotKind } from "../sealed/slot.ts";
import type { NewSlot, SlotInfo } from "../slots.ts";
import type { Vault } from "../vault.ts";
import { readNewPassphrase } from "./credential.ts";
import { checkMayChange, checkMayCreate, claimStdin, STDIN } from "./files.ts";
import { type GlobalFlags, type KdfFlags, kdfOptions } from "./flags.ts";
import { isGiven } from "./metadata.ts";
import { checkMayEnsure, ensureKeyFile, withNewFile } from "./new_credential.ts";
import { openVault, prepareOpening } from "./open.ts";
import { note, showOnce, writeJson, writeOut } from "./output.ts";
import { waitingFor } from "./progress.ts";
import { layOut } from "./recovery.ts";
import { askNewPassphrase, canAsk } from "./terminal.ts";
import { warnOfWeak } from "./weak_passphrase.ts";

/** Flags of `slot add`. */
export interface SlotAddFlags extends GlobalFlags, KdfFlags {
  /** What opens the new slot. */
  readonly kind?: SlotKind;
  /** File with the new passphrase. */
  readonly newPassphraseFile?: string;
  /** Key file, made when it is missing. */
  readonly newKeyfile?: string;
  /** The user's own words. */
  readonly label?: string;
  /** File for the recovery code or certificate. */
  readonly out?: string;
}

/** Which flags go with which kind. */
const ALLOWED: Readonly<Record<SlotKind, readonly string[]>> = {
  passphrase: ["--new-passphrase-file", "--kdf-memory", "--kdf-passes", "--kdf-lanes"],
  keyfile: ["--new-keyfile"],
  recovery: ["--out"],
  certificate: ["--out"],
};

/** Adds a slot; a recovery code or certificate is shown once. */
export default async function slotAdd(flags: SlotAddFlags): Promise<void> {
  const { kind, label = "", out } = flags;
  if (kind === undefined) throw new UsageError("--kind is missing", { hint: `Give one of ${KINDS}` });
  checkFlags(kind, flags);
  checkLabel(label);
  const opening = prepareOpening(flags);
  if (out !== undefined) checkMayCreate(out);
  if (flags.newKeyfile !== undefined) checkMayEnsure(flags.newKeyfile);
  checkMayChange(opening.path);
  const slot = await newSlot(kind, label, flags);

  await using vault = await openVault(opening);
  let secret: string | undefined;
  const added = await withNewFile(out, async (write) => {
    const onSecret = async (text: string) => {
      if (out !== undefined) write(text);
      else if (flags.json) secret = text;
      else await showOnce(() => writeOut(kind === "recovery" ? layOut(text) : `${text}\n`));
    };
    return await waitingFor("making the slot", () => vault.slots.add(slot, { onSecret }));
  });
  if (flags.json) await printJson(vault, added, secret, out);
  else if (Deno.stderr.isTerminal()) note(`Added slot ${added.id} (${kind})`);
}

const KINDS = Object.keys(ALLOWED).join(", ");

function checkFlags(kind: SlotKind, flags: SlotAddFlags): void {
  const given = Object.entries({
    "--new-passphrase-file": flags.newPassphraseFile,
    "--new-keyfile": flags.newKeyfile,
    "--out": flags.out,
    "--kdf-memory": flags.kdfMemory,
    "--kdf-passes": flags.kdfPasses,
    "--kdf-lanes": flags.kdfLanes,
  }).filter(([, value]) => isGiven(value)).map(([name]) => name);
  const stray = given.find((name) => !ALLOWED[kind].includes(name));
  if (stray !== undefined) throw new UsageError(`${stray} does not go with --kind ${kind}`);
  if (kind === "keyfile" && flags.newKeyfile === undefined) {
    throw new UsageError("--kind keyfile needs --new-keyfile", {
      hint: "Name a key file; it is made when it is missing",
    });
  }
}

async function newSlot(kind: SlotKind, label: string, flags: SlotAddFlags): Promise<NewSlot> {
  const { newPassphraseFile, newKeyfile } = flags;
  switch (kind) {
    case "passphrase": {
      const kdf = kdfOptions(flags);
      newKdf(kdf);
      return { kind, label, passphrase: await newPassphrase(newPassphraseFile), ...kdf };
    }
    case "keyfile":
      return { kind, label, keyFile: async () => await ensureKeyFile(newKeyfile!) };
    case "recovery":
    case "certificate":
      return { kind, label };
  }
}

async function newPassphrase(path: string | undefined): Promise<string | (() => Promise<string>)> {
  if (path === STDIN) claimStdin("--new-passphrase-file");
  if (path !== undefined) return await warnOfWeak(await readNewPassphrase(path));
  if (canAsk()) return async () => await warnOfWeak(await askNewPassphrase());
  throw new NoCredentialError({ hint: "Give the new passphrase with --new-passphrase-file, or run on a terminal" });
}

/** One document with slot and secret. A slot whose secret nobody could read would be of no use: it goes again. */
async function printJson(vault: Vault, slot: SlotInfo, secret: string | undefined, out?: string): Promise<void> {
  const field = slot.kind === "recovery" ? "recoveryCode" : "certificate";
  if (secret === undefined) return await writeJson({ ...slot, ...(out === undefined ? {} : { out }) });
  try {
    await showOnce(() => writeJson({ ...slot, [field]: secret }));
  } catch (error) {
    await vault.slots.remove(slot.id);
    throw error;
  }
}
