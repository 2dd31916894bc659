/**
 * The flags that several commands share, and how the text of a flag becomes a value.
 *
 * @module
 */
import { UsageError } from "../errors.ts";

/** Flags that every command takes, before or after its name. */
export interface GlobalFlags {
  /** Path of the vault. */
  readonly vault?: string;
  /** Path of the vault's anchor. */
  readonly anchor?: string;
  /** Who does it, for the vault's log. */
  readonly actor?: string;
  /** Why, for the vault's log. */
  readonly reason?: string;
  /** One JSON document instead of text. */
  readonly json: boolean;
  /** How long to wait for the lock, in milliseconds. */
  readonly timeout?: number;
  /** File with the passphrase. */
  readonly passphraseFile?: string;
  /** Key file. */
  readonly keyfile?: string;
  /** File with the recovery code. */
  readonly recoveryFile?: string;
  /** File with the certificate. */
  readonly certificateFile?: string;
  /** Whether files that other users can read are accepted. */
  readonly allowInsecurePermissions: boolean;
  /** Whether the log goes to stderr in full. */
  readonly verbose: boolean;
  /** The form of the log; asks for it, too. */
  readonly logFormat?: LogFormat;
}

/** How the log is written: for people, or as a line of JSON an entry. */
export type LogFormat = typeof LOG_FORMATS[number];

const LOG_FORMATS = ["text", "json"] as const;

/** Flags of commands that make a passphrase slot. */
export interface KdfFlags {
  /** Memory in MiB. */
  readonly kdfMemory?: number;
  /** Passes. */
  readonly kdfPasses?: number;
  /** Lanes. */
  readonly kdfLanes?: number;
  /** Whether parameters below the floor are accepted. */
  readonly allowWeakKdf: boolean;
}

/** What is in a vault that completion can name. */
export type NameKind = typeof NAME_KINDS[number];

/** What is in a vault that completion can name. */
export const NAME_KINDS = ["secrets", "users", "keys", "slots"] as const;

/** What completion offers for a value: files, names of the vault, or words; none when nobody can guess it. */
export type Proposal = "file" | NameKind | readonly string[];

/** A flag without a value. */
export interface Toggle {
  readonly kind: "boolean";
  readonly brief: string;
  readonly optional: true;
  readonly withNegated: false;
}

/** A flag with a value. */
export interface Valued<T> {
  readonly kind: "parsed";
  readonly brief: string;
  readonly placeholder: string;
  readonly optional: true;
  readonly parse: (input: string) => T | Promise<T>;
  /** What completion offers. */
  readonly proposes?: Proposal;
  /** A letter that stands for the flag behind a single dash. */
  readonly letter?: string;
}

/** A flag with a value that may be given several times. */
export interface Repeated<T> extends Valued<T> {
  readonly variadic: true;
}

/** The definitions of the flags that a command's function takes. */
export type FlagsOf<FLAGS> = {
  readonly [NAME in keyof FLAGS]-?: FlagOf<NonNullable<FLAGS[NAME]>>;
};

type FlagOf<T> = [T] extends [boolean] ? Toggle : [T] extends [readonly (infer ITEM)[]] ? Repeated<ITEM> : Valued<T>;

/**
 * Values travel through the parser behind this mark, so that one that is empty or looks like a flag stays a value.
 * `arguments.ts` sets it.
 */
export const VALUE_MARK = "=";

/** A flag that is there or not. */
export function toggle(brief: string): Toggle {
  return { kind: "boolean", brief, optional: true, withNegated: false };
}

/** A flag that takes any text. */
export function text(placeholder: string, brief: string): Valued<string> {
  return parsed(placeholder, brief, (input) => input);
}

/** A flag that takes the path of a file. */
export function file(brief: string): Valued<string> {
  return { ...nonEmpty("FILE", brief), proposes: "file" };
}

function nonEmpty(placeholder: string, brief: string): Valued<string> {
  return parsed(placeholder, brief, (input) => {
    if (input === "") throw new UsageError("A file name is empty");
    return input;
  });
}

