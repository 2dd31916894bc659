/**
 * The state of a RedDB vault, and the payload it is written as: lines of UTF-8 text.
 *
 * @module
 */
import { type Bytes, decodeHex, decodeUtf8, encodeHex, encodeUtf8 } from "../bytes.ts";
import { InvalidMetadataError } from "../errors.ts";
import { RedDbCorruptError } from "./errors.ts";
import { MASTER_SECRET_SIZE } from "./key_pair.ts";
import { decodeApiKey, decodeEntry, decodeUser, encodeApiKey, encodeEntry, encodeUser, PREFIXES } from "./lines.ts";
import { type ApiKey, isSameUser, type KeptLine, type User, type UserId } from "./records.ts";

/** Everything in a RedDB vault. A plain value: change it freely, then save it. */
export class VaultState {
  /** Whether the vault was bootstrapped; RedDB calls it sealed. */
  bootstrapped = false;
  /** 32 secret bytes that the certificate comes from; null in vaults that are older than certificates. */
  masterSecret: Bytes | null = null;
  /** In the order of the file. */
  users: User[] = [];
  /** In the order of the file; the owner of one may be missing. */
  apiKeys: ApiKey[] = [];
  /** Secrets and settings by name. */
  kv: Map<string, string> = new Map();
  /** Lines that are not understood. RedDB forgets them when it saves; here they are written back. */
  kept: KeptLine[] = [];

  /** A state with nothing in it. */
  static empty(): VaultState {
    return new VaultState();
  }

  /**
   * Reads a payload. What it does not understand it keeps in {@linkcode kept}.
   *
   * @throws {RedDbCorruptError} when it is not UTF-8, or a line that is understood is malformed; names the line only
   */
  static deserialize(payload: Uint8Array): VaultState {
    const state = new VaultState();
    for (const [index, line] of linesOf(payload).entries()) state.#read(line, index + 1);
    return state;
  }

  /**
   * Writes the payload. The caller wipes it after use: it is the plain text of every secret.
   *
   * @throws {InvalidMetadataError} when a field would not come back as it is, or would forge a record
   */
  serialize(): Bytes {
    const lines: string[] = [];
    if (this.masterSecret !== null) lines.push(encodeMasterSecret(this.masterSecret));
    lines.push(`${PREFIXES.sealed}${this.bootstrapped}`);
    for (const user of this.users) lines.push(encodeUser(user));
    for (const key of this.apiKeys) lines.push(encodeApiKey(key));
    for (const [key, value] of this.kv) lines.push(encodeEntry(key, value));
    for (const kept of this.kept) lines.push(encodeKept(kept));
    lines.push("");
    return encodeUtf8(lines.join("\n"));
  }

  /** The API keys of a user: those with the same tenant and the same name. */
  keysOf(user: UserId): ApiKey[] {
    return this.apiKeys.filter(({ owner }) => isSameUser(owner, user));
  }

  #read(raw: string, number: number): void {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const where = `line ${number} of the payload`;
    if (line === "") return;
    if (line.startsWith(PREFIXES.masterSecret)) {
      this.masterSecret = decodeMasterSecret(line.slice(PREFIXES.masterSecret.length), where);
    } else if (line.startsWith(PREFIXES.sealed)) {
      this.bootstrapped = line.slice(PREFIXES.sealed.length) === "true";
    } else if (line.startsWith(PREFIXES.user)) {
      this.users.push(decodeUser(line.slice(PREFIXES.user.length), where));
    } else if (line.startsWith(PREFIXES.key)) {
      this.apiKeys.push(decodeApiKey(line.slice(PREFIXES.key.length), where));
    } else if (line.startsWith(PREFIXES.kv)) {
      const entry = decodeEntry(line.slice(PREFIXES.kv.length));
      if (entry === null) this.kept.push({ text: raw, reason: "malformed-value", line: number });
      else this.kv.set(...entry);
    } else {
      this.kept.push({ text: raw, reason: "unknown", line: number });
    }
  }
}

function linesOf(payload: Uint8Array): string[] {
  try {
    return decodeUtf8(payload).split("\n");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RedDbCorruptError("the payload is not valid UTF-8");
  }
}

function encodeMasterSecret(secret: Uint8Array): string {
  if (secret.length !== MASTER_SECRET_SIZE) {
    throw new InvalidMetadataError("master secret", `it has ${MASTER_SECRET_SIZE} bytes`);
  }
  return PREFIXES.masterSecret + encodeHex(secret);
}

function decodeMasterSecret(hex: string, where: string): Bytes {
  try {
    const secret = decodeHex(hex);
    if (secret.length === MASTER_SECRET_SIZE) return secret;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new RedDbCorruptError(`${where} has a malformed master secret`);
}

/** A kept line as it was; one that a reader would understand was never kept, and would forge a record. */
function encodeKept({ text }: KeptLine): string {
  const probe = text.includes("\n") ? undefined : VaultState.deserialize(encodeUtf8(text));
  if (probe?.kept[0]?.text !== text) throw new InvalidMetadataError("kept line", "it would be read as a record");
  return text;
}
