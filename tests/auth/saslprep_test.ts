import assert from "node:assert/strict";
import peer from "@mongodb-js/saslprep";
import fc from "fast-check";
import { saslprep } from "../../lib/auth/saslprep.ts";

/** What texts become; null for what is refused. The first six are the examples of RFC 4013, section 3. */
const PREPARED: readonly (readonly [text: string, prepared: string | null, why: string])[] = [
  ["I\u00adX", "IX", "a soft hyphen is mapped to nothing"],
  ["user", "user", "nothing changes"],
  ["USER", "USER", "case is kept"],
  ["\u00aa", "a", "the form is NFKC"],
  ["\u2168", "IX", "the form is NFKC"],
  ["\u0007", null, "a control character"],
  ["\u06271", null, "it begins right to left and does not end so"],
  ["", "", "nothing is there"],
  [" a  b ", " a  b ", "spaces are kept"],
  ["\u00ad\u200d", "", "nothing is left"],
  ["a\u00a0b\u3000c\u200bd", "a b c d", "every space is the ASCII one"],
  ["a\u007fb", null, "a control character of ASCII"],
  ["a\u0085b", null, "a control character beyond ASCII"],
  ["\u0340\u0341", "\u0300\u0301", "what is prohibited is looked for in the result"],
  ["\u0344", "\u0308\u0301", "a character with a decomposition of its own"],
  ["ju\u0308rgen", "j\u00fcrgen", "the form is composed"],
  ["\ufb01\u00b2\u2026", "fi2...", "compatibility characters"],
  ["\ue000", null, "private use"],
  ["\u{f0000}", null, "private use"],
  ["\ufdd0", null, "no character"],
  ["\u{1fffe}", null, "no character"],
  ["\u{ffffe}", null, "no character"],
  ["\u{fffff}", null, "no character"],
  ["\ud800", null, "a lone surrogate"],
  ["a\udfff", null, "a lone surrogate"],
  ["\ud800\u00ad\udc00", null, "two lone surrogates that would meet"],
  ["\ufffd", null, "no plain text"],
  ["\u2ff0", null, "no canonical form"],
  ["\u200e", null, "it changes the direction"],
  ["\u{e0001}", null, "a tag"],
  ["\u05d0", "\u05d0", "right to left"],
  ["\u06271\u0628", "\u06271\u0628", "right to left with a digit inside"],
  ["\u05d01", null, "it ends without direction"],
  ["1\u05d0", null, "it begins without direction"],
  ["\u05d0a\u05d1", null, "both directions"],
  ["\u05d0\u{1d400}\u05d1", null, "both directions after NFKC"],
  ["\u0221", null, "newer than Unicode 3.2"],
  ["\u{1f511}", null, "newer than Unicode 3.2"],
  ["\u213b", null, "newer than Unicode 3.2, though today's NFKC makes older characters of it"],
  ["\u{20000}", "\u{20000}", "beyond the first plane"],
];

const DEEP = Deno.env.get("COFFER_DEEP") === "1";

Deno.test("saslprep() gives the examples of RFC 4013, and the edges of its tables", () => {
  for (const [text, prepared, why] of PREPARED) assert.equal(saslprep(text), prepared, why);
});

Deno.test("saslprep() lets characters newer than Unicode 3.2 through when told to", () => {
  for (const text of ["\u0221", "a\u{1f511}", "\u{e0100}"]) {
    assert.equal(saslprep(text, { allowUnassigned: true }), text);
    assert.equal(saslprep(text), null);
  }
  assert.equal(saslprep("\ue000", { allowUnassigned: true }), null);
});

Deno.test("saslprep() agrees with another implementation on single characters", () => {
  // Beyond the third plane there is nothing but tags, variation selectors and what has no character at all.
  const ranges = DEEP ? [[0, 0x10ffff]] : [
    [0, 0x33ff],
    [0xa000, 0xb000],
    [0xd700, 0x1100f],
    [0x1d000, 0x1d800],
    [
      0x2f800,
      0x2fa20,
    ],
    [0xe0000, 0xe0200],
    [0xeff00, 0xf0100],
  ];
  for (const [first, last] of ranges) {
    for (let code = first!; code <= last!; code++) {
      const text = String.fromCodePoint(code);
      for (const allowUnassigned of [false, true]) agree(text, allowUnassigned);
    }
  }
});

Deno.test("saslprep() agrees with another implementation on texts of several characters", () => {
  const interesting = fc.constantFrom(
    ..."aZ1 .-\u0300\u0308\u00ad\u00a0\u200b\u2168\u00aa\u0627\u0628\u05d0\u05b0\u0660\u06f0\u30ab\u3099\uff76\uac00\u1100",
    "\u{1d400}",
    "\u{20000}",
    "\u{1f511}",
  );
  const texts = fc.array(fc.oneof({ weight: 5, arbitrary: interesting }, fc.string({ unit: "binary", maxLength: 1 })));
  fc.assert(
    fc.property(texts, fc.boolean(), (parts, allowUnassigned) => agree(parts.join(""), allowUnassigned)),
    { numRuns: DEEP ? 100_000 : 3000 },
  );
});

Deno.test("saslprep() changes nothing in what it has prepared", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const prepared = saslprep(text, { allowUnassigned: true });
      if (prepared !== null) assert.equal(saslprep(prepared, { allowUnassigned: true }), prepared);
    }),
    { numRuns: DEEP ? 100_000 : 1000 },
  );
});

function agree(text: string, allowUnassigned: boolean): void {
  // The other one lets these two pass, which table C.4 of RFC 3454 lists.
  if (/[\u{ffffe}\u{fffff}]/u.test(text)) return;
  let expected: string | null;
  try {
    expected = peer(text, { allowUnassigned });
  } catch (error) {
    // It fails with a TypeError of its own where nothing is left of a text.
    expected = error instanceof TypeError ? "" : null;
  }
  const actual = saslprep(text, { allowUnassigned });
  // The other one looks for newer characters in what today's NFKC makes of them, where Unicode 3.2 left them alone.
  if (actual === null && !allowUnassigned && expected !== null && expected !== text) {
    return assert.equal(saslprep(text, { allowUnassigned: true }), expected);
  }
  assert.equal(actual, expected, `${JSON.stringify(text)} ${allowUnassigned}`);
}
