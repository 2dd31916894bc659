import assert from "node:assert/strict";
import { trace } from "../../lib/cli/debug.ts";
import { CofferError } from "../../lib/errors.ts";
import { type RunOptions, type Sandbox, sandbox, WEAK } from "./coffer.ts";

const PAGE = 4096;
const PASSPHRASE = "hunter2-the-passphrase";
const VALUE = "hunter2-the-value";

function debugging(box: Sandbox, env: Record<string, string> = {}): RunOptions {
  return { env: { COFFER_DEBUG: "1", ...env }, permissions: [...box.permissions(), "--allow-env"] };
}

Deno.test("COFFER_DEBUG tells where an error was thrown, and nothing of passphrases, values or keys", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", PASSPHRASE)];
    const { recoveryCode } = await box.json(["init", ...pass, ...WEAK]);
    const { certificate } = await box.json(["slot", "add", "--kind", "certificate", ...pass]);
    await box.ok(["set", "a", "--stdin", ...pass], { stdin: VALUE });
    const whole = Deno.readFileSync(box.vault);
    const halfCode = recoveryCode.split(" ").slice(0, 23).join(" ");
    const cases: readonly (readonly [readonly string[], Record<string, string>])[] = [
      [["get", "a"], { COFFER_PASSPHRASE: `${PASSPHRASE}!` }],
      [["get", "a"], { COFFER_PASSPHRASE: PASSPHRASE, COFFER_CERTIFICATE: certificate }],
      [["get", "a"], { COFFER_CERTIFICATE: `${certificate.slice(0, 40)} ${PASSPHRASE}` }],
      [["get", "a", "--keyfile", box.path("pass")], {}],
      [["get", "a", "--recovery-file", box.file("half", `${halfCode} ${PASSPHRASE}`)], {}],
      [["get", "a", "--recovery-file", box.file("code", `${halfCode} hunter2`)], {}],
      [["get", `${VALUE}\n`, ...pass], {}],
      [["set", "a", VALUE, ...pass], {}],
      [["set", "a", "--value", VALUE, "--expires", VALUE, ...pass], {}],
      [["set", "a", "--value", VALUE, "--note", `${VALUE}\u0007`, ...pass], {}],
      [["set", "a", "--value", VALUE, "--timeout", VALUE, ...pass], {}],
      [["init", "--vault", "new", "--label", PASSPHRASE.repeat(9), ...pass], {}],
      [["slot", "rm", VALUE, ...pass], {}],
    ];
    // What is told of a wrong recovery code may name none of its words.
    const words = new RegExp(
      `${recoveryCode.split(" ").slice(0, 4).join(" ")}|${recoveryCode.split(" ").slice(-4).join(" ")}`,
    );
    const clean = async (args: readonly string[], env: Record<string, string>) => {
      const { code, out, err } = await box.run(args, debugging(box, env));
      assert.notEqual(code, 0, args.join(" "));
      assert.match(err, /^coffer: debug: \w+ \([a-z-]+\)[^\n]*\n {4}at /m, args.join(" "));
      assert.doesNotMatch(out + err, /hunter2/, args.join(" "));
      assert.doesNotMatch(out + err, words, args.join(" "));
      assert.ok(!(out + err).includes(certificate.slice(0, 16)), args.join(" "));
    };
    for (const [args, env] of cases) await clean(args, env);
    // Damage of every kind: each page in turn, in the middle and at its end.
    box.damaged = true;
    for (let page = 0; page * PAGE < whole.length && page < 6; page++) {
      const damaged = whole.slice();
      damaged.fill(0x7b, 0, 2 * PAGE * Number(page === 0));
      crypto.getRandomValues(damaged.subarray(page * PAGE, (page + 1) * PAGE));
      Deno.writeFileSync(box.vault, damaged);
      const { out, err } = await box.run(["get", "a"], debugging(box, { COFFER_PASSPHRASE: PASSPHRASE }));
      assert.doesNotMatch(err, /hunter2/);
      assert.ok(out === VALUE || err.includes("coffer: debug: "), `page ${page}`);
    }
  });
});

Deno.test("COFFER_DEBUG is silent where nothing fails, and without it an error has no trace", async () => {
  await sandbox(async (box) => {
    await box.init();
    assert.equal((await box.ok(["ls", ...box.key], debugging(box))).err, "");
    assert.doesNotMatch((await box.run(["get", "a", ...box.key])).err, /debug/);
    const json = (await box.run(["get", "a", "--json", ...box.key], debugging(box))).err.split("\n");
    assert.equal(JSON.parse(json[0]!).error.code, "secret-not-found");
    assert.match(json[1]!, /^coffer: debug: SecretNotFoundError \(secret-not-found\): No secret named "a"$/);
  });
});

Deno.test("trace() tells of foreign errors their class, code and places, and of all causes, but no message", () => {
  const secret = "hunter2\n    at hunter2 (hunter2:1:1)";
  const foreign = Object.assign(new SyntaxError(secret), { code: "ENOENT", cause: `text: ${secret}` });
  const lines = trace(new CofferError("unexpected", "Unexpected\u001b failure", { cause: foreign })).split("\n");
  assert.match(lines[0]!, /^coffer: debug: CofferError \(unexpected\): Unexpected\\u\{1b\} failure$/);
  assert.match(lines[1]!, /^ {4}at .*debug_test\.ts/);
  assert.ok(lines.includes("coffer: debug: caused by SyntaxError (ENOENT)"));
  assert.ok(lines.includes("coffer: debug: caused by string"));
  assert.ok(lines.every((line) => !line.includes("hunter2")), lines.join("\n"));
  const circle = new TypeError("hunter2");
  circle.cause = circle;
  assert.ok(trace(circle).split("caused by").length < 10);
  const changed = new RangeError("hunter2");
  assert.match(changed.stack!, /hunter2/);
  changed.message = "something else";
  assert.equal(trace(changed), "coffer: debug: RangeError\n");
});
