import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { COMMANDS as ROOT } from "../../lib/cli/commands.ts";
import { type CommandHelp, helpDocument } from "../../lib/cli/help.ts";
import { parse } from "../../lib/cli/parser.ts";
import { sandbox } from "./coffer.ts";

const COMMANDS = [
  "init",
  "set",
  "get",
  "ls",
  "rm",
  "mv",
  "history",
  "restore-version",
  "meta",
  "run",
  "inject",
  "generate",
  "edit",
  "copy",
  "otp",
  "find",
  "audit-passwords",
  "export",
  "import",
  "status",
  "check",
  "doctor",
  "repair",
  "salvage",
  "passwd",
  "slot ls",
  "slot add",
  "slot rm",
  "rotate",
  "backup",
  "restore",
  "recovery new",
  "recovery verify",
  "anchor status",
  "anchor trust",
  "anchor move",
  "audit ls",
  "audit prune",
  "policy ls",
  "policy set",
  "bootstrap",
  "user add",
  "user ls",
  "user show",
  "user passwd",
  "user role",
  "user enable",
  "user disable",
  "user rm",
  "user scram",
  "key add",
  "key ls",
  "key revoke",
  "key check",
  "login",
  "session verify",
  "session revoke",
  "sign",
  "verify",
  "certificate rotate",
  "reddb bootstrap",
  "reddb show",
  "reddb export",
  "reddb unseal",
  "reddb set",
  "reddb rm",
  "reddb import",
  "reddb write",
  "reddb check",
  "completions",
];

Deno.test("coffer --version prints the version of deno.json, without any permission", async () => {
  await sandbox(async (box) => {
    for (const flag of ["--version", "-v"]) {
      assert.equal((await box.ok([flag], { permissions: [] })).out, `${config.version}\n`);
    }
    assert.deepEqual(await box.json(["--version"]), { version: config.version });
  });
});

Deno.test("coffer help tells of every command on stdout, without any permission", async () => {
  await sandbox(async (box) => {
    const { out, err } = await box.ok(["help"], { permissions: [] });
    for (const command of COMMANDS) assert.match(out, new RegExp(`\\b${command.split(" ")[0]}\\b`));
    assert.equal(err, "");
    assert.equal((await box.ok(["--help"])).out, out);
  });
});

/** Commands of each shape, which are asked as users ask; what is said of the others is made by the same code. */
const ASKED = ["get", "slot add", "reddb import"];

Deno.test("coffer help COMMAND, COMMAND --help and -h say the same, as text and with --json, without any permission", async () => {
  await sandbox(async (box) => {
    for (const command of ASKED) {
      const words = command.split(" ");
      const text = await parse(ROOT, [...words, "--help"]);
      const document = JSON.parse(JSON.stringify(await helpDocument(words)));
      for (const args of [["help", ...words], [...words, "--help"], [...words, "-h"]]) {
        assert.equal((await box.ok(args, { permissions: [] })).out, text);
        assert.deepEqual(await box.json(args, { permissions: [] }), document);
      }
    }
  });
});

Deno.test("coffer help --json lists every command by all words of its name", async () => {
  await sandbox(async (box) => {
    const { usage, brief, commands } = await box.json(["help"], { permissions: [] });
    assert.deepEqual([usage, brief], ["coffer <COMMAND>", "Keep secrets in one encrypted file."]);
    assert.deepEqual(commands.map(({ name }: { name: string }) => name), COMMANDS);
    const slot = await box.json(["help", "slot"], { permissions: [] });
    assert.deepEqual([slot.command, slot.usage, slot.commands.length], ["slot", "coffer slot <COMMAND>", 3]);
    assert.deepEqual(await box.json(["--help"]), { usage, brief, commands });
    await box.fails(["help", "lst"], "usage", 2, { permissions: [] });
  });
});

