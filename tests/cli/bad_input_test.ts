import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type RunOptions, type Sandbox, sandbox, WEAK } from "./coffer.ts";

const PAGE = 4096;

/** Commands that open a vault; each must refuse a bad one in the same way, and change nothing. */
const COMMANDS: readonly (readonly string[])[] = [
  ["get", "a"],
  ["set", "a", "--value", "v"],
  ["ls"],
  ["rm", "a"],
  ["status"],
  ["check"],
  ["slot", "ls"],
  ["slot", "add", "--kind", "recovery"],
];

/** Refuses a vault with every command, and compares the file before and after. */
async function refused(box: Sandbox, code: string, exit: number): Promise<void> {
  const before = Deno.readFileSync(box.vault);
  for (const args of COMMANDS) await box.fails([...args, ...box.key], code, exit);
  assert.deepEqual(Deno.readFileSync(box.vault), before);
}

/** Changes a meta page and makes its digest fit again. */
function forgeMetaPage(box: Sandbox, number: 0 | 1, change: (page: DataView) => void): void {
  const file = Deno.readFileSync(box.vault);
  const page = file.subarray(number * PAGE, (number + 1) * PAGE);
  change(new DataView(page.buffer, page.byteOffset, PAGE));
  page.fill(0, 16, 48);
  page.set(createHash("sha256").update(page).digest(), 16);
  Deno.writeFileSync(box.vault, file);
}

/** Number of a page that sealed bytes fill; only a large value makes such pages. */
function fullPage(file: Uint8Array): number {
  for (let page = 2; page * PAGE < file.length; page++) {
    const zeros = file.subarray(page * PAGE, (page + 1) * PAGE).filter((byte) => byte === 0).length;
    if (zeros < 100) return page;
  }
  throw new Error("There is no full page");
}

Deno.test("coffer refuses what is not a vault with a code of its own, and leaves it as it is", async (t) => {
  const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["an empty file", "", "empty-file"],
    ["a text file", "not a vault, but long enough to be one\n".repeat(1000), "not-a-vault"],
    ["a short text file", "hello\n", "not-a-vault"],
    ["random bytes", crypto.getRandomValues(new Uint8Array(3 * PAGE)), "not-a-vault"],
  ];
  for (const [name, contents, code] of cases) {
    await t.step(name, () =>
      sandbox(async (box) => {
        box.file("key", "k".repeat(32));
        box.file("vault.coffer", contents);
        await refused(box, code, 6);
      }));
  }
});

Deno.test("coffer refuses a folder in the vault's place", async () => {
  await sandbox(async (box) => {
    Deno.mkdirSync(box.vault);
    box.file("key", "k".repeat(32));
    for (const args of COMMANDS) await box.fails([...args, ...box.key], "not-a-file", 6);
    await box.fails(["init", "--keyfile", box.path("key")], "vault-exists", 10);
  });
});

Deno.test("coffer refuses a missing vault with exit 3 and makes nothing", async () => {
  await sandbox(async (box) => {
    box.file("key", "k".repeat(32));
    for (const args of COMMANDS) await box.fails([...args, ...box.key], "vault-not-found", 3);
    assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name), ["key"]);
  });
});

Deno.test("coffer refuses a vault that is cut short", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--file", box.file("value", new Uint8Array(100_000)), ...box.key]);
    box.damaged = true;
    const whole = Deno.readFileSync(box.vault);
    for (const size of [100, PAGE, 2 * PAGE, 2 * PAGE + 1, 5 * PAGE]) {
      Deno.writeFileSync(box.vault, whole.subarray(0, size));
      for (const args of COMMANDS) {
        const { code } = await box.run([...args, ...box.key, "--json"]);
        assert.equal(code, 6, `${args.join(" ")} at ${size}`);
      }
      assert.equal(Deno.statSync(box.vault).size, size);
    }
  });
});

Deno.test("coffer check names an overwritten page and exits 6, with a credential and without", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--file", box.file("value", new Uint8Array(100_000)), ...box.key]);
    // Damage in what the newest commit wrote would count as a torn commit.
    for (const value of ["1", "2"]) await box.ok(["set", "small", "--value", value, ...box.key]);
    box.damaged = true;
    const file = Deno.readFileSync(box.vault);
    const page = fullPage(file);
    crypto.getRandomValues(file.subarray(page * PAGE, (page + 1) * PAGE));
    Deno.writeFileSync(box.vault, file);
    for (const flags of [[], box.key]) {
      const { code, out, err } = await box.run(["check", "--json", ...flags]);
      assert.equal(code, 6);
      const report = JSON.parse(out);
      assert.equal(report.ok, false);
      assert.ok(report.problems.length > 0);
      assert.equal(report.problems[0].page, page);
      assert.equal(JSON.parse(err).error.code, "corrupt-vault");
    }
    const text = await box.run(["check"]);
    assert.match(text.out, /problem: .*\(page \d+\)\ndamaged\n$/);
    await box.fails(["get", "large", ...box.key], "corrupt-vault", 6);
  });
});

