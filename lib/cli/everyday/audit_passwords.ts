/**
 * `coffer audit-passwords`: which passwords should be replaced.
 *
 * @module
 */
import { decodeUtf8 } from "../../bytes.ts";
import { ProblemsFoundError } from "../../errors.ts";
import { estimateStrength, WEAK_BELOW } from "../../passwords/strength.ts";
import type { SecretInfo, TransactionSecrets } from "../../secrets.ts";
import type { GlobalFlags } from "../flags.ts";
import { isExpired } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, shown, shownDate, writeJson, writeOut } from "../output.ts";

/** Flags of `audit-passwords`. */
export interface AuditPasswordsFlags extends GlobalFlags {
  /** Whether every line of text is judged as a password. */
  readonly all: boolean;
}

/** How the last part of a name ends that is a password's. */
const LIKE_PASSWORD = /(pass(word|wd|phrase)?|passwort|pwd|pin|secret|token|key)$/i;
/** Longest value that is judged, in bytes; more is no password. */
const MAX_SIZE = 1024;

interface Findings {
  readonly checked: number;
  readonly weak: readonly { readonly name: string; readonly bits: number }[];
  readonly reused: readonly (readonly string[])[];
}

/** Tells of weak, reused, expired and old ones; values stay within. */
export default async function auditPasswords(flags: AuditPasswordsFlags): Promise<void> {
  const opening = prepareOpening(flags);
  await using vault = await openVault(opening);
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  const words = new Set(wordlist);
  const infos = await vault.secrets.list();
  const chosen = infos.filter((info) => info.size <= MAX_SIZE && (flags.all || isPassword(info)));
  const { checked, weak, reused } = chosen.length === 0
    ? { checked: 0, weak: [], reused: [] }
    : await vault.transaction(({ secrets }) => judge(secrets, chosen, words));
  const expired = infos.filter(isExpired);
  const old = await vault.policies.overdue();
  const problems = weak.length + reused.length + expired.length + old.length;
  if (flags.json) {
    const names = expired.map(({ name }) => name);
    await writeJson({ ok: problems === 0, checked, weak, reused, expired: names, old });
  } else {
    const lines = [
      ...weak.map(({ name, bits }) => `weak: ${name} (about ${bits} bits)`),
      ...reused.map((names) => `reused: ${names.join(", ")}`),
      ...expired.map(({ name, expiresAt }) => `expired: ${name} (${shownDate(expiresAt!)})`),
      ...old.map((name) => `old: ${name}`),
      problems === 0 ? `ok: ${counted(checked, "password")} checked` : "problems remain",
    ];
    await writeOut(lines.map((line) => `${shown(line)}\n`).join(""));
  }
  if (problems === 0) return;
  throw new ProblemsFoundError(`${counted(problems, "problem")} found`, {
    hint: "Give each a new value where it is used, and here: `coffer generate NAME`",
  });
}

function isPassword({ name, type }: SecretInfo): boolean {
  if (type !== undefined) return type === "password" || type === "passphrase";
  return LIKE_PASSWORD.test(name.split("/").at(-1)!);
}

function judge(secrets: TransactionSecrets, infos: readonly SecretInfo[], words: ReadonlySet<string>): Findings {
  const byValue = new Map<string, string[]>();
  const weak: { name: string; bits: number }[] = [];
  for (const { name } of infos) {
    // Removed by another process since the list was made.
    const text = secrets.has(name) ? asLine(secrets.get(name)) : undefined;
    if (text === undefined) continue;
    const bits = Math.floor(estimateStrength(text, words));
    if (bits < WEAK_BELOW) weak.push({ name, bits });
    const names = byValue.get(text);
    if (names === undefined) byValue.set(text, [name]);
    else names.push(name);
  }
  const all = [...byValue];
  return {
    checked: all.reduce((sum, [, names]) => sum + names.length, 0),
    weak,
    reused: all.filter(([text, names]) => text !== "" && names.length > 1).map(([, names]) => names),
  };
}

/** The value when it is one line of text, its line end aside. */
function asLine(value: Uint8Array): string | undefined {
  try {
    const text = decodeUtf8(value).replace(/\r?\n$/, "");
    return /\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  } finally {
    value.fill(0);
  }
}
