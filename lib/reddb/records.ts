/**
 * What a RedDB vault holds: users, their API keys, and the verifiers of their passwords.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** What a user or an API key may do; each includes the one before it. */
export type Role = "read" | "write" | "admin";

/** All roles. */
export const ROLES: readonly Role[] = ["read", "write", "admin"];

/** Fewest iterations that a verifier may have. */
export const MIN_SCRAM_ITERATIONS = 4096;
/** Iterations of new verifiers. */
export const DEFAULT_SCRAM_ITERATIONS = 16_384;
/** Size of the stored key and of the server key, in bytes. */
export const SCRAM_KEY_SIZE = 32;

/** What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, RFC 7677). The password is not in it. */
export interface ScramVerifier {
  /** Random bytes, of any length. */
  readonly salt: Bytes;
  /** How often the password is hashed; at least {@linkcode MIN_SCRAM_ITERATIONS}. */
  readonly iterations: number;
  /** 32 bytes that a client's proof is held against. */
  readonly storedKey: Bytes;
  /** 32 bytes that the server proves itself with. */
  readonly serverKey: Bytes;
}

/** A user. Two of one name may be in different tenants. */
export interface User {
  /** The name, within its tenant. */
  readonly username: string;
  /** Null stands for the platform itself. */
  readonly tenant: string | null;
  /** As RedDB wrote it; kept as it is. */
  readonly passwordHash: string;
  /** What the user may do. */
  readonly role: Role;
  /** Whether the user may log in. */
  readonly enabled: boolean;
  /** Milliseconds since 1970, up to 128 bits. */
  readonly createdAt: bigint;
  /** Milliseconds since 1970, up to 128 bits. */
  readonly updatedAt: bigint;
  /** Null where the user cannot log in by SCRAM. */
  readonly scram: ScramVerifier | null;
}

/** Who a user is: the name alone does not tell. */
export interface UserId {
  /** Null stands for the platform itself. */
  readonly tenant: string | null;
  /** The name, within the tenant. */
  readonly username: string;
}

/** An API key. */
export interface ApiKey {
  /** Whose key it is; there may be no such user. */
  readonly owner: UserId;
  /** The secret that is sent with a request. */
  readonly key: string;
  /** What people call it. */
  readonly name: string;
  /** What a request with the key may do. */
  readonly role: Role;
  /** Milliseconds since 1970, up to 128 bits. */
  readonly createdAt: bigint;
}

/** A line of the payload that is not understood, and is written back as it is. */
export interface KeptLine {
  /** The line without its end. It may hold a secret. */
  readonly text: string;
  /** `unknown`: no known prefix. `malformed-value`: a KV line whose value is not the hex of UTF-8 text. */
  readonly reason: "unknown" | "malformed-value";
  /** Where it stood, counted from 1. */
  readonly line: number;
}

/** Whether two ids mean the same user. */
export function isSameUser(a: UserId, b: UserId): boolean {
  return a.username === b.username && a.tenant === b.tenant;
}