Deno.test("coffer status and check tell of a torn commit, and the one before it stands", async () => {
  await sandbox(async (box) => {
    await box.init("--no-recovery", "--no-anchor");
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    await box.ok(["set", "a", "--file", box.file("value", new Uint8Array(100_000)), ...box.key]);
    const file = Deno.readFileSync(box.vault);
    file[fullPage(file) * PAGE + 100]! ^= 1;
    Deno.writeFileSync(box.vault, file);
    assert.equal((await box.json(["check"])).structure.recovered, true);
    assert.match((await box.ok(["check"])).out, /^meta pages: .*; a newer commit may be lost$/m);
    const { out, err } = await box.ok(["status", "--json"]);
    assert.deepEqual([JSON.parse(out).recovered, JSON.parse(out).generation], [true, 2]);
    assert.match(err, /^coffer: warning: A meta page is torn or wiped/);
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "1");
    await box.ok(["set", "a", "--value", "2", ...box.key]);
    assert.equal((await box.json(["status"])).recovered, false);
  });
});

Deno.test("coffer refuses a vault of a future format version", async () => {
  await sandbox(async (box) => {
    await box.init();
    box.damaged = true;
    forgeMetaPage(box, 0, (page) => page.setUint16(6, 2, true));
    await refused(box, "unsupported-version", 6);
  });
});

Deno.test("coffer refuses a hostile key derivation before it computes anything", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", "p4ssphrase")];
    await box.ok(["init", "--no-recovery", ...pass, ...WEAK]);
    box.damaged = true;
    // The memory of the first slot: 4 TiB.
    forgeMetaPage(box, 0, (page) => page.setUint32(1408 + 160 + 16, 0xffff_ffff, true));
    for (const args of [["get", "a"], ["ls"], ["check"]]) await box.fails([...args, ...pass], "kdf-limit", 11);
  });
});

Deno.test("coffer refuses a vault that other users can read, unless told otherwise", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const mode of [0o640, 0o604, 0o620]) {
      Deno.chmodSync(box.vault, mode);
      await refused(box, "insecure-permissions", 8);
      await box.ok(["ls", "--allow-insecure-permissions", ...box.key]);
      await box.ok(["status", "--allow-insecure-permissions"]);
      await box.ok(["check", "--allow-insecure-permissions"]);
    }
    Deno.chmodSync(box.vault, 0o600);
  });
});

Deno.test("coffer init never replaces what is at the path", async () => {
  await sandbox(async (box) => {
    await box.init();
    const before = Deno.readFileSync(box.vault);
    await box.fails(["init", "--new-keyfile", box.path("other")], "vault-exists", 10);
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    assert.throws(() => Deno.statSync(box.path("other")), Deno.errors.NotFound);
    Deno.symlinkSync(box.path("nowhere"), box.path("dangling"));
    const dangling = ["init", "--vault", box.path("dangling"), "--new-keyfile", box.path("other")];
    await box.fails(dangling, "vault-exists", 10);
  });
});

Deno.test("coffer says that a folder is missing before it reads, asks or shows anything", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    const template = box.file("template", "text");
    const cases: readonly (readonly string[])[] = [
      ["init", "--vault", "nodir/a.coffer", "--keyfile", "not read"],
      ["get", "a", "--out", "nodir/x", "--keyfile", "not read"],
      ["get", "a", "--overwrite", "--out", "nodir/x", "--keyfile", "not read"],
      ["inject", "--in", template, "--out", "nodir/x"],
      ["backup", "nodir/app.coffer", "--keyfile", "not read"],
      ["export", "--out", "nodir/x", "--new-passphrase-file", "not read", "--keyfile", "not read"],
    ];
    for (const args of cases) {
      const { err } = await box.fails(args, "folder-not-found", 3);
      assert.equal(JSON.parse(err).error.message, 'The folder "nodir" is not there', args.join(" "));
    }
    assert.throws(() => Deno.statSync(box.path("nodir")), Deno.errors.NotFound);
  });
});

