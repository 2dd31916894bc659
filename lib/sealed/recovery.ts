/**
 * Recovery codes: 256 random bits as 24 words (BIP 39, English list).
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { MalformedCredentialError } from "../errors.ts";

/** How many words a recovery code has. */
export const RECOVERY_WORDS = 24;

/** Words for 32 bytes. The word list is loaded on first use only. */
export async function encodeRecoveryCode(entropy: Uint8Array): Promise<string> {
  const { entropyToMnemonic, wordlist } = await loadWords();
  return entropyToMnemonic(entropy, wordlist);
}

/**
 * The 32 bytes of a recovery code; case and white space do not matter.
 *
 * @throws {MalformedCredentialError} when a word is unknown, one is missing, or the checksum does not fit
 */
export async function decodeRecoveryCode(code: string): Promise<Bytes> {
  const { mnemonicToEntropy, wordlist } = await loadWords();
  const words = code.normalize("NFKD").toLowerCase().trim().split(/\s+/);
  if (words.length !== RECOVERY_WORDS) {
    throw new MalformedCredentialError(`A recovery code has ${RECOVERY_WORDS} words, got ${words.length}`);
  }
  try {
    return Uint8Array.from(mnemonicToEntropy(words.join(" "), wordlist));
  } catch {
    // The library's error is not kept as the cause: it may quote the words.
    throw new MalformedCredentialError("The recovery code has a typing error", {
      hint: "Compare each word with what was written down",
    });
  }
}

async function loadWords(): Promise<typeof import("@scure/bip39") & { wordlist: string[] }> {
  const [bip39, { wordlist }] = await Promise.all([
    import("@scure/bip39"),
    import("@scure/bip39/wordlists/english.js"),
  ]);
  return { ...bip39, wordlist };
}
