/**
 * Key slots of an open vault: who can open it.
 *
 * @module
 */
import { newKeyPair, putKeyPair, readKeyPair } from "./auth/key_pair_record.ts";
import { type Bytes, encodeHex, encodeUtf8 } from "./bytes.ts";
import { hmac, importHmacKey } from "./crypto/hmac.ts";
import { randomBytes, wipe } from "./crypto/random.ts";
import type { Engine, Work } from "./engine.ts";
import { LastSlotError, SlotNotFoundError, SlotsFullError, WrongCredentialError } from "./errors.ts";
import { logger } from "./log.ts";
import { checkNewCredential, passphraseBytes, type Provide, provided, resolveCredential } from "./sealed/credential.ts";
import { KDF_FLOOR, type KdfOptions, newKdf } from "./sealed/kdf_limits.ts";
import { type PreparedSlot, prepareSlot, unwrapVaultKey, wrapSlot } from "./sealed/key_slot.ts";
import { CERTIFICATE_LABEL } from "./sealed/labels.ts";
import { SLOT_COUNT } from "./sealed/meta.ts";
import { checkLabel, type Slot, type SlotKind } from "./sealed/slot.ts";

/** What is known of a key slot; anyone who can read the file may see it. */
export interface SlotInfo {
  /** Number, from 1, never used twice. */
  readonly id: number;
  /** What opens it. */
  readonly kind: SlotKind;
  /** The user's own words. */
  readonly label: string;
  /** When it was made. */
  readonly createdAt: Date;
  /** Cost of a passphrase: memory in KiB, passes, lanes. */
  readonly kdf?: { readonly memory: number; readonly passes: number; readonly lanes: number };
}

/** A new slot: a passphrase or key file that the caller brings, or a recovery code or certificate that is made. */
export type NewSlot =
  & { readonly label?: string }
  & (
    | ({ readonly kind: "passphrase"; readonly passphrase: Provide<string> } & KdfOptions)
    | { readonly kind: "keyfile"; readonly keyFile: Provide<Uint8Array> }
    | { readonly kind: "recovery" }
    | { readonly kind: "certificate" }
  );

/** What to do with a secret that was made for a new slot. */
export interface NewSlotOptions {
  /**
   * Gets the recovery code or certificate before the slot is committed. When it throws, there is no slot. For a
   * certificate the vault is locked meanwhile, so it should not wait for a person.
   */
  readonly onSecret?: (text: string) => void | Promise<void>;
}

const RECOVERY_SIZE = 32;

/** The key slots of an open vault. */
export class Slots {
  readonly #engine: Engine;

  /** Made by `Vault`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * All slots, by number.
   *
   * @throws {BusyError} when the lock is not had in time @throws {VaultClosedError}
   * @throws {RollbackDetectedError} @throws {ForkDetectedError} when another file took the vault's place
   */
  async list(): Promise<SlotInfo[]> {
    await this.#engine.refresh();
    return this.#engine.committed.generation.meta.slots.map(slotInfo);
  }