Deno.test("coffer names the flag that replaces what is in the way, where there is one", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["a", "b"]) await box.ok(["set", name, "--value", "v", ...box.key]);
    const template = box.file("template", "text");
    box.file("there", "old");
    const cases: readonly (readonly [readonly string[], string, RegExp])[] = [
      [["get", "a", "--out", "there"], "file-exists", /--overwrite/],
      [["inject", "--in", template, "--out", "there"], "file-exists", /--overwrite/],
      [["backup", "there"], "file-exists", /--overwrite.*--keep/],
      [["mv", "a", "b"], "secret-exists", /--overwrite/],
      [["export", "--out", "there", "--new-passphrase-file", template], "file-exists", /replaces no file/],
    ];
    for (const [args, code, hint] of cases) {
      const { err } = await box.fails([...args, ...box.key], code, 10);
      assert.match(JSON.parse(err).error.hint, hint, args.join(" "));
    }
  });
});

Deno.test("coffer names the folder that it may not read, and says where no folder can be had", async () => {
  await sandbox(async (box) => {
    if (Deno.build.os === "linux") {
      const permissions = ["--allow-read", "--allow-write"];
      const { err } = await box.fails(["init", "--vault", "/proc/x.coffer"], "missing-permission", 8, { permissions });
      assert.match(JSON.parse(err).error.hint, /outside of \/proc/);
    }
    const { err } = await box.fails(["status", "--vault", "/elsewhere/x.coffer"], "missing-permission", 8);
    assert.equal(JSON.parse(err).error.hint, "Run deno with --allow-read=/elsewhere/");
  });
});

Deno.test("coffer says which variables it may not look at, where they may have named the vault or a credential", async () => {
  await sandbox(async (box) => {
    const hint = async (args: readonly string[], code: string, exit: number, options: RunOptions = {}) =>
      JSON.parse((await box.fails(args, code, exit, options)).err).error.hint as string;
    assert.match(await hint(["status"], "vault-not-found", 3), /--allow-env=COFFER_VAULT$/);
    await box.init();
    assert.match(await hint(["get", "a", ...box.key], "secret-not-found", 3), /--allow-env=COFFER_VAULT$/);
    assert.match(await hint(["ls"], "no-credential", 4), /--allow-env=\S*COFFER_PASSPHRASE,/);
    for (const args of [["status", "--vault", "other"], ["get", "a", "--vault", box.vault, ...box.key]]) {
      const [code, exit] = args[0] === "status" ? ["vault-not-found", 3] as const : ["secret-not-found", 3] as const;
      assert.doesNotMatch(await hint(args, code, exit), /allow-env/, args.join(" "));
    }
    const permissions = [...box.permissions(), "--allow-env"];
    assert.doesNotMatch(await hint(["get", "a", ...box.key], "secret-not-found", 3, { permissions }), /allow-env/);
  });
});

Deno.test("coffer names the permission that is missing, and asks for none", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    const before = Deno.readFileSync(box.vault);
    const [read, write] = [`--allow-read=${box.folder}`, `--allow-write=${box.folder}`];
    const init = ["init", "--vault", "new", "--new-keyfile", box.path("new-key"), "--no-recovery"];
    const cases: readonly (readonly [readonly string[], readonly string[], string])[] = [
      [["ls", ...box.key], [], "--allow-read"],
      [["status"], [], "--allow-read"],
      [["check"], [write], "--allow-read"],
      [["ls", "--keyfile", "/etc/hostname"], [read, write], "--allow-read"],
      [["set", "a", "--value", "w", ...box.key], [read], "--allow-write"],
      [["get", "a", "--out", box.path("out"), ...box.key], [read], "--allow-write"],
      [["passwd", "--new-passphrase-file", "/etc/hostname", ...box.key], [read, write], "--allow-read"],
      [init, [read], "--allow-write"],
      [init, [], "--allow-read"],
      [init, [write], "--allow-read"],
    ];
    for (const [args, permissions, flag] of cases) {
      const { err } = await box.fails(args, "missing-permission", 8, { permissions });
      assert.match(err, new RegExp(flag), args.join(" "));
    }
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    assert.equal(
      (await box.ok(["ls", ...box.key], { permissions: [read] })).out,
      "a\n",
      "reading names needs no write",
    );
  });
});