/** A flag that takes one of a few words. */
export function choice<T extends string>(placeholder: string, choices: readonly T[], brief: string): Valued<T> {
  return {
    ...parsed(placeholder, brief, (input) => {
      const found = choices.find((word) => word === input);
      if (found === undefined) throw new UsageError(`${placeholder} must be one of ${choices.join(", ")}`);
      return found;
    }),
    proposes: choices,
  };
}

/** A flag that takes a whole number from 1. */
export function count(placeholder: string, brief: string): Valued<number> {
  return parsed(placeholder, brief, (input) => {
    const value = /^[0-9]{1,15}$/.test(input) ? Number(input) : 0;
    if (value < 1) throw new UsageError(`${placeholder} must be a whole number from 1`);
    return value;
  });
}

/** A flag that may be given several times. */
export function repeated<T>(flag: Valued<T>): Repeated<T> {
  return { ...flag, variadic: true };
}

/** A flag whose text goes through a function, which throws a {@linkcode UsageError} for what it does not accept. */
export function parsed<T>(placeholder: string, brief: string, parse: (input: string) => T | Promise<T>): Valued<T> {
  return {
    kind: "parsed",
    brief: `${placeholder}: ${brief}`,
    placeholder,
    optional: true,
    parse: (input) => parse(input.startsWith(VALUE_MARK) ? input.slice(VALUE_MARK.length) : input),
  };
}

/** The flag as it is typed: `newKeyfile` is `--new-keyfile`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags of every command. */
export const GLOBAL_FLAGS = {
  vault: { ...text("PATH", "Vault file (else COFFER_VAULT, else vault.coffer)"), proposes: "file" as const },
  anchor: {
    ...nonEmpty("PATH", "The vault's anchor (else the vault's path with .anchor at its end)"),
    proposes: "file" as const,
  },
  actor: text("NAME", "Who does it, for the vault's log; at most 512 bytes"),
  reason: text("TEXT", "Why, for the vault's log; at most 512 bytes"),
  json: toggle("Print one JSON document, and errors as JSON"),
  timeout: parsed("SECONDS", "Longest wait for the vault's lock, fractions allowed (30)", parseSeconds),
  passphraseFile: file("File with the passphrase; - for stdin"),
  keyfile: file("Key file"),
  recoveryFile: file("File with the recovery code"),
  certificateFile: file("File with the certificate"),
  allowInsecurePermissions: toggle("Accept a vault that other users can read or write"),
  verbose: toggle("Log every step to stderr"),
  logFormat: choice("FORMAT", LOG_FORMATS, "text or json; without --verbose, log what matters only"),
} as const;

/** The flags of commands that make a passphrase slot. */
export const KDF_FLAGS = {
  kdfMemory: count("MIB", "Argon2id memory in MiB (256)"),
  kdfPasses: count("N", "Argon2id passes (3)"),
  kdfLanes: count("N", "Argon2id lanes (1)"),
  allowWeakKdf: toggle("Accept less than 19 MiB and 2 passes; for tests"),
} as const;

/** The parameters of a new passphrase slot as the library takes them. */
export function kdfOptions(
  flags: KdfFlags,
): { memory?: number; passes?: number; lanes?: number; allowWeakKdf: boolean } {
  return {
    ...(flags.kdfMemory === undefined ? {} : { memory: flags.kdfMemory * 1024 }),
    ...(flags.kdfPasses === undefined ? {} : { passes: flags.kdfPasses }),
    ...(flags.kdfLanes === undefined ? {} : { lanes: flags.kdfLanes }),
    allowWeakKdf: flags.allowWeakKdf,
  };
}

/** Seconds, with a fraction or without, as milliseconds. A day is the longest wait that timers keep to. */
function parseSeconds(input: string): number {
  const seconds = /^[0-9]+(\.[0-9]+)?$/.test(input) ? Number(input) : NaN;
  if (!(seconds <= 86_400)) throw new UsageError("SECONDS must be a number from 0 to 86400");
  return Math.round(seconds * 1000);
}
