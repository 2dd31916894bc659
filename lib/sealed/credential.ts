/**
 * Credentials as users give them, and as bytes that keys are derived from.
 *
 * @module
 */
import { type Bytes, decodeHex, encodeUtf8 } from "../bytes.ts";
import {
  ConflictingCredentialsError,
  MalformedCredentialError,
  NoCredentialError,
  WeakCredentialError,
} from "../errors.ts";
import { parseKeyFile } from "./keyfile.ts";
import type { SlotKind } from "./slot.ts";

/** A value, or a function that asks for it when it is needed. */
export type Provide<T> = T | (() => T | Promise<T>);

/** What opens a vault: exactly one of these. */
export interface CredentialOptions {
  /** A passphrase. It is brought into Unicode form NFC first, so that every keyboard types the same. */
  readonly passphrase?: Provide<string> | undefined;
  /** The contents of a key file. */
  readonly keyFile?: Provide<Uint8Array> | undefined;
  /** A recovery code of 24 words. */
  readonly recoveryCode?: Provide<string> | undefined;
  /** A certificate of 64 hex digits. */
  readonly certificate?: Provide<string> | undefined;
}

/** A credential of a known kind, as bytes. */
export interface Credential {
  /** Which slots it may open. */
  readonly kind: SlotKind;
  /** What the slot's key is derived from. */
  readonly secret: Bytes;
}

/** Longest passphrase, in bytes of UTF-8. */
export const MAX_PASSPHRASE_SIZE = 64 * 1024;

const KINDS = {
  passphrase: "passphrase",
  keyFile: "keyfile",
  recoveryCode: "recovery",
  certificate: "certificate",
} as const;

/**
 * Refuses options that hold no credential, or more than one.
 *
 * @throws {NoCredentialError} @throws {ConflictingCredentialsError}
 */
export function checkCredentialOptions(options: CredentialOptions): keyof typeof KINDS {
  const given = (Object.keys(KINDS) as (keyof typeof KINDS)[]).filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new ConflictingCredentialsError(given);
  if (given[0] === undefined) throw new NoCredentialError();
  return given[0];
}

/**
 * The credential in the options, asked for if need be.
 *
 * @throws {NoCredentialError} @throws {ConflictingCredentialsError}
 * @throws {MalformedCredentialError} when it is not of its form
 */
export async function resolveCredential(options: CredentialOptions): Promise<Credential> {
  const name = checkCredentialOptions(options);
  return { kind: KINDS[name], secret: await parse(name, options) };
}

async function parse(name: keyof typeof KINDS, options: CredentialOptions): Promise<Bytes> {
  switch (name) {
    case "passphrase":
      return passphraseBytes(await provided(options.passphrase!));
    case "keyFile":
      return parseKeyFile(await provided(options.keyFile!));
    case "recoveryCode": {
      const code = await provided(options.recoveryCode!);
      return await (await import("./recovery.ts")).decodeRecoveryCode(code);
    }
    case "certificate":
      return parseCertificate(await provided(options.certificate!));
  }
}

/** The value, asked for if need be. */
export async function provided<T>(value: Provide<T>): Promise<T> {
  return typeof value === "function" ? await (value as () => T | Promise<T>)() : value;
}

/**
 * The bytes of a passphrase.
 *
 * @throws {MalformedCredentialError} when it is not text, or too long
 */
export function passphraseBytes(passphrase: string): Bytes {
  if (!passphrase.isWellFormed()) throw new MalformedCredentialError("The passphrase is not valid Unicode");
  const bytes = encodeUtf8(passphrase.normalize("NFC"));
  if (bytes.length > MAX_PASSPHRASE_SIZE) {
    throw new MalformedCredentialError(`A passphrase has at most ${MAX_PASSPHRASE_SIZE} bytes, got ${bytes.length}`);
  }
  return bytes;
}

/**
 * Refuses a new passphrase that protects nothing.
 *
 * @throws {WeakCredentialError}
 */
export function checkNewCredential(credential: Credential): Credential {
  if (credential.kind === "passphrase" && credential.secret.length === 0) {
    throw new WeakCredentialError("A passphrase must not be empty");
  }
  return credential;
}

function parseCertificate(text: string): Bytes {
  const hex = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new MalformedCredentialError("A certificate has 64 hex digits");
  return decodeHex(hex);
}