Deno.test("coffer COMMAND --help --json describes arguments and flags, and agrees with the text", async () => {
  for (const command of COMMANDS) {
    const words = command.split(" ");
    const document = await helpDocument(words) as CommandHelp;
    const out = await parse(ROOT, [...words, "--help"]);
    assert.match(out, /^USAGE/);
    assert.match(out, /JSON: /);
    assert.match(out, /--passphrase-file/);
    assert.equal(document.command, command);
    assert.ok(out.includes(document.description));
    for (const { name } of document.arguments) assert.ok(document.usage.includes(`<${name}>`), document.usage);
    for (const { name, brief, value } of document.flags) {
      const line = out.split("\n").find((line) => line.includes(`[${name}]`))!;
      assert.ok(line.endsWith(` ${value === undefined ? "" : `${value}: `}${brief}`), line);
    }
    assert.equal(out.match(/^ +\[--/gm)!.length, document.flags.length);
    const shown = out.split("\nEXAMPLES\n")[1]!.trimEnd().split("\n").map((line) => line.replace(/ +/g, " "));
    assert.deepEqual(
      shown,
      document.examples.map(({ line, brief }) => ` ${line}${brief === undefined ? "" : ` ${brief}`}`),
    );
  }
  await sandbox(async (box) => {
    const set = await box.json(["set", "--help"]);
    assert.equal(set.usage, "coffer set <NAME>");
    assert.deepEqual(set.arguments, [{ name: "NAME", brief: "Name of the secret", optional: false, repeated: false }]);
    const tag = set.flags.find(({ name }: { name: string }) => name === "--tag");
    assert.deepEqual([tag.value, tag.repeated], ["TAG", true]);
    assert.equal((await box.json(["ls", "--help"])).usage, "coffer ls [<PATTERN>]");
    assert.equal((await box.json(["rm", "--help"])).usage, "coffer rm <NAME>...");
  });
});

Deno.test("coffer without a command, or with half of one, exits 2 and helps on stderr", async () => {
  await sandbox(async (box) => {
    for (const args of [[], ["slot"], ["--vault", "x"]]) {
      const { code, out, err } = await box.run(args);
      assert.deepEqual({ code, out }, { code: 2, out: "" });
      assert.match(err, /USAGE[\s\S]*coffer: error: No command was given\ncoffer: hint: /);
    }
    await box.fails([], "usage", 2);
  });
});

/** Arguments, and what the message has to say. None of them gets as far as looking for a vault. */
const USAGE: readonly (readonly [readonly string[], RegExp])[] = [
  [["gte"], /Unknown command "gte"/],
  [["slot", "lst"], /Unknown command "lst"/],
  [["toString"], /Unknown command/],
  [["slot", "constructor"], /Unknown command/],
  [["get"], /Missing argument NAME/],
  [["get", "a", "b"], /Too many arguments, expected 1/],
  [["get", "a", "--frob"], /Unknown flag --frob/],
  [["get", "a", "--constructor"], /Unknown flag --constructor/],
  [["get", "a", "-x"], /Unknown flag -x/],
  [["--frob", "get", "a"], /Unknown flag --frob before the command/],
  [["--out", "f", "get", "a"], /Unknown flag --out before the command/],
  [["get", "a", "--out"], /--out needs a value/],
  [["get", "a", "--out", "--overwrite"], /--out needs a value/],
  [["get", "a", "--overwrite"], /--overwrite needs --out/],
  [["get", "a", "--overwrite=yes"], /--overwrite takes no value/],
  [["get", "a", "--version", "0"], /--version must be a whole number from 1/],
  [["get", "a", "--version", "1.5"], /--version must be a whole number from 1/],
  [["get", "a", "--version", "1", "--version", "2"], /--version was given more than once/],
  [["get", "a", "--vault", ""], /path of the vault is empty/],
  [["get", "a", "--timeout", "soon"], /--timeout must be a number/],
  [["get", "a", "--timeout=-1"], /--timeout must be a number/],
  [["set", "a", "value"], /Too many arguments, expected 1/],
  [["set", "a"], /No value was given, and stdin is not a terminal/],
  [["set", "a", "--stdin", "--value", "v"], /--stdin and --value cannot be used together/],
  [["set", "a", "--stdin", "--file", "f"], /--stdin and --file cannot be used together/],
  [["set", "a", "--stdin", "--passphrase-file", "-"], /stdin cannot be read for both/],
  [["set", "a", "--value", "v", "--expires", "soon"], /neither a date nor a time from now/],
  [["set", "a", "--value", "v", "--expires", "2027-02-30"], /neither a date nor a time from now/],
  [["rm"], /Missing argument NAME|Expected at least/],
  [["mv", "a"], /Missing argument TO/],
  [["meta", "a", "--note", "x", "--no-note"], /--note and --no-note cannot be used together/],
  [["meta", "a", "--tag", "x", "--add-tag", "y"], /--tag and --add-tag cannot be used together/],
  [["restore-version", "a", "one"], /N must be a whole number from 1/],
  [["slot", "add"], /--kind is missing/],
  [["slot", "add", "--kind", "card"], /--kind must be one of passphrase, recovery, keyfile, certificate/],
  [["slot", "add", "--kind", "keyfile"], /--kind keyfile needs --new-keyfile/],
  [["slot", "add", "--kind", "recovery", "--new-keyfile", "f"], /--new-keyfile does not go with --kind recovery/],
  [["slot", "rm", "first"], /ID must be a whole number from 1/],
  [["init", "--no-recovery", "--recovery-out", "f"], /--no-recovery and --recovery-out cannot be used together/],
  [["init", "--recovery-file", "f"], /begins with a passphrase or a key file/],
  [["completions", "csh"], /SHELL must be one of bash, zsh, fish/],
  [["ls", "--", "--long", "x"], /Too many arguments, expected 1/],
];

Deno.test("coffer refuses arguments that make no sense with exit 2, before it looks for a vault", async () => {
  await sandbox(async (box) => {
    await Promise.all(USAGE.map(async ([args, message]) => {
      const { err } = await box.fails(args, "usage", 2);
      assert.match(JSON.parse(err).error.message, message, args.join(" "));
    }));
    assert.deepEqual([...Deno.readDirSync(box.folder)], []);
  });
});

/** Arguments that make no sense, and what the hint has to say. */
const USAGE_HINTS: readonly (readonly [readonly string[], RegExp])[] = [
  [["get", "a", "--pasphrase-file", "f"], /^Did you mean --passphrase-file\?$/],
  [["get", "a", "--constructor"], /--help/],
  [["set", "a", "value"], /A value is no argument/],
  [["inject", "t.tpl"], /--in, or -i/],
  [["session", "verify", "token"], /on stdin, or its file with --file/],
  [["run", "--env", "X=y", "sh", "-c", "true"], /^Put -- before the command/],
  [["run", "sh", "--frobnicate"], /^Put -- before the command/],
  [["list"], /^Did you mean ls\?$/],
  [["delete", "a"], /^Did you mean rm\?$/],
  [["remove", "a"], /^Did you mean rm\?$/],
  [["add", "a"], /^Did you mean set\?$/],
  [["rename", "a", "b"], /^Did you mean mv\?$/],
  [["version"], /^Did you mean --version\?$/],
  [["slot", "delete"], /^Did you mean rm\?$/],
  [["key", "delete"], /^Did you mean revoke\?$/],
  [["constructor"], /coffer help/],
];

Deno.test("coffer hints at what was meant by arguments that make no sense", async () => {
  await sandbox(async (box) => {
    await Promise.all(USAGE_HINTS.map(async ([args, hint]) => {
      const { err } = await box.fails(args, "usage", 2);
      assert.match(JSON.parse(err).error.hint, hint, args.join(" "));
    }));
  });
});

Deno.test("coffer refuses bad names, tags and notes with exit 2, before it looks for a vault", async () => {
  await sandbox(async (box) => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["get", ""], "invalid-name"],
      [["get", "a\nb"], "invalid-name"],
      [["get", "e\u0301"], "invalid-name"],
      [["set", "x".repeat(513), "--value", "v"], "invalid-name"],
      [["rm", "good", "bad\u0007"], "invalid-name"],
      [["mv", "good", ""], "invalid-name"],
      [["ls", "[".repeat(3000)], "invalid-name"],
      [["set", "a", "--value", "v", "--tag", ""], "invalid-metadata"],
      [["set", "a", "--value", "v", "--note", "n".repeat(4097)], "invalid-metadata"],
      [["meta", "a", "--add-tag", "x\u001b"], "invalid-metadata"],
      [["init", "--new-keyfile", "k", "--label", "l".repeat(33)], "invalid-metadata"],
    ];
    await Promise.all(cases.map(async ([args, code]) => await box.fails(args, code, 2)));
    assert.deepEqual([...Deno.readDirSync(box.folder)], []);
  });
});

