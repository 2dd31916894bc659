/**
 * A damaged vault's file: both meta pages, as far as anything can be made of them, and the keys that they lead to.
 *
 * Reading is lenient here, since nothing is believed for what it looks like: slots open only as they were sealed, the
 * sealed meta has its HMAC, and every chunk is authenticated by itself.
 *
 * @module
 */
import { type Bytes, encodeUtf8, equalBytes, isZero, viewOf } from "../bytes.ts";
import { sha256 } from "../crypto/sha256.ts";
import { wipe } from "../crypto/random.ts";
import {
  CorruptVaultError,
  EmptyFileError,
  KdfLimitError,
  NotAVaultError,
  UnsupportedVersionError,
  WrongCredentialError,
} from "../errors.ts";
import { type CredentialOptions, resolveCredential } from "../sealed/credential.ts";
import { unwrapVaultKey } from "../sealed/key_slot.ts";
import { deriveKeys, type VaultKeys } from "../sealed/keys.ts";
import { decodeMeta, type Meta, META_SIZE, openMeta } from "../sealed/meta.ts";
import { decodeMetaPages } from "../storage/choose.ts";
import type { Disk } from "../storage/disk.ts";
import { MAX_META_SIZE } from "../storage/medium.ts";
import {
  type DecodedMetaPage,
  decodeMetaPage,
  FORMAT_VERSION,
  FORMAT_VERSION_OFFSET,
  type MetaPage,
} from "../storage/meta_page.ts";
import { PAGE_SIZE } from "../storage/page.ts";

/** Where the digest of a meta page is, and its size. */
const DIGEST = { at: 16, size: 32 } as const;

/** What can be made of one meta page. */
export interface MetaCandidate {
  /** Its place. */
  readonly number: 0 | 1;
  /** Whether its digest and every rule of the format hold. */
  readonly valid: boolean;
  /** What it says, believed or not; absent when its fields break the rules. */
  readonly page?: MetaPage;
  /** Its sealed meta, not authenticated; absent when that is not of its form. */
  readonly meta?: Meta;
  /** The bytes of the sealed meta. */
  readonly sealed: Bytes;
}

/** The two meta pages of a file. */
export interface Source {
  /** Both pages as they were read. */
  readonly raw: Bytes;
  /** What can be made of them, the newer one first as far as they say. */
  readonly candidates: readonly MetaCandidate[];
}

/** The keys of one epoch. */
export interface Ring {
  /** 16 bytes. */
  readonly vaultId: Bytes;
  /** Whose keys they are. */
  readonly epoch: number;
  /** Number of the slot that gave them. */
  readonly slot: number;
  /** The keys. */
  readonly keys: VaultKeys;
}

/**
 * Reads both meta pages. The caller holds a lock.
 *
 * @throws {EmptyFileError} @throws {NotAVaultError}
 * @throws {UnsupportedVersionError} when every page that says anything is of another format
 */
export async function readSource(disk: Disk): Promise<Source> {
  if (await disk.size() === 0) throw new EmptyFileError(disk.path);
  const raw = new Uint8Array(2 * PAGE_SIZE);
  await disk.readAt(raw, 0);
  const decoded = await decodeMetaPages(raw);
  await refuseOtherFormat(disk.path, raw, decoded);
  const candidates: MetaCandidate[] = [];
  for (const number of [0, 1] as const) {
    const found = decoded[number];
    const bytes = pageOf(raw, number);
    if (isZero(bytes)) continue;
    const page = found.status === "valid" ? found.page : await readDamaged(bytes, number);
    const sealed = page?.meta ?? bytes.slice(PAGE_SIZE - MAX_META_SIZE, PAGE_SIZE - MAX_META_SIZE + META_SIZE);
    const meta = tryMeta(sealed);
    candidates.push({
      number,
      valid: found.status === "valid",
      sealed,
      ...(page === undefined ? {} : { page }),
      ...(meta === undefined ? {} : { meta }),
    });
  }
  const foreign = decoded.every(({ status }) => status === "foreign" || status === "empty");
  if (foreign && candidates.every(({ meta }) => meta === undefined)) throw new NotAVaultError(disk.path);
  candidates.sort((a, b) => (b.page?.version ?? 0) - (a.page?.version ?? 0));
  return { raw, candidates };
}

