/**
 * Vault files made by hand, down to the byte: whole ones, and ones in which a single rule of the format is broken while
 * every digest, checksum and seal above it fits.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { EMPTY_LOG, extendLog, type LogHead } from "../../lib/audit/chain.ts";
import { type Bytes, concat, decodeHex, encodeBase64, encodeUtf8, viewOf } from "../../lib/bytes.ts";
import { seal } from "../../lib/crypto/aes_gcm.ts";
import { hmac } from "../../lib/crypto/hmac.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { sha256 } from "../../lib/crypto/sha256.ts";
import { resolveCredential } from "../../lib/sealed/credential.ts";
import { prepareSlot, wrapSlot } from "../../lib/sealed/key_slot.ts";
import { deriveKeys, newVaultKey, type VaultKeys } from "../../lib/sealed/keys.ts";
import { type Meta, META_SIZE, sealMeta } from "../../lib/sealed/meta.ts";
import { chunkAad, encodeHeader, type SegmentHeader } from "../../lib/sealed/segment.ts";
import type { Slot } from "../../lib/sealed/slot.ts";
import { encodeMetaPage, metaPageOf, type SegmentEntry } from "../../lib/storage/meta_page.ts";
import { encodePage, PAGE_SIZE, pagesFor, PAYLOAD_SIZE } from "../../lib/storage/page.ts";

/** Opens every forged vault. */
export const PASSPHRASE = "correct horse battery staple";
/** The cheapest key derivation that there is. */
export const KDF = { memory: 8, passes: 1, lanes: 1 };
/** Times of what is forged, in milliseconds since 1970. */
export const TIME = 1_767_225_600_000;

/** A vault's id and keys, and the slots that lead to them. */
export interface Identity {
  readonly vaultId: Bytes;
  readonly vaultKey: Bytes;
  readonly keys: VaultKeys;
  readonly epoch: number;
  readonly slots: readonly Slot[];
}

/** A new vault's identity. */
export async function newIdentity(epoch = 1): Promise<Identity> {
  const [vaultId, vaultKey] = [randomBytes(16), newVaultKey()];
  const prepared = await prepareSlot(await resolveCredential({ passphrase: PASSPHRASE }), "", KDF);
  const slots = [await wrapSlot(prepared, vaultKey, { vaultId, epoch }, 1, TIME)];
  return { vaultId, vaultKey, keys: await deriveKeys(vaultKey, vaultId), epoch, slots };
}

/** One segment, and how it is to be wrong. */
export interface SegmentPlan {
  readonly kind: SegmentHeader["kind"];
  readonly first: number;
  readonly last: number;
  /** Its lines, or bytes that are none. */
  readonly text: string | Uint8Array;
  /** The version in the table; by default the last generation. */
  readonly version?: number;
  readonly epoch?: number;
  readonly previous?: Bytes;
  /** Changes the header before anything is sealed to it. */
  readonly header?: (bytes: Uint8Array) => void;
  /** Index and last mark that the chunk is sealed to. */
  readonly chunk?: readonly [index: number, last: boolean];
  /** Another vault's id in what the chunk is sealed to. */
  readonly vaultId?: Bytes;
  /** Changes the sealed bytes. */
  readonly sealed?: (bytes: Bytes) => Bytes;
  /** Where its pages go, as steps from the first one on; one after another by default. */
  readonly scatter?: readonly number[];
}

/** A file, and how it is to be wrong. */
export interface VaultPlan {
  readonly identity: Identity;
  readonly segments: readonly SegmentPlan[];
  /** Whether the version before is there too, in the other meta page. */
  readonly both?: boolean;
  /** The log that the meta names; by default that of the segments. */
  readonly log?: (log: LogHead) => LogHead;
  readonly flags?: Partial<Pick<Meta, "anchored" | "backup">>;
  readonly slots?: readonly Slot[];
  readonly nextSlotId?: number;
  /** Changes the sealed meta before its HMAC is computed. */
  readonly meta?: (bytes: Uint8Array) => void;
  /** Changes the sealed meta with its HMAC. */
  readonly sealedMeta?: (bytes: Bytes) => Bytes;
  /** Changes the segment table. */
  readonly table?: (entries: readonly SegmentEntry[]) => readonly SegmentEntry[];
  readonly added?: (count: number) => number;
  readonly pageCount?: (count: number) => number;
  readonly origin?: number;
  /** Changes the newest meta page before its digest is computed. */
  readonly page?: (bytes: Uint8Array) => void;
  /** Changes the whole file at the end. */
  readonly file?: (bytes: Bytes, entries: readonly SegmentEntry[]) => Bytes | void;
}