Deno.test("coffer names the file that it may not write, before it opens anything", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    const before = Deno.readFileSync(box.vault);
    box.file("wrong", "w".repeat(32));
    box.file("there", "old");
    const wrong = ["--keyfile", box.path("wrong")];
    const target = box.path("target");
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["get", "a", "--out", target, ...wrong], target],
      [["get", "a", "--out", box.path("there"), "--overwrite", ...wrong], box.path("there")],
      [["get", "a", "--out", "target", ...wrong], "target"],
      [["slot", "add", "--kind", "recovery", "--out", target, ...wrong], target],
      [["slot", "add", "--kind", "certificate", "--out", target, ...wrong], target],
      [["slot", "add", "--kind", "keyfile", "--new-keyfile", target, ...wrong], target],
    ];
    const read = `--allow-read=${box.folder}`;
    // The name alone is too little as well: the file is written beside it first.
    for (const permissions of [[read], [read, `--allow-write=${target},${box.vault}`]]) {
      for (const [args, file] of cases) {
        const { err } = await box.fails(args, "missing-permission", 8, { permissions });
        const { message } = JSON.parse(err).error;
        assert.ok(message.startsWith(`Cannot write "${file}": this process runs without --allow-write=`), message);
      }
    }
    // What is beside the vault may be written, what init would write elsewhere may not.
    Deno.mkdirSync(box.path("vaults"));
    const permissions = [read, `--allow-write=${box.path("vaults")}`];
    for (
      const flags of [["--new-keyfile", target], ["--keyfile", box.path("wrong"), "--recovery-out", target]]
    ) {
      const init = ["init", "--vault", box.path("vaults/new"), ...flags];
      const { err } = await box.fails(init, "missing-permission", 8, { permissions });
      assert.match(JSON.parse(err).error.message, /^Cannot write ".*target": /);
    }
    assert.deepEqual([...Deno.readDirSync(box.path("vaults"))], []);
    assert.throws(() => Deno.statSync(target), Deno.errors.NotFound);
    assert.equal(Deno.readTextFileSync(box.path("there")), "old");
    assert.deepEqual(Deno.readFileSync(box.vault), before);
  });
});

Deno.test("coffer get --out --overwrite that fails leaves what was there, and nothing beside it", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    Deno.mkdirSync(box.path("folder"));
    for (const out of ["folder", "x".repeat(256)]) {
      const { err } = await box.fails(["get", "a", "--overwrite", "--out", out, ...box.key], "io-error", 1);
      assert.equal(JSON.parse(err).error.message, `Cannot write "${out}"`);
    }
    // A name as long as the file system takes is no reason to fail.
    await box.ok(["get", "a", "--overwrite", "--out", "x".repeat(255), ...box.key]);
    await box.ok(["get", "a", "--out", "y".repeat(255), ...box.key]);
    const names = [...Deno.readDirSync(box.folder)].map(({ name }) => name[0]).sort();
    assert.deepEqual(names, ["f", "k", "v", "v", "x", "y"], "the vault has its anchor beside it");
  });
});

Deno.test({
  name: "coffer reports a vault that the system lets nobody write, and reads it",
  ignore: Deno.uid() === 0, // modes mean nothing to root
  async fn() {
    await sandbox(async (box) => {
      await box.init();
      Deno.chmodSync(box.vault, 0o400);
      await box.ok(["ls", ...box.key]);
      await box.fails(["set", "a", "--value", "v", ...box.key], "permission-denied", 8);
      Deno.chmodSync(box.vault, 0o600);
    });
  },
});

Deno.test("coffer reports output that cannot be written, without a stack trace", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", ...box.key]);
    const [program, ...args] = box.command(["get", "a", ...box.key, "--json"]);
    const quoted = [program, ...args].map((word) => `'${word}'`).join(" ");
    const { code, stderr } = await new Deno.Command("sh", { args: ["-c", `${quoted} >/dev/full`], cwd: box.folder })
      .output();
    assert.equal(code, 1);
    const { error } = JSON.parse(new TextDecoder().decode(stderr));
    assert.equal(error.code, "io-error");
  });
});

Deno.test("coffer prints errors in two lines, with what would drive a terminal escaped", async () => {
  await sandbox(async (box) => {
    const { code, err } = await box.run(["ls", "--vault", "no\u001b[2Jsuch\u202e", ...box.key]);
    assert.equal(code, 3);
    assert.equal(
      err,
      'coffer: error: No vault at "no\\u{1b}[2Jsuch\\u{202e}"\n' +
        "coffer: hint: Create it with `coffer init`, or name another with --vault\n",
    );
  });
});

Deno.test("coffer gives up with exit 5 when another process keeps the lock past --timeout", async () => {
  await sandbox(async (box) => {
    await box.init();
    const before = Deno.readFileSync(box.vault);
    {
      using file = Deno.openSync(box.vault, { read: true, write: true });
      file.lockSync(true);
      for (const timeout of ["0", "0.05"]) {
        for (const args of COMMANDS) await box.fails([...args, ...box.key, "--timeout", timeout], "busy", 5);
      }
    }
    assert.deepEqual(Deno.readFileSync(box.vault), before);
    await box.ok(["ls", ...box.key, "--timeout", "0"]);
  });
});
