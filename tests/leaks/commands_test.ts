/**
 * Secrets that go through commands turn up on stdout where they were asked for, and nowhere else: not on stderr with every
 * log and trace switched on, not in a file or a temporary one, not in what other users see of a process.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Sandbox, sandbox, WEAK } from "../cli/coffer.ts";
import { assertFolderFree, assertFree, type Needle, needle } from "./needles.ts";

const VALUE = "leak-value-5bVqUvP0";
const OLD_VALUE = "leak-old-value-93kdLwQz";
const PASSPHRASE = "leak-passphrase-Kq77xUwe";
const NEXT_PASSPHRASE = "leak-next-passphrase-Hj20";
const WRONG_PASSPHRASE = "leak-wrong-passphrase-Op55";

/** Everything that tells more than it must is switched on. */
const LOUD = ["--verbose", "--log-format", "json"];

/** One command: what it is given, what it may show on stdout, and whether it must fail. */
interface Step {
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Names of the secrets that were asked for. */
  readonly shows?: readonly string[];
  readonly fails?: true;
}

/**
 * What other users of the machine may see of a process: its arguments, and, if it is theirs, its environment. Another
 * program reads it, since Deno gives `/proc` to nobody without all permissions.
 */
async function processOf(pid: number): Promise<string> {
  const files = ["cmdline", "environ"].map((name) => `/proc/${pid}/${name}`);
  const { stdout } = await new Deno.Command("cat", { args: files, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

class Watch {
  readonly needles: Needle[] = [];
  commands = 0;
  processes = 0;

  constructor(readonly box: Sandbox) {}

  also(name: string, secret: string): void {
    this.needles.push(needle(name, secret));
  }

  /** Runs a command, looks at its process while it runs, and at all that it has left. */
  async run({ args, stdin, shows = [], fails }: Step): Promise<string> {
    const { box, needles } = this;
    const what = `coffer ${args.join(" ")}`;
    const child = box.spawn([...LOUD, ...args], {
      permissions: [...box.permissions(), "--allow-env", "--allow-run=true"],
      env: { COFFER_DEBUG: "1", TMPDIR: box.path("tmp") },
      ...(stdin === undefined ? {} : { stdin }),
    });
    const seen: string[] = [];
    let done = false;
    const looking = (async () => {
      while (Deno.build.os === "linux" && !done) {
        seen.push(await processOf(child.pid));
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    })();
    const output = child.output().finally(() => done = true);
    if (stdin !== undefined) {
      // It waits for this: by now it has its arguments and its environment for sure.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    }
    const { code, stdout, stderr } = await output;
    await looking;
    const [out, err] = [new TextDecoder().decode(stdout), new TextDecoder().decode(stderr)];
    assert.equal(code !== 0, fails === true, `${what}: ${err}`);
    for (const one of needles) if (!shows.includes(one.name)) assertFree(out, [one], `stdout of ${what}`);
    assertFree(err, needles, `stderr of ${what}`);
    assertFree(seen.join("\n"), needles, `the process of ${what}`);
    if (Deno.build.os === "linux") assert.ok(seen.some((text) => text.includes("cli.ts")), "a process was seen");
    this.commands++;
    this.processes += seen.filter((text) => text.length > 1).length;
    return out;
  }
}

Deno.test("coffer leaves no secret in files, on stderr, in its log, its traces or its processes", () =>
  sandbox(async (box) => {
    Deno.mkdirSync(box.path("tmp"));
    const watch = new Watch(box);
    const given: Record<string, string> = {
      "value": VALUE,
      "old value": OLD_VALUE,
      "passphrase": PASSPHRASE,
      "next passphrase": NEXT_PASSPHRASE,
      "wrong passphrase": WRONG_PASSPHRASE,
    };
    for (const [name, secret] of Object.entries(given)) watch.also(name, secret);
    const pass = ["--passphrase-file", box.file("pass", PASSPHRASE)];
    const next = ["--passphrase-file", box.file("next", NEXT_PASSPHRASE)];
    const wrong = ["--passphrase-file", box.file("wrong", WRONG_PASSPHRASE)];
    box.file("old", OLD_VALUE);
    box.file("dotenv", `IMPORTED=${VALUE}\n`);
    box.file("broken.json", `{"a": "${VALUE}", "b": ["${VALUE}"`);
    box.file("template", "password = coffer://name\n");
    // Files that are meant to hold a secret, each made by whoever asked for it.
    const meant = new Set([
      "pass",
      "next",
      "wrong",
      "old",
      "code",
      "key",
      "out",
      "half",
      "certificate",
      "dotenv",
      "broken.json",
      "filled",
    ]);

    const recovery = await watch.run({ args: ["init", ...pass, ...WEAK, "--no-confirm"] });
    watch.also("recovery code", recovery.trim());
    const certificate = JSON.parse(
      await watch.run({ args: ["slot", "add", "--kind", "certificate", "--json", ...pass] }),
    );
    watch.also("certificate", certificate.certificate);
    box.file("certificate", certificate.certificate);
    box.file("half", `${recovery.trim().split(" ").slice(0, 23).join(" ")} zoo`);
    watch.also("most of a recovery code", recovery.trim().split(" ").slice(0, 12).join(" "));
    await watch.run({ args: ["slot", "add", "--kind", "recovery", "--out", "code", ...pass] });
    watch.also("second code", Deno.readTextFileSync(box.path("code")).trim());

    const steps: readonly Step[] = [
      { args: ["set", "name", "--file", "old", "--note", "n", "--tag", "t", ...pass] },
      { args: ["set", "name", "--stdin", ...pass], stdin: VALUE },
      { args: ["set", "json", "--stdin", "--json", ...pass], stdin: VALUE },
      { args: ["get", "name", ...pass], shows: ["value"] },
      { args: ["get", "name", "--json", ...pass], shows: ["value"] },
      { args: ["get", "name", "--out", "out", ...pass] },
      { args: ["ls", "--json", ...pass] },
      { args: ["history", "name", "--json", ...pass] },
      { args: ["meta", "name", "--note", "other", "--json", ...pass] },
      { args: ["mv", "json", "moved", "--json", ...pass] },
      { args: ["restore-version", "name", "1", "--json", ...pass] },
      { args: ["rm", "moved", "--yes", "--json", ...pass] },
      { args: ["status", "--unlock", "--json", ...pass] },
      { args: ["check", "--deep", "--json", ...pass] },
      { args: ["audit", "ls", "--json", ...pass] },
      { args: ["slot", "ls", "--json", ...pass] },
      { args: ["recovery", "verify", "--json", "--recovery-file", "code"] },
      { args: ["anchor", "status", "--json", ...pass] },
      { args: ["policy", "ls", "--json", ...pass] },
      { args: ["backup", "backup", "--json", ...pass] },
      { args: ["salvage", "salvaged", "--json", ...pass, ...WEAK] },
      { args: ["repair", "--dry-run", "--json", ...pass] },
      { args: ["get", "name", "--certificate-file", "certificate"], shows: ["old value"] },
      { args: ["import", "dotenv", "--format", "dotenv", "--dry-run", "--json", ...pass] },
      { args: ["import", "dotenv", "--format", "dotenv", "--json", ...pass] },
      { args: ["export", "--out", "all.age", "--new-passphrase-file", "next", "--json", ...pass] },
      { args: ["inject", "-i", "template", "--check", "--json", ...pass] },
      { args: ["inject", "-i", "template", ...pass], shows: ["old value"] },
      { args: ["inject", "-i", "template", "-o", "filled", "--json", ...pass] },
      { args: ["run", "--env", "A=IMPORTED", "--stdin", "name", ...pass, "--", "true"] },
      { args: ["run", "--file", "A=IMPORTED", "--redact", ...pass, "--", "true"] },
      { args: ["find", "name", "--json", ...pass] },
      { args: ["generate", "made", "--json", ...pass] },
      // What goes wrong.
      { args: ["get", "name", ...wrong], fails: true },
      { args: ["get", "name", "--json", ...wrong], fails: true },
      { args: ["get", "name", "--keyfile", "pass"], fails: true },
      { args: ["get", "name", "--recovery-file", "half"], fails: true },
      { args: ["get", "name", "--recovery-file", "pass"], fails: true },
      { args: ["get", "name", "--certificate-file", "pass"], fails: true },
      { args: ["get", "none", ...pass], fails: true },
      { args: ["import", "broken.json", "--json", ...pass], fails: true },
      { args: ["import", "old", "--format", "csv", ...pass], fails: true },
      { args: ["otp", "name", ...pass], fails: true },
      { args: ["audit-passwords", "--json", ...pass] },
      { args: ["run", "--env", "A=IMPORTED", "--env", "B=none", ...pass, "--", "true"], fails: true },
      { args: ["set", "name", "--stdin", "--expires", "never", ...pass], stdin: VALUE, fails: true },
      { args: ["get", "name", "--out", "out", ...pass], fails: true },
      { args: ["get", "name", "--out", "/nowhere/out", ...pass], fails: true },
      { args: ["passwd", "--new-passphrase-file", "next", "--json", ...pass, ...WEAK] },
      { args: ["get", "name", ...pass], fails: true },
      { args: ["restore", "backup", "--yes", "--json", ...pass], fails: true },
      { args: ["restore", "backup", "--yes", "--rollback", "--json", ...pass] },
    ];
    for (const step of steps) await watch.run(step);
    const rotated = JSON.parse(await watch.run({ args: ["rotate", "--drop-others", "--json", ...pass] }));
    watch.also("code of the rotation", rotated.recoveryCode);
    await watch.run({ args: ["set", "name", "--file", "old", "--json", ...pass] });

    // Damage, with every trace.
    const whole = Deno.readFileSync(box.vault);
    const anchor = Deno.readFileSync(`${box.vault}.anchor`);
    for (const page of [0, 1, 2, 3]) {
      const damaged = whole.slice();
      Deno.writeFileSync(`${box.vault}.anchor`, anchor);
      crypto.getRandomValues(damaged.subarray(page * 4096, page * 4096 + 4096));
      Deno.writeFileSync(box.vault, damaged);
      const { out, err } = await box.run(["get", "name", ...pass, ...LOUD], {
        permissions: [...box.permissions(), "--allow-env"],
        env: { COFFER_DEBUG: "1" },
      });
      assertFree(err, watch.needles, `page ${page} is damaged: stderr`);
      assertFree(
        out,
        watch.needles.filter(({ name }) => name !== "old value" && name !== "value"),
        `page ${page}: stdout`,
      );
    }
    Deno.writeFileSync(box.vault, whole);
    Deno.writeFileSync(`${box.vault}.anchor`, anchor);
    await watch.run({ args: ["check", "--deep", "--json", ...pass] });

    const files = assertFolderFree(box.folder, watch.needles, meant);
    assert.equal(Deno.readTextFileSync(box.path("out")), VALUE);
    assert.deepEqual([...Deno.readDirSync(box.path("tmp"))], []);
    await watch.run({ args: ["get", "name", ...next], fails: true });
    // deno-lint-ignore no-console
    console.info(
      `leaks: ${watch.needles.length} secrets, ${watch.commands} commands, ${watch.processes} looks at their processes, ` +
        `${files} files`,
    );
  }));

Deno.test("coffer repeats no value, passphrase or code that stands in the wrong place of its arguments", () =>
  sandbox(async (box) => {
    await box.init();
    const needles = [needle("value", VALUE)];
    const misplaced: readonly (readonly string[])[] = [
      ["set", "name", VALUE],
      ["set", "name", "--value"],
      ["set", "name", "--value", "v", "--expires", VALUE],
      ["set", "name", "--value", "v", "--timeout", VALUE],
      ["get", "name", "--version", VALUE],
      ["get", "name", "--log-format", VALUE],
      ["slot", "rm", VALUE],
      ["slot", "add", "--kind", VALUE],
      ["restore-version", "name", VALUE],
      ["policy", "set", "audit-reads", VALUE],
      ["audit", "ls", "--since", VALUE],
      ["init", "--kdf-memory", VALUE],
      ["generate", "--classes", VALUE],
      ["copy", "name", "--for", VALUE],
      ["run", "--env", VALUE, "--", "true"],
      ["run", "--env", `${VALUE}=name`, "--", "true"],
      ["import", "file", "--format", VALUE],
      ["completions", VALUE],
    ];
    for (const args of misplaced) {
      const { code, out, err } = await box.run([...args, ...LOUD, ...box.key], {
        permissions: [...box.permissions(), "--allow-env"],
        env: { COFFER_DEBUG: "1" },
      });
      assert.notEqual(code, 0, args.join(" "));
      assertFree(out + err, needles, args.slice(0, 2).join(" "));
    }
  }));