/** Line of a record that is set. */
export function plus(kind: string, key: string, value: unknown): string {
  return `+${kind}\t${key}\t${typeof value === "string" ? value : JSON.stringify(value)}\n`;
}

/** Line of a secret with one version. */
export function secret(name: string, value: string, change: Record<string, unknown> = {}): string {
  return plus("secret", name, { ...storedSecret(value), ...change });
}

/** The record of a secret with one version. */
export function storedSecret(value: string): Record<string, unknown> {
  return { created: TIME, updated: TIME, versions: [version(1, value)] };
}

/** One version of a secret, with its value inline. */
export function version(number: number, value: string): Record<string, unknown> {
  const bytes = encodeUtf8(value);
  return { version: number, created: TIME, size: bytes.length, value: encodeBase64(bytes) };
}

/** Line of an entry of the log. */
export function entry(number: number, op: string, name?: string): string {
  return plus("audit", `${number}`, { time: TIME, op, ...(name === undefined ? {} : { name }), slot: 1 });
}

/** The segments that most vaults here have: old entries of the log, a snapshot, two deltas. */
export const AUDIT_SEGMENT: SegmentPlan = {
  kind: "audit",
  first: 1,
  last: 3,
  text: entry(1, "vault.create") + entry(2, "secret.set", "a") + entry(3, "secret.set", "b"),
};
export const SNAPSHOT: SegmentPlan = {
  kind: "snapshot",
  first: 3,
  last: 3,
  text: secret("a", "1") + secret("b", "22", { note: "two", tags: ["x", "y"] }),
};
export const DELTA_4: SegmentPlan = {
  kind: "delta",
  first: 4,
  last: 4,
  text: secret("c", "333") + entry(4, "secret.set", "c"),
};
export const DELTA_5: SegmentPlan = {
  kind: "delta",
  first: 5,
  last: 5,
  text: secret("d", "4444") + "-secret\ta\n" + entry(5, "secret.set", "d"),
};
/** Them all, oldest first. */
export const SEGMENTS = [AUDIT_SEGMENT, SNAPSHOT, DELTA_4, DELTA_5] as const;

/** Builds the file of a plan. */
export async function forge(plan: VaultPlan): Promise<Bytes> {
  const sealed = await sealSegments(plan);
  const places = placesOf(sealed.map(({ bytes }) => bytes.length), plan.segments);
  const pages = places.reduce((most, numbers) => Math.max(most, ...numbers), 1) + 1;
  const file = new Uint8Array(pages * PAGE_SIZE);
  sealed.forEach(({ bytes }, index) => writeSegment(file, places[index]!, bytes));
  const entries = sealed.map(({ bytes }, index) => ({
    version: plan.segments[index]!.version ?? plan.segments[index]!.last,
    first: places[index]![0]!,
    last: places[index]!.at(-1)!,
    length: bytes.length,
  }));
  const newest = plan.segments.at(-1)!.last;
  const origin = plan.origin ?? (plan.both ? 1 : newest);
  if (plan.both) {
    const count = plan.segments.filter(({ last }) => last < newest).length;
    const older = { identity: plan.identity, segments: plan.segments.slice(0, count) };
    const page = await metaPage(older, sealed.slice(0, count), entries.slice(0, count), pages, origin);
    file.set(page, metaPageOf(older.segments.at(-1)!.last) * PAGE_SIZE);
  }
  file.set(await metaPage(plan, sealed, entries, pages, origin), metaPageOf(newest) * PAGE_SIZE);
  return plan.file?.(file, entries) ?? file;
}

interface Sealed {
  readonly id: Bytes;
  readonly bytes: Bytes;
}

async function sealSegments({ identity, segments }: VaultPlan): Promise<readonly Sealed[]> {
  const all: Sealed[] = [];
  for (const plan of segments) {
    const { kind, first, last, text, epoch = identity.epoch } = plan;
    const id = randomBytes(16);
    const previous = plan.previous ?? all.at(-1)?.id ?? new Uint8Array(16);
    const head = encodeHeader({ kind, epoch, first, last, id, previous });
    plan.header?.(head);
    const [index, isLast] = plan.chunk ?? [0, true];
    const aad = chunkAad(plan.vaultId ?? identity.vaultId, head, index, isLast);
    const plain = typeof text === "string" ? encodeUtf8(text) : new Uint8Array(text);
    const bytes = concat(head, await seal(identity.keys.data, plain, aad));
    all.push({ id: head.slice(32, 48), bytes: plan.sealed?.(bytes) ?? bytes });
  }
  return all;
}

