/**
 * Entries of the audit log (`docs/format.md`, section 9): who did what to which name, and never a value.
 *
 * @module
 */
import { CorruptVaultError } from "../errors.ts";
import { isTime } from "../time.ts";

/** Kind of the records that hold entries. They travel in deltas and move into audit segments, never into the state. */
export const AUDIT = "audit";

/** Every operation that an entry can be about. */
export const AUDIT_OPERATIONS = [
  "vault.create",
  "vault.rotate",
  "vault.backup",
  "vault.restore",
  "vault.repair",
  "vault.salvage",
  "secret.set",
  "secret.describe",
  "secret.delete",
  "secret.rename",
  "secret.restore",
  "secret.read",
  "slot.add",
  "slot.remove",
  "slot.passphrase",
  "policy.set",
  "anchor.move",
  "anchor.trust",
  "audit.prune",
  "unlock.failed",
  "export.plaintext",
  "export.encrypted",
  "user.create",
  "user.enable",
  "user.disable",
  "user.role",
  "user.password",
  "user.rehash",
  "user.delete",
  "apikey.create",
  "apikey.revoke",
  "apikey.used",
  "login.failed",
  "login.forgiven",
  "session.revoke",
  "slot.certificate",
  "keypair.create",
  "vault.bootstrap",
  "import.reddb",
] as const;

/** What no reason is asked for: reads, what the vault notes of itself, and mending it, which nothing may hinder. */
const NO_CHANGES: ReadonlySet<string> = new Set<AuditOperation>([
  "secret.read",
  "vault.backup",
  "export.plaintext",
  "export.encrypted",
  "anchor.move",
  "anchor.trust",
  "unlock.failed",
  "vault.repair",
  "user.rehash",
  "apikey.used",
  "login.failed",
  "login.forgiven",
  "vault.salvage",
]);

/** Whether an operation changes the vault by somebody's will, so that a reason may be asked for. */
export function isChange(operation: AuditOperation): boolean {
  return !NO_CHANGES.has(operation);
}

/** What an entry is about. */
export type AuditOperation = typeof AUDIT_OPERATIONS[number];

/** What was done, before it is known when, by whom and as which entry. */
export interface AuditEvent {
  /** What was done. */
  readonly operation: AuditOperation;
  /** Name of the secret, slot, policy or user, id of the API key. */
  readonly name?: string;
  /**
   * The new name, after a rename; what a policy was set to; the role of a user, the owner of an API key; of what a restored
   * vault has its policies, or a salvaged one.
   */
  readonly to?: string;
  /** How often, or how many; of a vault that was put back, the generation that it was made of. */
  readonly count?: number;
}

/** Who does it, as the one who opened the vault says. */
export interface AuditOrigin {
  /** Number of the slot that opened the vault. */
  readonly slot?: number;
  /** A person or a program, in the caller's words. */
  readonly actor?: string;
  /** Why, in the caller's words. */
  readonly reason?: string;
}

/** One entry of the log. */
export interface AuditEntry extends AuditEvent, AuditOrigin {
  /** Counts entries, from 1, without a gap. */
  readonly sequence: number;
  /** When it was committed, in milliseconds since 1970. */
  readonly time: number;
}

/** Longest actor or reason, in bytes of UTF-8. */
export const MAX_TEXT_SIZE = 512;

/** The JSON text of an entry. Its number is the key of its record. */
export function encodeEntry(event: AuditEvent, origin: AuditOrigin, time: number): string {
  const { operation, name, to, count } = event;
  const { slot, actor, reason } = origin;
  return JSON.stringify({ time, op: operation, name, to, count, slot, actor, reason });
}

/**
 * Reads an entry.
 *
 * @throws {CorruptVaultError} when it is not of the form
 */
export function decodeEntry(sequence: number, json: string): AuditEntry {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json);
  } catch {
    throw new CorruptVaultError("an audit entry is not JSON");
  }
  const { time, op, name, to, count, slot, actor, reason } = value ?? {};
  const sound = isTime(time) && typeof op === "string" &&
    [name, to, actor, reason].every((text) => text === undefined || typeof text === "string") &&
    [count, slot].every((number) => number === undefined || Number.isSafeInteger(number));
  if (!sound) throw new CorruptVaultError("an audit entry is not of its form");
  // An operation of a later version is shown as it is.
  const entry = { sequence, time, operation: op, name, to, count, slot, actor, reason };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as unknown as AuditEntry;
}
