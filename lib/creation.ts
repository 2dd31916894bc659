/**
 * Making a vault: its first generation, the file, the anchor.
 *
 * @module
 */
import type { Attempts } from "./attempts.ts";
import { EMPTY_LOG, extendLog } from "./audit/chain.ts";
import { AUDIT, type AuditEvent, encodeEntry } from "./audit/entry.ts";
import { encode } from "./commit_plan.ts";
import { randomBytes, wipe } from "./crypto/random.ts";
import { Engine } from "./engine.ts";
import { logFailure, prepareLog } from "./log.ts";
import {
  attemptsOf,
  besideAnchor,
  checkOrigin,
  closingOnError,
  type CreateOptions,
  fileMedium,
  forgetAttempts,
  lockOptions,
  makeAnchor,
  newAnchor,
} from "./opening.ts";
import { checkCredentialOptions, checkNewCredential, resolveCredential } from "./sealed/credential.ts";
import { newKdf } from "./sealed/kdf_limits.ts";
import { prepareSlot, wrapSlot } from "./sealed/key_slot.ts";
import { deriveKeys, newVaultKey } from "./sealed/keys.ts";
import { ID_SIZE } from "./sealed/meta.ts";
import { checkLabel } from "./sealed/slot.ts";
import { sealFirst } from "./sealed/store.ts";
import { prepareNewSlot } from "./slots.ts";
import { checkPolicy, type PolicyValues, writePolicy } from "./state/policies.ts";
import { State } from "./state/records.ts";
import { withLock } from "./storage/locking.ts";
import type { Medium } from "./storage/medium.ts";

/** A vault that was just made, open. */
export interface Created {
  /** It. */
  readonly engine: Engine;
  /** The tries to open it, where they count. */
  readonly attempts: Attempts | undefined;
}

/** Makes a new vault and opens it: see `Vault.create`. */
export async function createVault(where: string | Medium, options: CreateOptions): Promise<Created> {
  const name = checkCredentialOptions(options);
  const kdf = name === "passphrase" ? newKdf(options) : undefined;
  const label = checkLabel(options.label ?? "");
  await prepareLog();
  const origin = { slot: 1, ...checkOrigin(options) };
  const { state, events } = firstState(options.policies);
  const anchor = await newAnchor(where, options.anchor);
  if (typeof where === "string") await (await fileMedium()).assertFree(where);
  const credential = checkNewCredential(await resolveCredential(options));
  const prepared = [await prepareSlot(credential, label, kdf)];
  const { onRecoveryCode } = options;
  if (onRecoveryCode !== undefined) {
    prepared.push(await prepareNewSlot({ kind: "recovery" }, "", { onSecret: onRecoveryCode }));
  }
  const vaultKey = newVaultKey();
  try {
    const vault = { vaultId: randomBytes(ID_SIZE), epoch: 1 };
    const now = Date.now();
    const slots = await Promise.all(prepared.map((slot, index) => wrapSlot(slot, vaultKey, vault, index + 1, now)));
    const keys = await deriveKeys(vaultKey, vault.vaultId);
    const entries = [{ operation: "vault.create" } as const, ...events].map((event) => encodeEntry(event, origin, now));
    const first = {
      ...vault,
      nextSlotId: slots.length + 1,
      created: now,
      updated: now,
      audit: await extendLog(EMPTY_LOG, entries),
      anchored: anchor !== undefined,
      backup: false,
      slots,
    };
    const log = encode(entries.map((json, index) => [AUDIT, String(index + 1), json]));
    const commit = await sealFirst(keys, first, log, encode(state.records()));
    const medium = await besideAnchor(where, anchor, keys, commit, async () => {
      if (typeof where === "string") return await (await fileMedium()).create(where, commit, options);
      await closingOnError(where, () => withLock(where, "exclusive", options, () => where.commit(0, commit)));
      return where;
    });
    return await closingOnError(medium, async () => {
      if (typeof where === "string") await forgetAttempts(where);
      if (anchor !== undefined) await withLock(medium, "exclusive", options, () => makeAnchor(medium, keys, anchor));
      const engine = await Engine.load(medium, keys, { ...lockOptions(options), origin, anchor });
      return { engine, attempts: await attemptsOf(where, vault.vaultId) };
    });
  } catch (error) {
    anchor?.release();
    logFailure("vault", "create", error);
    throw error;
  } finally {
    wipe(vaultKey);
  }
}

/** The records that a new vault begins with, and what the log says of them. */
function firstState(policies: Partial<PolicyValues> = {}): { state: State; events: readonly AuditEvent[] } {
  const state = new State();
  const events: AuditEvent[] = [];
  for (const [name, value] of Object.entries(policies)) {
    if (value === undefined) continue;
    checkPolicy(name, value);
    writePolicy(state, name as keyof PolicyValues, value);
    events.push({ operation: "policy.set", name, to: String(value) });
  }
  return { state, events };
}