Deno.test("coffer keeps a value that was typed as a superfluous argument out of the message", async () => {
  await sandbox(async (box) => {
    for (const args of [["set", "a", "hunter2"], ["set", "a", "--value", "x", "--value", "hunter2"]]) {
      assert.doesNotMatch((await box.run(args)).err, /hunter2/);
    }
  });
});

Deno.test("coffer takes global flags before and after the command, and flags with an equals sign", async () => {
  await sandbox(async (box) => {
    await box.init();
    const [flag, path] = box.key as [string, string];
    await box.ok([flag, path, "set", "a", "--value=x=y"]);
    for (
      const args of [
        [flag, path, "--vault", box.vault, "get", "a"],
        [`${flag}=${path}`, "get", `--vault=${box.vault}`, "a"],
        ["get", "a", flag, path],
        ["get", flag, path, "--", "a"],
      ]
    ) assert.equal((await box.ok(args)).out, "x=y");
    assert.equal((await box.json(["--vault", "vault.coffer", "slot", flag, path, "ls"])).length, 1);
  });
});

Deno.test("coffer takes values that are empty, look like flags or have several lines", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const value of ["", "-x", "--json", "-----BEGIN KEY-----\nabc\n", "=", "a\nb=c"]) {
      await box.ok(["set", "a", `--value=${value}`, ...box.key]);
      assert.equal((await box.ok(["get", "a", ...box.key])).out, value);
    }
    await box.ok(["set", "a", "--value", "-x", ...box.key]);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "-x");
  });
});

Deno.test("coffer takes names that begin with a dash behind --", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "--value", "v", ...box.key, "--", "--odd"]);
    assert.equal((await box.ok(["get", ...box.key, "--", "--odd"])).out, "v");
    await box.fails(["get", ...box.key, "--odd"], "usage", 2);
  });
});