function placesOf(lengths: readonly number[], segments: readonly SegmentPlan[]): readonly (readonly number[])[] {
  let next = 2;
  return lengths.map((length, index) => {
    const count = Math.max(1, pagesFor(length));
    const { scatter } = segments[index]!;
    const numbers = Array.from({ length: count }, (_, i) => next + (scatter?.[i] ?? i));
    next = Math.max(next, ...numbers.map((number) => number + 1));
    return numbers;
  });
}

function writeSegment(file: Uint8Array, places: readonly number[], bytes: Uint8Array): void {
  for (const [index, number] of places.entries()) {
    const page = file.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
    const payload = bytes.subarray(index * PAYLOAD_SIZE, (index + 1) * PAYLOAD_SIZE);
    encodePage(page, places[index + 1] ?? 0, index, payload);
  }
}

async function metaPage(
  plan: VaultPlan,
  sealed: readonly Sealed[],
  entries: readonly SegmentEntry[],
  pages: number,
  origin: number,
): Promise<Bytes> {
  const newest = plan.segments.at(-1)!.last;
  const count = plan.segments.filter(({ last }) => last === newest).length;
  const page = {
    version: newest,
    origin,
    pageCount: plan.pageCount?.(pages) ?? pages,
    segments: plan.table?.(entries) ?? entries,
    added: plan.added?.(count) ?? count,
    addedDigest: await sha256(...sealed.slice(sealed.length - count).map(({ bytes }) => bytes)),
    meta: await sealedMeta(plan, sealed),
  };
  const bytes = await encodeMetaPage(page);
  if (plan.page === undefined) return bytes;
  plan.page(bytes);
  return await digested(bytes);
}

/** Makes the digest of a meta page fit. */
async function digested(bytes: Bytes): Promise<Bytes> {
  bytes.fill(0, 16, 48);
  bytes.set(await sha256(bytes), 16);
  return bytes;
}

async function sealedMeta(plan: VaultPlan, sealed: readonly Sealed[]): Promise<Bytes> {
  const { identity, segments, slots = identity.slots } = plan;
  const log = await logOf(segments);
  const meta: Meta = {
    vaultId: identity.vaultId,
    generation: segments.at(-1)!.last,
    epoch: identity.epoch,
    nextSlotId: plan.nextSlotId ?? slots.length + 1,
    seals: segments.length,
    created: TIME,
    updated: TIME,
    head: sealed.at(-1)!.id,
    audit: plan.log?.(log) ?? log,
    anchored: false,
    backup: false,
    slots,
    ...plan.flags,
  };
  let bytes = await sealMeta(meta, identity.keys.meta);
  if (plan.meta !== undefined) {
    const body = bytes.slice(0, META_SIZE - 32);
    plan.meta(body);
    bytes = concat(body, await hmac(identity.keys.meta, body));
  }
  return plan.sealedMeta?.(bytes) ?? bytes;
}

/** The log that stands in some segments. */
async function logOf(segments: readonly SegmentPlan[]): Promise<LogHead> {
  let log = EMPTY_LOG;
  for (const { text } of segments) {
    if (typeof text !== "string") continue;
    for (const line of text.split("\n")) {
      const [kind, key, json] = line.split("\t");
      if (kind !== "+audit" || json === undefined) continue;
      if (key === "0") {
        try {
          const { length, head } = JSON.parse(json);
          log = { length, head: decodeHex(head) };
        } catch { /* A vector with a checkpoint that is none. */ }
      } else log = await extendLog(log, [json]);
    }
  }
  return log;
}

/** Sets a 64-bit number of any size. */
export function setU64(bytes: Uint8Array, at: number, value: bigint): void {
  viewOf(bytes).setBigUint64(at, value, true);
}

/** Changes a page of a segment, and makes its checksum fit. */
export function editPage(file: Uint8Array, number: number, edit: (page: Uint8Array) => void): void {
  const page = file.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  edit(page);
  viewOf(page).setUint32(PAGE_SIZE - 4, crc32(page.subarray(0, PAGE_SIZE - 4)), true);
}
