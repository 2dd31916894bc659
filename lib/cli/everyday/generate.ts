/**
 * `coffer generate [NAME]`: a new password or passphrase.
 *
 * @module
 */
import { UsageError } from "../../errors.ts";
import {
  type CharacterClass,
  CLASSES,
  type Generated,
  generatePassword,
  generateWords,
  MAX_LENGTH,
  MAX_WORDS,
} from "../../passwords/generate.ts";
import { checkName } from "../../state/names.ts";
import type { GlobalFlags } from "../flags.ts";
import { refuseBoth } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, shown, writeJson, writeOut } from "../output.ts";

/** Flags of `generate`. */
export interface GenerateFlags extends GlobalFlags {
  /** How many characters. */
  readonly length?: number;
  /** Names of classes, with commas between them. */
  readonly classes?: string;
  /** How many words. */
  readonly words?: number;
  /** What stands between words. */
  readonly separator?: string;
}

const DEFAULT_LENGTH = 24;
const DEFAULT_CLASSES = "lower,upper,digits";

/** Makes one, and keeps or prints it. */
export default async function generate(flags: GenerateFlags, name?: string): Promise<void> {
  const { json, words } = flags;
  if (name === undefined) {
    const { text, entropy } = await make(flags);
    if (json) return await writeJson({ value: text, entropy: rounded(entropy) });
    await writeOut(`${text}\n`);
    return note(describe(entropy));
  }
  checkName(name);
  const opening = prepareOpening(flags);
  const { text, entropy } = await make(flags);
  await using vault = await openVault(opening);
  const type = words === undefined ? "password" : "passphrase";
  const { version } = await vault.secrets.set(name, text, { type });
  if (json) return await writeJson({ name, version, entropy: rounded(entropy) });
  note(`Saved ${shown(name)}, version ${version}. ${describe(entropy)}`);
}

async function make({ length, classes, words, separator }: GenerateFlags): Promise<Generated> {
  refuseBoth({ "--words": words, "--length": length });
  refuseBoth({ "--words": words, "--classes": classes });
  if (words === undefined) {
    if (separator !== undefined) throw new UsageError("--separator needs --words");
    const names = parseClasses(classes ?? DEFAULT_CLASSES);
    const wanted = length ?? DEFAULT_LENGTH;
    if (wanted < names.length || wanted > MAX_LENGTH) {
      throw new UsageError(`--length must be from ${names.length}, the number of classes, to ${MAX_LENGTH}`);
    }
    return generatePassword(wanted, names);
  }
  if (words > MAX_WORDS) throw new UsageError(`--words must be at most ${MAX_WORDS}`);
  if (separator !== undefined && !separator.isWellFormed()) throw new UsageError("--separator is not valid Unicode");
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  return generateWords(words, wordlist, separator ?? "-");
}

function parseClasses(list: string): CharacterClass[] {
  const names = new Set(list.split(","));
  for (const name of names) {
    if (!Object.hasOwn(CLASSES, name)) {
      throw new UsageError(`--classes must be some of ${Object.keys(CLASSES).join(", ")}, with commas between them`);
    }
  }
  return [...names] as CharacterClass[];
}

function rounded(bits: number): number {
  return Math.floor(bits * 10) / 10;
}

function describe(entropy: number): string {
  return `${Math.floor(entropy)} bits of entropy`;
}
