import assert from "node:assert/strict";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { parseTotp, totpCode } from "../../lib/passwords/totp.ts";
import { type Sandbox, sandbox } from "./coffer.ts";

const OTP = "otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8";
const OWN = "GEZDGNBVGY3TQOJQ";

async function set(box: Sandbox, name: string, value: string | Uint8Array, ...flags: string[]): Promise<void> {
  await box.ok(["set", name, "--stdin", ...flags, ...box.key], { stdin: value });
}

Deno.test("coffer generate prints a password or words without a vault or a permission, its entropy beside it", async () => {
  await sandbox(async (box) => {
    const options = { permissions: [] };
    const { out, err } = await box.ok(["generate"], options);
    assert.match(out, /^[A-Za-z0-9]{24}\n$/);
    assert.equal(err, "142 bits of entropy\n");
    assert.match((await box.ok(["generate", "--length", "8", "--classes", "digits"], options)).out, /^\d{8}\n$/);
    assert.match((await box.ok(["generate", "--classes", "symbols"], options)).out, /^[^A-Za-z0-9\s]{24}\n$/);
    const words = await box.ok(["generate", "--words", "6", "--separator", " "], options);
    assert.equal(words.err, "66 bits of entropy\n");
    for (const word of words.out.trimEnd().split(" ")) assert.ok(wordlist.includes(word), word);
    const document = await box.json(["generate", "--length", "4", "--classes", "digits"], options);
    assert.match(document.value, /^\d{4}$/);
    assert.equal(document.entropy, 13.2);
    const wrong = [
      ["--length", "2"],
      ["--length", "1025"],
      ["--classes", "digits,letters"],
      ["--classes", ""],
      ["--words", "3", "--length", "9"],
      ["--words", "129"],
      ["--separator", "x"],
    ];
    for (const flags of wrong) await box.fails(["generate", ...flags], "usage", 2, options);
  });
});

Deno.test("coffer generate NAME keeps what it made, and does not show it", async () => {
  await sandbox(async (box) => {
    await box.init();
    const { out, err } = await box.ok(["generate", "a", ...box.key]);
    const first = (await box.ok(["get", "a", ...box.key])).out;
    assert.match(first, /^[A-Za-z0-9]{24}$/);
    assert.equal(out + err, "Saved a, version 1. 142 bits of entropy\n");
    const document = await box.json(["generate", "a", "--words", "5", ...box.key]);
    assert.deepEqual(document, { name: "a", version: 2, entropy: 55 });
    assert.equal((await box.ok(["get", "a", "--version", "1", ...box.key])).out, first);
    assert.equal((await box.json(["meta", "a", ...box.key])).type, "passphrase");
    await box.fails(["generate", "", ...box.key], "invalid-name", 2);
  });
});

Deno.test("coffer otp prints the code of now, of the secret or of the one below it", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "mail", "the password", "--type", "password");
    await set(box, "mail/otp", OTP, "--type", "otpauth");
    await set(box, "own", OWN, "--type", "otpauth");
    await set(box, "own/otp", OTP);
    const expected = async (text: string, run: () => Promise<string>) => {
      const totp = parseTotp(text);
      const codes = [(await totpCode(totp, Date.now())).code];
      const code = await run();
      codes.push((await totpCode(totp, Date.now())).code);
      assert.ok(codes.includes(code), `${code} is none of ${codes}`);
    };
    for (const [name, text] of [["mail", OTP], ["mail/otp", OTP], ["own", OWN], ["own/otp", OTP]] as const) {
      await expected(text, async () => {
        const { out, err } = await box.ok(["otp", name, ...box.key]);
        assert.match(err, /^([12]?\d|30) seconds? left\n$/);
        return out.trimEnd();
      });
    }
    const { code: _, secondsLeft, ...rest } = await box.json(["otp", "mail", ...box.key]);
    assert.ok(secondsLeft >= 1 && secondsLeft <= 30);
    assert.deepEqual(rest, { name: "mail/otp", period: 30 });
    for (const wrong of ["hunter2!", "hunter2"]) {
      await set(box, "wrong", wrong);
      const { err } = await box.fails(["otp", "wrong", ...box.key], "malformed-otp", 2);
      assert.doesNotMatch(err, /hunter2/);
    }
    await set(box, "binary", Uint8Array.of(0xff));
    await box.fails(["otp", "binary", ...box.key], "malformed-text", 2);
    await box.fails(["otp", "missing", ...box.key], "secret-not-found", 3);
  });
});

