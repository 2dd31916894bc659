/**
 * A new vault that holds given records from its first moment under its name.
 *
 * @module
 */
import type { AuditEvent } from "../audit/entry.ts";
import { wipe } from "../crypto/random.ts";
import { Engine } from "../engine.ts";
import { VaultExistsError } from "../errors.ts";
import { checkOrigin } from "../opening.ts";
import { type CredentialOptions, provided, resolveCredential } from "../sealed/credential.ts";
import type { KdfOptions } from "../sealed/kdf_limits.ts";
import { unwrapVaultKey } from "../sealed/key_slot.ts";
import { deriveKeys } from "../sealed/keys.ts";
import { decodeMeta } from "../sealed/meta.ts";
import type { Changes, State } from "../state/records.ts";
import { discard, temporaryPath } from "../storage/create.ts";
import { FileMedium } from "../storage/file.ts";
import { withLock } from "../storage/locking.ts";
import { type AuditOptions, Vault } from "../vault.ts";
import { giveName } from "./place.ts";

/**
 * Makes a vault with the records, and with an event in its log; it appears under its name when everything is in it.
 *
 * @throws {VaultExistsError} when something is at the path
 */
export async function writeVault(
  path: string,
  options: Pick<CredentialOptions, "passphrase" | "keyFile"> & KdfOptions & AuditOptions,
  changes: Changes,
  event: AuditEvent,
): Promise<State> {
  const temporary = temporaryPath(path);
  const credential = remembering(options);
  try {
    // An anchor goes by the vault's name, which it gets when everything is in it.
    await (await Vault.create(temporary, { ...options, ...credential, anchor: null })).close();
    const medium = await FileMedium.open(temporary);
    let state: State;
    try {
      const meta = decodeMeta((await withLock(medium, "shared", {}, () => medium.read()))!.meta);
      const secret = await resolveCredential(credential);
      const { vaultKey, slot } = await unwrapVaultKey(meta, secret).finally(() => wipe(secret.secret));
      const origin = { slot, ...checkOrigin(options) };
      const engine = await deriveKeys(vaultKey, meta.vaultId).then((keys) => Engine.load(medium, keys, { origin }))
        .finally(() => wipe(vaultKey));
      await engine.transact(({ records, audit }) => {
        audit(event);
        for (const [kind, entries] of changes) {
          for (const [key, json] of entries) if (json !== null) records.put(kind, key, json);
        }
      });
      state = engine.committed.state;
      await engine.close();
    } finally {
      medium.close();
    }
    giveName(temporary, path);
    return state;
  } catch (error) {
    discard(temporary);
    throw error instanceof VaultExistsError ? new VaultExistsError(path, { cause: error }) : error;
  }
}

/** The same credential, asked for once only: it opens one vault and begins another. */
export function remembering(options: CredentialOptions): CredentialOptions {
  const remembered = <T>(value: CredentialOptions[keyof CredentialOptions]) => {
    let answer: Promise<T> | undefined;
    return () => answer ??= (async () => await provided(value as T | (() => T | Promise<T>)))();
  };
  const { passphrase, keyFile, recoveryCode, certificate } = options;
  return {
    ...(passphrase === undefined ? {} : { passphrase: remembered<string>(passphrase) }),
    ...(keyFile === undefined ? {} : { keyFile: remembered<Uint8Array>(keyFile) }),
    ...(recoveryCode === undefined ? {} : { recoveryCode: remembered<string>(recoveryCode) }),
    ...(certificate === undefined ? {} : { certificate: remembered<string>(certificate) }),
  };
}

/** Of a credential that which may begin a vault. */
export function pick({ passphrase, keyFile }: CredentialOptions): Pick<CredentialOptions, "passphrase" | "keyFile"> {
  return { ...(passphrase === undefined ? {} : { passphrase }), ...(keyFile === undefined ? {} : { keyFile }) };
}
