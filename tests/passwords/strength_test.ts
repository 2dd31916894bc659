import assert from "node:assert/strict";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { generatePassword, generateWords } from "../../lib/passwords/generate.ts";
import { estimateStrength, WEAK_BELOW } from "../../lib/passwords/strength.ts";

const WORDS = new Set(wordlist);

const WEAK = [
  ...["", "a", "1234", "123456789", "password", "Passw0rd!", "P@ssw0rd1", "qwertyuiop", "letmein2024", "hunter2"],
  ...["aaaaaaaaaaaaaaaaaaaa", "abcdefghijklmnop", "9876543210987", "Summer2025!", "adminadmin", "qwerty123456"],
  ...["x7Kp2", "abandon-ability", "2019-2024", "........................."],
];

const STRONG = [
  ...[
    "k7#Qz!mR2wLp",
    "correct horse battery staple xylophone",
    "9f86d081884c7d659a2feaa0c55ad015",
    "\u00fc\u6f22\u00e9\u00df\u0142\u0151\u0111\u00e6\u00f0",
  ],
  "abandon-zoo-kitchen-lunar-width-vapor",
];

Deno.test("estimateStrength rates habits low and what is random high", () => {
  for (const text of WEAK) assert.ok(estimateStrength(text, WORDS) < WEAK_BELOW, text);
  for (const text of STRONG) assert.ok(estimateStrength(text, WORDS) >= WEAK_BELOW, text);
});

Deno.test("estimateStrength comes near what is known of generated ones, and never above it by much", () => {
  for (let round = 0; round < 200; round++) {
    const password = generatePassword(16, ["lower", "upper", "digits", "symbols"]);
    const rated = estimateStrength(password.text, WORDS);
    assert.ok(rated > password.entropy * 0.75 && rated < password.entropy * 1.05, `${rated} of ${password.entropy}`);
    const phrase = generateWords(6, wordlist, "-");
    assert.ok(estimateStrength(phrase.text, WORDS) < phrase.entropy + 5 * 6, phrase.text);
    assert.ok(estimateStrength(phrase.text, WORDS) >= WEAK_BELOW, phrase.text);
  }
});

Deno.test("estimateStrength rises with length, and is done soon with long texts", () => {
  let before = -1;
  for (let length = 1; length <= 12; length++) {
    const rated = estimateStrength("kQ7#zR!m2wLp".slice(0, length));
    assert.ok(rated > before);
    before = rated;
  }
  for (const text of ["a".repeat(1e6), "ab1".repeat(1e6), "password".repeat(1e5)]) {
    assert.ok(Number.isFinite(estimateStrength(text, WORDS)));
  }
});
