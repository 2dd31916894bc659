/**
 * The state of a RedDB vault as a document and as text.
 *
 * @module
 */
import { encodeHex } from "../../bytes.ts";
import type { ApiKey, ScramVerifier, User, VaultState } from "../../reddb/mod.ts";
import { counted, shown, warn } from "../output.ts";
import { table } from "../table.ts";

/** Stands for a secret that is not shown. */
const HIDDEN = "***";

/** The state as a JSON document. Times are decimal texts: they may have 128 bits. */
export function stateJson(state: VaultState, reveal: boolean): Readonly<Record<string, unknown>> {
  const secret = reveal ? (text: string) => text : () => HIDDEN;
  return {
    bootstrapped: state.bootstrapped,
    master_secret: state.masterSecret === null ? null : secret(encodeHex(state.masterSecret)),
    users: state.users.map((user) => ({
      username: user.username,
      password_hash: secret(user.passwordHash),
      role: user.role,
      enabled: user.enabled,
      created_at: String(user.createdAt),
      updated_at: String(user.updatedAt),
      scram_verifier: user.scram === null ? null : scramJson(user.scram, secret),
      tenant_id: user.tenant,
    })),
    api_keys: state.apiKeys.map((key) => ({
      owner: { tenant: key.owner.tenant, username: key.owner.username },
      key: secret(key.key),
      name: key.name,
      role: key.role,
      created_at: String(key.createdAt),
    })),
    kv: Object.fromEntries([...state.kv].map(([key, value]) => [key, secret(value)])),
  };
}

/** The state as text for people. */
export function stateText(state: VaultState, reveal: boolean): string {
  const secret = reveal ? (text: string) => text : () => HIDDEN;
  const parts = [
    `bootstrapped: ${state.bootstrapped ? "yes" : "no"}\n` +
    `master secret: ${state.masterSecret === null ? "none" : secret(encodeHex(state.masterSecret))}\n`,
  ];
  if (state.users.length > 0) {
    const rows = state.users.map((user) => [userName(user), user.role, user.enabled ? "yes" : "no", scramText(user)]);
    parts.push(table([["USER", "ROLE", "ENABLED", "SCRAM"], ...rows], ["USER"]));
  }
  if (state.apiKeys.length > 0) {
    const rows = state.apiKeys.map((key) => [userName(key.owner), key.name, key.role, secret(key.key)]);
    parts.push(table([["OWNER", "NAME", "ROLE", "KEY"], ...rows], ["OWNER", "NAME"]));
  }
  if (state.kv.size > 0) {
    const rows = [...state.kv].map(([key, value]) => [key, secret(value)]);
    parts.push(table([["ENTRY", "VALUE"], ...rows], ["ENTRY"]));
  }
  return parts.join("\n");
}

/** Warns of lines that were not understood. Their text may hold a secret, and is not shown. */
export function warnOfKeptLines({ kept }: VaultState): void {
  if (kept.length === 0) return;
  const lines = kept.slice(0, 10).map(({ line }) => line).join(", ");
  warn(
    `${counted(kept.length, "line")} of the vault not understood, and kept as found: ` +
      `${kept.length === 1 ? "line" : "lines"} ${lines}${kept.length > 10 ? ", …" : ""}`,
  );
}

/** A user's name as people write it: `tenant/name`, or the name alone for the platform's own. */
export function userName({ tenant, username }: User | ApiKey["owner"]): string {
  return shown(tenant === null ? username : `${tenant}/${username}`);
}

function scramText({ scram }: User): string {
  return scram === null ? "no" : counted(scram.iterations, "iteration");
}

function scramJson(scram: ScramVerifier, secret: (text: string) => string): Readonly<Record<string, unknown>> {
  return {
    salt: secret(encodeHex(scram.salt)),
    iter: scram.iterations,
    stored_key: secret(encodeHex(scram.storedKey)),
    server_key: secret(encodeHex(scram.serverKey)),
  };
}
