/**
 * What the tests of RedDB's format share: files on disks in memory, states to save, and the vectors.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concat, encodeHex } from "../../lib/bytes.ts";
import { checkRedDbFile } from "../../lib/reddb/check.ts";
import type { CredentialInput } from "../../lib/reddb/credential.ts";
import { PageFile } from "../../lib/reddb/page_file.ts";
import type { ApiKey, User } from "../../lib/reddb/records.ts";
import type { Sidecar } from "../../lib/reddb/sidecar.ts";
import { VaultState } from "../../lib/reddb/state.ts";
import { RedDbVault } from "../../lib/reddb/vault.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { patterned } from "../helpers.ts";

/** The passphrase of nearly all vectors, and of what tests make. */
export const PASSPHRASE = "test-passphrase-42";
/** What opens what tests make. */
export const CREDENTIAL: CredentialInput = { passphrase: PASSPHRASE };

/** A vector of `tests/vectors/reddb-v2/index.json`. */
export interface Vector {
  readonly file: string;
  readonly credential: CredentialInput;
  readonly page_size?: number;
  readonly plaintext_len?: number;
  readonly state?: unknown;
  readonly error?: string;
}

const FOLDER = new URL("../vectors/reddb-v2/", import.meta.url);

/** All vectors. */
export const VECTORS: readonly Vector[] = JSON.parse(await Deno.readTextFile(new URL("index.json", FOLDER)));

/** The bytes of a vector's file. */
export async function vectorBytes(file: string): Promise<Bytes> {
  return await Deno.readFile(new URL(file, FOLDER));
}

/** A state in the shape of the vectors. */
export function shapeOf(state: VaultState): unknown {
  return {
    bootstrapped: state.bootstrapped,
    master_secret: state.masterSecret && encodeHex(state.masterSecret),
    users: state.users.map((user) => ({
      username: user.username,
      password_hash: user.passwordHash,
      role: user.role,
      enabled: user.enabled,
      created_at: String(user.createdAt),
      updated_at: String(user.updatedAt),
      scram_verifier: user.scram && {
        salt: encodeHex(user.scram.salt),
        iter: user.scram.iterations,
        stored_key: encodeHex(user.scram.storedKey),
        server_key: encodeHex(user.scram.serverKey),
      },
      tenant_id: user.tenant,
    })),
    api_keys: state.apiKeys.map((key) => ({
      owner: { tenant: key.owner.tenant, username: key.owner.username },
      key: key.key,
      name: key.name,
      role: key.role,
      created_at: String(key.createdAt),
    })),
    kv: Object.fromEntries(state.kv),
  };
}

/** A user with what is given, and something for the rest. */
export function userOf(user: Partial<User> = {}): User {
  return {
    username: "alice",
    tenant: null,
    passwordHash: "argon2id$aa$bb",
    role: "admin",
    enabled: true,
    createdAt: 1n,
    updatedAt: 2n,
    scram: null,
    ...user,
  };
}

/** An API key with what is given, and something for the rest. */
export function apiKeyOf(key: Partial<ApiKey> = {}): ApiKey {
  return { owner: { tenant: null, username: "alice" }, key: "rk_1", name: "ci", role: "read", createdAt: 3n, ...key };
}

/** A state with one user, and text of about so many bytes that differs from seed to seed. */
export function stateOf(size: number, seed = 1): VaultState {
  const state = VaultState.empty();
  state.bootstrapped = true;
  state.users.push(userOf({ username: `user ${seed}` }));
  // A byte of text is two of hex.
  if (size > 0) state.kv.set("red.secret.pad", String.fromCharCode(97 + seed % 26).repeat(Math.ceil(size / 2)));
  return state;
}

/** A state whose payload has exactly so many bytes. */
export function stateOfPayload(bytes: number): VaultState {
  const state = stateOf(2);
  const missing = bytes - state.serialize().length;
  const [user] = state.users;
  state.users[0] = { ...user!, passwordHash: user!.passwordHash + "x".repeat(missing) };
  assert.equal(state.serialize().length, bytes);
  return state;
}

/** A note kept in memory. */
export class MemorySidecar implements Sidecar {
  /** The note. */
  note: Bytes | null = null;

  read(): Promise<Bytes | null> {
    return Promise.resolve(this.note);
  }

  write(note: Uint8Array): Promise<void> {
    this.note = new Uint8Array(note);
    return Promise.resolve();
  }

  remove(): Promise<void> {
    this.note = null;
    return Promise.resolve();
  }
}

/** A file in memory, with a place for a note. */
export interface MemoryPlace {
  readonly file: MemoryFile;
  readonly sidecar: MemorySidecar;
}

/** A new file in memory. */
export function blankPlace(pageSize = 4096): MemoryPlace {
  return placeOf(PageFile.blank(pageSize));
}

/** A file in memory with these contents. */
export function placeOf(bytes: Uint8Array): MemoryPlace {
  return { file: new MemoryFile(bytes), sidecar: new MemorySidecar() };
}

/** A vault on a file in memory. */
export async function openMemory(
  { file, sidecar }: MemoryPlace,
  credential: CredentialInput = CREDENTIAL,
): Promise<RedDbVault> {
  return await RedDbVault.openWithoutEnvironment(new MemoryDisk(file), credential, { sidecar });
}

/** Fails unless a file in memory is sound; orphans are allowed where it is said. */
export async function assertSoundFile({ file, sidecar }: MemoryPlace, orphans = false): Promise<void> {
  const { problems } = await checkRedDbFile(new MemoryDisk(file), { sidecar });
  assert.deepEqual(problems.filter(({ kind }) => !(orphans && kind === "orphan")), []);
}

/** Numbers of pages that belong to RedDB in {@linkcode foreignFile}. */
const FOREIGN = [1, 3, 5, 6];

/** A file without a vault yet that has pages of RedDB's own, and one that is free and in no list. */
export function foreignFile(pageSize: number): Bytes {
  const pages = 7;
  const bytes = new Uint8Array(pages * pageSize);
  bytes.set(PageFile.blank(pageSize));
  new DataView(bytes.buffer).setUint32(32 + 12, pages, true);
  for (const id of FOREIGN) {
    const page = bytes.subarray(id * pageSize, (id + 1) * pageSize);
    page.set(patterned(pageSize, id));
    page[0] = 1;
  }
  return bytes;
}

/** The bytes of the foreign pages. */
export function foreignPagesOf(file: Uint8Array, pageSize: number): Bytes {
  return concat(...FOREIGN.map((id) => file.subarray(id * pageSize, (id + 1) * pageSize)));
}
