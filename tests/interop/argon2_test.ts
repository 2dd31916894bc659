import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { hashPassword, verifyPassword } from "../../lib/auth/phc.ts";

/** Parameters of hashes that the program makes: the default of coffer, the program's own, several lanes. */
const PARAMETERS = [
  { memory: 19 * 1024, passes: 2, lanes: 1 },
  { memory: 4096, passes: 3, lanes: 1 },
  { memory: 67, passes: 2, lanes: 4 },
] as const;
const PASSWORDS = ["correct horse battery staple", "p\u00e4ssw\u00f6rd \u{1f511}", "\u00b2 and \u2026"];
const SALT = "sixteen bytes ok";

const missing = !await hasProgram();
if (missing) {
  // deno-lint-ignore no-console
  console.warn("SKIPPED: PHC strings of the argon2 program; install the package argon2 to run it");
}

Deno.test({
  name: `verifyPassword() fits what the argon2 program prints${missing ? " (SKIPPED)" : ""}`,
  ignore: missing,
  async fn() {
    for (const parameters of PARAMETERS) {
      for (const password of PASSWORDS) {
        const printed = await argon2(password, parameters);
        assert.ok(await verifyPassword(password, printed), printed);
        assert.ok(!await verifyPassword(`${password}?`, printed), printed);
      }
      const ours = await hashPassword(PASSWORDS[0]!, { ...parameters, salt: encodeUtf8(SALT), allowWeakKdf: true });
      assert.equal(ours, await argon2(PASSWORDS[0]!, parameters));
    }
  },
});

async function argon2(password: string, { memory, passes, lanes }: typeof PARAMETERS[number]): Promise<string> {
  const args = [SALT, "-id", "-k", `${memory}`, "-t", `${passes}`, "-p", `${lanes}`, "-l", "32", "-e"];
  const child = new Deno.Command("argon2", { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(encodeUtf8(password));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout).trim();
}

async function hasProgram(): Promise<boolean> {
  try {
    await new Deno.Command("argon2", { args: ["-h"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
