import assert from "node:assert/strict";
import {
  decodePostgresVerifier,
  encodePostgresVerifier,
  newScramVerifier,
  verifyScramPassword,
} from "../../lib/auth/scram_verifier.ts";
import * as tables from "../../lib/auth/stringprep_tables.ts";
import { postgresMissing, psql, quote, withPostgres } from "./postgres.ts";

/** Passwords whose form matters: PostgreSQL has to prepare them as coffer does, or neither takes the other's verifiers. */
const PASSWORDS: readonly string[] = [
  "correct horse battery staple",
  'it\'s "quoted" \\ and $1:2$',
  "tab\tand bell\u0007",
  "p\u00e4ssw\u00f6rd",
  "pa\u0308sswo\u0308rd",
  "\u2168 I\u00adX \ufb01\u00b2\u2026",
  "a\u00a0b\u3000c",
  "\u{1f511} key",
  "\ue000 private \u2168",
  "\u05d0\u05d1\u05d2",
  "\u0627 mixed \u2168",
  "\u00ad\u200d",
  "x".repeat(1024),
];

Deno.test({
  name: `PostgreSQL and coffer take each other's verifiers${postgresMissing ? " (SKIPPED)" : ""}`,
  ignore: postgresMissing !== undefined,
  fn: () =>
    withPostgres(async ({ port, query }) => {
      // Made here, used there.
      const texts = await Promise.all(
        PASSWORDS.map(async (password) =>
          encodePostgresVerifier(await newScramVerifier(password, { iterations: 4096 }))
        ),
      );
      await query(texts.map((text, i) => `CREATE ROLE ours_${i} LOGIN PASSWORD ${quote(text)};`).join("\n"));
      for (const [i, password] of PASSWORDS.entries()) {
        const right = await psql(port, `ours_${i}`, password, "SELECT current_user");
        assert.deepEqual(right, { success: true, stdout: `ours_${i}`, stderr: "" }, password);
        const wrong = await psql(port, `ours_${i}`, PASSWORDS[i === 0 ? 1 : 0]!, "SELECT current_user");
        assert.match(wrong.stderr, /password authentication failed/, password);
      }
      // It took the texts as they are, and did not hash them once more.
      assert.equal(
        await query("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'ours%' ORDER BY substr(rolname, 6)::int"),
        texts.join("\n"),
      );

      // Made there, used here.
      await query(PASSWORDS.map((password, i) => `CREATE ROLE theirs_${i} PASSWORD ${quote(password)};`).join("\n"));
      const stored = await query(
        "SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'theirs%' ORDER BY substr(rolname, 8)::int",
      );
      assert.equal(stored.split("\n").length, PASSWORDS.length);
      for (const [i, text] of stored.split("\n").entries()) {
        const verifier = decodePostgresVerifier(text);
        assert.equal(encodePostgresVerifier(verifier), text);
        assert.ok(await verifyScramPassword(PASSWORDS[i]!, verifier), PASSWORDS[i]);
        assert.ok(!await verifyScramPassword("wrong", verifier), PASSWORDS[i]);
      }
    }),
});

/** Where PostgreSQL prepares against the RFC's order: it looks for what is prohibited before NFKC, not after. */
const OTHERWISE = new Set(
  [0x340, 0x341, 0xfb1d, 0xfb1f, 0xfb2a, 0xfb2b, 0xfb35, 0xfb36, 0xfb38, 0xfb39, 0xfb3b, 0xfb3c, 0xfb3e, 0xfb40]
    .concat([0xfb41, 0xfb43, 0xfb44, 0xfb46, 0xfb47, 0xfd3c, 0xfd3d, 0xfe71, 0xfe77]),
);

Deno.test({
  name: `PostgreSQL and saslprep() prepare the same at every edge of the tables${postgresMissing ? " (SKIPPED)" : ""}`,
  // Takes a minute.
  ignore: postgresMissing !== undefined || Deno.env.get("COFFER_DEEP") !== "1",
  fn: () =>
    withPostgres(async ({ query }) => {
      const passwords = edges().map((code) => {
        const character = String.fromCodePoint(code);
        // The digit in the middle shows whether the text was prepared; it has no direction of its own.
        return `${character}\u00b2${character}`;
      });
      for (let start = 0; start < passwords.length; start += 500) {
        const some = passwords.slice(start, start + 500);
        await query(some.map((password, i) => `CREATE ROLE r${start + i} PASSWORD ${quote(password)};`).join("\n"));
        const stored = await query(
          `SELECT rolpassword FROM pg_authid WHERE rolname ~ '^r[0-9]+$' AND substr(rolname, 2)::int >= ${start}
           ORDER BY substr(rolname, 2)::int`,
        );
        for (const [i, text] of stored.split("\n").entries()) {
          const { salt, iterations } = decodePostgresVerifier(text);
          const ours = await newScramVerifier(some[i]!, { salt, iterations });
          assert.equal(encodePostgresVerifier(ours), text, JSON.stringify(some[i]));
        }
      }
    }),
});

function edges(): number[] {
  const codes = new Set<number>();
  for (const range of Object.values(tables).flatMap((table) => table.split(" "))) {
    for (const bound of range.split("-")) {
      for (const step of [-1, 0, 1]) codes.add(parseInt(bound, 16) + step);
    }
  }
  return [...codes].filter((code) =>
    code > 0x7f && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) && !OTHERWISE.has(code)
  );
}