  /**
   * Adds a slot. It is opened once, with its own credential, before it counts.
   *
   * @throws {SlotsFullError} when there are 16
   * @throws {InvalidMetadataError} when the label is too long
   * @throws {WeakCredentialError} @throws {MalformedCredentialError} @throws {WeakKdfError} @throws {KdfLimitError}
   * @throws {SlotVerificationError} when it did not open
   * @throws {BusyError} when the lock is not had in time
   */
  async add(slot: NewSlot, options: NewSlotOptions = {}): Promise<SlotInfo> {
    const label = checkLabel(slot.label ?? "");
    // Before a recovery code is shown that no slot would ever take.
    if ((await this.list()).length >= SLOT_COUNT) throw new SlotsFullError();
    if (slot.kind === "recovery") await assertMayChange(this.#engine);
    // A certificate comes from the master secret inside the vault, so it is made within the transaction.
    const prepared = slot.kind === "certificate" ? undefined : await prepareNewSlot(slot, label, options);
    const added = await this.#engine.transact(async (work) => {
      if (prepared === undefined) return await addCertificate(this.#engine, work, label, options);
      if (work.slots.length >= SLOT_COUNT) throw new SlotsFullError();
      return await appendSlot(this.#engine, work, prepared);
    });
    return logged("Added", added);
  }

  /**
   * Removes a slot. Whoever knew its credential may still have opened older copies of the vault with it.
   *
   * @throws {SlotNotFoundError}
   * @throws {LastSlotError} when it is the only one
   * @throws {BusyError} when the lock is not had in time
   */
  async remove(id: number): Promise<SlotInfo> {
    const removed = await this.#engine.transact((work) => {
      const slot = work.slots.find((slot) => slot.id === id);
      if (slot === undefined) throw new SlotNotFoundError(`The vault has no slot ${id}`);
      if (work.slots.length === 1) throw new LastSlotError(id);
      work.slots = work.slots.filter((slot) => slot.id !== id);
      work.audit({ operation: "slot.remove", name: String(id) });
      return slotInfo(slot);
    });
    return logged("Removed", removed);
  }

  /**
   * Puts a slot for a new passphrase in the place of a passphrase slot; the others stay as they are.
   *
   * @throws {SlotNotFoundError} when it was removed meanwhile
   * @throws {WeakCredentialError} @throws {MalformedCredentialError} @throws {WeakKdfError} @throws {KdfLimitError}
   * @throws {SlotVerificationError} @throws {BusyError}
   */
  async replacePassphrase(
    choose: (slots: readonly SlotInfo[]) => SlotInfo,
    passphrase: Provide<string>,
    options: KdfOptions,
  ): Promise<SlotInfo> {
    await this.#engine.refresh();
    const before = choose(this.#engine.committed.generation.meta.slots.map(slotInfo));
    const kdf = newKdf({ ...keptKdf(before, options), ...options });
    const credential = checkNewCredential({ kind: "passphrase", secret: passphraseBytes(await provided(passphrase)) });
    const prepared = await prepareSlot(credential, before.label, kdf);
    const replaced = await this.#engine.transact(async (work) => {
      const index = work.slots.findIndex(({ id, kind, created }) =>
        id === before.id && kind === before.kind && created === before.createdAt.getTime()
      );
      // A restore may have brought back another slot of that number.
      if (index < 0) throw new SlotNotFoundError(`Slot ${before.id} was removed in the meantime`);
      const slot = await wrap(this.#engine, work, prepared, before.id);
      work.slots = work.slots.with(index, slot);
      work.audit({ operation: "slot.passphrase", name: String(before.id) });
      return slotInfo(slot);
    });
    return logged("Replaced", replaced);
  }

  /**
   * Puts the slot of a new certificate in the place of a certificate's slot. The old certificate opens older copies of the
   * vault only.
   *
   * @param id number of the slot; it may be left out where there is one certificate
   * @throws {SlotNotFoundError} when there is no such slot, or more than one it could be
   * @throws {SlotVerificationError} @throws {BusyError}
   */
  async rotateCertificate(id: number | undefined, options: NewSlotOptions): Promise<SlotInfo> {
    const replaced = await this.#engine.transact(async (work) => {
      const certificates = work.slots.filter((slot) =>
        slot.kind === "certificate" && (id === undefined || slot.id === id)
      );
      const [old] = certificates;
      if (old === undefined || certificates.length > 1) {
        const what = id === undefined
          ? `There are ${certificates.length} certificates`
          : `Slot ${id} is no certificate`;
        throw new SlotNotFoundError(what, {
          hint: certificates.length > 1 ? "Say which slot" : "Add one with `coffer slot add --kind certificate`",
        });
      }
      this.#engine.assertMayChange();
      const slot = await wrap(this.#engine, work, await prepareCertificate(work, old.label, options), old.id);
      work.slots = work.slots.with(work.slots.indexOf(old), slot);
      work.audit({ operation: "slot.certificate", name: String(old.id) });
      return slotInfo(slot);
    });
    return logged("Replaced", replaced);
  }
}

/** Before a code is shown that would never count. */
export async function assertMayChange(engine: Engine): Promise<void> {
  await engine.exclusively(() => Promise.resolve(engine.assertMayChange()));
}

/** The label stays out: it is the user's own words. */
function logged(what: string, slot: SlotInfo): SlotInfo {
  const { id, kind } = slot;
  logger("auth", "info")?.(`${what} slot {slot}, of kind {kind}`, { slot: id, kind });
  return slot;
}