Deno.test("coffer find looks at names, tags and notes in any case and form, and at no value", async () => {
  await sandbox(async (box) => {
    await box.init();
    await set(box, "db/Caf\u00e9", "needle");
    await set(box, "other", "x", "--note", "the CAFE\u0301\nis closed", "--tag", "Needle");
    await set(box, "stra\u00dfe", "x");
    const found = async (text: string) => (await box.ok(["find", text, ...box.key])).out.trimEnd().split("\n");
    assert.deepEqual(await found("caf\u00e9"), ["db/Caf\u00e9", "other"]);
    assert.deepEqual(await found("cAFe\u0301"), ["db/Caf\u00e9", "other"]);
    assert.deepEqual(await found("needle"), ["other"]);
    assert.deepEqual(await found("STRASSE"), ["stra\u00dfe"]);
    assert.deepEqual(await found("nothing"), [""]);
    assert.deepEqual(await box.json(["find", "needle", ...box.key]), [
      { name: "other", in: ["tags"], note: "the CAFE\u0301\nis closed", tags: ["Needle"] },
    ]);
    await box.fails(["find", "", ...box.key], "usage", 2);
    const { out } = await box.ok(["audit", "ls", "--op", "secret.read", ...box.key]);
    assert.doesNotMatch(out, /secret\.read/);
  });
});

Deno.test("coffer audit-passwords tells of weak, reused, expired and old ones, and shows no value", async () => {
  await sandbox(async (box) => {
    await box.init();
    const strong = "kQ7#zR!m2wLp-vT9";
    await set(box, "fine", strong, "--type", "password");
    await set(box, "db/port", "5432");
    await set(box, "blob/key", Uint8Array.of(0xff, 0xfe));
    assert.deepEqual(await box.json(["audit-passwords", ...box.key]), {
      ok: true,
      checked: 1,
      weak: [],
      reused: [],
      expired: [],
      old: [],
    });
    assert.equal((await box.ok(["audit-passwords", ...box.key])).out, "ok: 1 password checked\n");

    await set(box, "db/password", `${strong}\n`);
    await set(box, "weak", "hunter2", "--type", "passphrase");
    await set(box, "gone", "x", "--expires", "2020-01-01");
    const { code, out, err } = await box.run(["--json", "audit-passwords", ...box.key]);
    assert.equal(code, 1);
    assert.equal(JSON.parse(err).error.code, "problems-found");
    const { weak, ...rest } = JSON.parse(out);
    assert.deepEqual(rest, { ok: false, checked: 3, reused: [["db/password", "fine"]], expired: ["gone"], old: [] });
    assert.deepEqual(weak.map(({ name }: { name: string }) => name), ["weak"]);
    const text = await box.run(["audit-passwords", ...box.key]);
    assert.match(text.out, /^weak: weak \(about \d+ bits\)\nreused: db\/password, fine\nexpired: gone \(2020-01-01 /);
    for (const shown of [out, err, text.out, text.err]) assert.doesNotMatch(shown, /hunter2|kQ7|5432/);
    const all = await box.run(["--json", "audit-passwords", "--all", ...box.key]);
    assert.equal(JSON.parse(all.out).checked, 5);
    const noted = await box.json(["audit", "ls", "--op", "secret.read", "--name", "weak", ...box.key]);
    assert.equal(noted.length, 3);
  });
});

Deno.test("coffer copy needs a terminal, and says so before it opens the vault", async () => {
  await sandbox(async (box) => {
    await box.fails(["copy", "a"], "usage", 2);
    await box.fails(["copy", "a", "--for", "0"], "usage", 2);
    await box.fails(["copy", "a", "--for", "86401"], "usage", 2);
  });
});