function pageOf(raw: Bytes, number: 0 | 1): Bytes {
  return raw.slice(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
}

/** A page whose digest fits once it names the version that is read here was of that version, until its number was damaged. */
async function refuseOtherFormat(
  path: string,
  raw: Bytes,
  decoded: readonly [DecodedMetaPage, DecodedMetaPage],
): Promise<void> {
  let other: number | undefined;
  for (const number of [0, 1] as const) {
    const found = decoded[number];
    if (found.status === "empty") continue;
    if (found.status !== "future") return;
    const named = pageOf(raw, number);
    viewOf(named).setUint16(FORMAT_VERSION_OFFSET, FORMAT_VERSION, true);
    if ((await decodeMetaPage(named, number)).status === "valid") return;
    other = found.formatVersion;
  }
  if (other !== undefined) throw new UnsupportedVersionError(path, other);
}

/** The fields of a page whose magic, version or digest is wrong, read as if these were right. */
async function readDamaged(bytes: Bytes, number: 0 | 1): Promise<MetaPage | undefined> {
  const copy = bytes.slice();
  copy.set(encodeUtf8("COFFER"), 0);
  viewOf(copy).setUint16(FORMAT_VERSION_OFFSET, FORMAT_VERSION, true);
  copy.fill(0, DIGEST.at, DIGEST.at + DIGEST.size);
  copy.set(await sha256(copy), DIGEST.at);
  const again = await decodeMetaPage(copy, number);
  return again.status === "valid" ? again.page : undefined;
}

function tryMeta(sealed: Bytes): Meta | undefined {
  try {
    return decodeMeta(sealed);
  } catch (error) {
    if (error instanceof CorruptVaultError) return undefined;
    throw error;
  }
}

/**
 * The keys that a credential gives, of either meta page: after a rotation they are of different epochs. Only keys of one
 * vault are given, that of the newest page that opens.
 *
 * @throws {CorruptVaultError} when neither page holds slots that can be read
 * @throws {WrongCredentialError} when no slot opens @throws {KdfLimitError}
 */
export async function unlockSource(
  { candidates }: Source,
  options: CredentialOptions & { readonly signal?: AbortSignal },
): Promise<readonly Ring[]> {
  const metas = candidates.flatMap(({ meta }) => meta === undefined ? [] : [meta]);
  if (metas.length === 0) {
    throw new CorruptVaultError("the key slots of both meta pages are lost", {
      hint: "Nothing can be opened without them; restore a backup",
    });
  }
  const credential = await resolveCredential(options);
  const rings: Ring[] = [];
  let failure: unknown;
  try {
    for (const meta of metas) {
      const known = rings.some(({ vaultId, epoch }) => equalBytes(vaultId, meta.vaultId) && epoch === meta.epoch);
      if (known || (rings[0] !== undefined && !equalBytes(rings[0].vaultId, meta.vaultId))) continue;
      try {
        const { vaultKey, slot } = await unwrapVaultKey(meta, credential, options.signal);
        try {
          const { vaultId, epoch } = meta;
          rings.push({ vaultId, epoch, slot, keys: await deriveKeys(vaultKey, vaultId) });
        } finally {
          wipe(vaultKey);
        }
      } catch (error) {
        // The other page may hold the slots whole: a damaged one answers as if the credential were wrong.
        if (!(error instanceof WrongCredentialError || error instanceof KdfLimitError)) throw error;
        failure ??= error;
      }
    }
  } finally {
    wipe(credential.secret);
  }
  if (rings.length === 0) throw failure;
  return rings;
}

/** The sealed meta of a page when its HMAC is right. */
export async function authenticMeta(candidate: MetaCandidate, rings: readonly Ring[]): Promise<Meta | undefined> {
  const ring = rings.find(({ epoch }) => epoch === candidate.meta?.epoch);
  if (ring === undefined) return undefined;
  try {
    const meta = await openMeta(candidate.sealed, ring.keys.meta);
    return equalBytes(meta.vaultId, ring.vaultId) ? meta : undefined;
  } catch (error) {
    if (error instanceof CorruptVaultError) return undefined;
    throw error;
  }
}

/**
 * Whether the vault may have got another key since its slots were read, by a rotation or a restore: it would look damaged.
 * What is authentic under none of the keys, and was not there before, is worth another look.
 */
export async function gotOtherKeys(now: Source, before: Source, rings: readonly Ring[]): Promise<boolean> {
  if (equalBytes(now.raw, before.raw)) return false;
  for (const candidate of now.candidates) {
    if (await authenticMeta(candidate, rings) === undefined) return true;
  }
  return false;
}