/** A passphrase keeps its cost, unless that is one that new slots may not have. */
function keptKdf({ kdf }: SlotInfo, { allowWeakKdf }: KdfOptions): KdfOptions {
  const weak = kdf === undefined || kdf.memory < KDF_FLOOR.memory || kdf.passes < KDF_FLOOR.passes;
  return weak && !allowWeakKdf ? {} : kdf ?? {};
}

/** What may be shown of a slot. */
export function slotInfo({ id, kind, label, created, kdf }: Slot): SlotInfo {
  return { id, kind, label, createdAt: new Date(created), ...(kdf ? { kdf } : {}) };
}

/** Does the slow part of a new slot. */
export async function prepareNewSlot(
  slot: Exclude<NewSlot, { kind: "certificate" }>,
  label: string,
  options: NewSlotOptions,
): Promise<PreparedSlot> {
  switch (slot.kind) {
    case "passphrase": {
      const kdf = newKdf(slot);
      return await prepareSlot(
        checkNewCredential(await resolveCredential({ passphrase: slot.passphrase })),
        label,
        kdf,
      );
    }
    case "keyfile":
      return await prepareSlot(await resolveCredential({ keyFile: slot.keyFile }), label);
    case "recovery": {
      const { encodeRecoveryCode } = await import("./sealed/recovery.ts");
      const secret = randomBytes(RECOVERY_SIZE);
      const code = await encodeRecoveryCode(secret);
      const prepared = await prepareSlot({ kind: "recovery", secret }, label);
      await options.onSecret?.(code);
      return prepared;
    }
  }
}

/** Adds a certificate's slot within a transaction. @throws {SlotsFullError} @throws {SlotVerificationError} */
export async function addCertificate(
  engine: Engine,
  work: Work,
  label: string,
  options: NewSlotOptions,
): Promise<SlotInfo> {
  checkLabel(label);
  if (work.slots.length >= SLOT_COUNT) throw new SlotsFullError();
  engine.assertMayChange();
  return await appendSlot(engine, work, await prepareCertificate(work, label, options));
}

/**
 * Adds a slot for a certificate that was made elsewhere, within a transaction, unless there is one. The bytes are wiped.
 *
 * @returns whether there was none
 * @throws {SlotsFullError} @throws {SlotVerificationError}
 */
export async function adoptCertificate(
  engine: Engine,
  work: Work,
  label: string,
  certificate: Bytes,
): Promise<boolean> {
  checkLabel(label);
  const credential = { kind: "certificate", secret: certificate } as const;
  try {
    const { vaultKey } = await unwrapVaultKey({ ...work.generation.meta, slots: work.slots }, credential);
    wipe(vaultKey, certificate);
    return false;
  } catch (error) {
    if (!(error instanceof WrongCredentialError)) throw error;
  }
  if (work.slots.length >= SLOT_COUNT) throw new SlotsFullError();
  await appendSlot(engine, work, await prepareSlot(credential, label));
  return true;
}

async function appendSlot(engine: Engine, work: Work, prepared: PreparedSlot): Promise<SlotInfo> {
  const slot = await wrap(engine, work, prepared, work.nextSlotId);
  work.nextSlotId++;
  work.slots = [...work.slots, slot];
  work.audit({ operation: "slot.add", name: String(slot.id) });
  return slotInfo(slot);
}

async function wrap(engine: Engine, work: Work, prepared: PreparedSlot, id: number): Promise<Slot> {
  const { meta } = work.generation;
  return await engine.withVaultKey((vaultKey) => wrapSlot(prepared, vaultKey, meta, id, work.now));
}

/**
 * Makes the next certificate: HMAC under the master secret of a label and a number that rises, so that a certificate
 * that was lost is never made again.
 */
async function prepareCertificate(work: Work, label: string, options: NewSlotOptions): Promise<PreparedSlot> {
  const pair = readKeyPair(work.records) ?? newKeyPair();
  const number = pair.certificates + 1;
  try {
    putKeyPair(work.records, { ...pair, certificates: number });
    const certificate = await hmac(await importHmacKey(pair.secret), encodeUtf8(`${CERTIFICATE_LABEL}${number}`));
    const text = encodeHex(certificate);
    const prepared = await prepareSlot({ kind: "certificate", secret: certificate }, label);
    await options.onSecret?.(text);
    return prepared;
  } finally {
    wipe(pair.secret);
  }
}
