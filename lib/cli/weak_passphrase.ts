/**
 * A word about a new passphrase that guessing would find.
 *
 * @module
 */
import { warn } from "./output.ts";

/**
 * Gives a new passphrase back, with a warning where it is weak. The estimate is that of `coffer audit-passwords`, and
 * goes no further: how weak it is would help whoever looks over a shoulder, or reads the log of a pipeline.
 */
export async function warnOfWeak(passphrase: string): Promise<string> {
  const [{ estimateStrength, WEAK_BELOW }, { wordlist }] = await Promise.all([
    import("../passwords/strength.ts"),
    import("@scure/bip39/wordlists/english.js"),
  ]);
  if (estimateStrength(passphrase, new Set(wordlist)) < WEAK_BELOW) warn("The new passphrase is weak");
  return passphrase;
}
