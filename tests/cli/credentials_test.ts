import assert from "node:assert/strict";
import { type RunOptions, type Sandbox, sandbox, WEAK } from "./coffer.ts";

/** Makes a vault with one slot of each kind, and returns flags for each. */
async function allKinds(box: Sandbox): Promise<Record<string, readonly string[]>> {
  const pass = ["--passphrase-file", box.file("pass", "correct horse\n")];
  await box.ok(["init", ...pass, ...WEAK, "--recovery-out", box.path("recovery")]);
  await box.ok(["slot", "add", "--kind", "keyfile", "--new-keyfile", box.path("key"), ...pass]);
  await box.ok(["slot", "add", "--kind", "certificate", "--out", box.path("certificate"), ...pass]);
  await box.ok(["set", "a", "--value", "v", ...pass]);
  return {
    passphrase: pass,
    keyfile: ["--keyfile", box.path("key")],
    recovery: ["--recovery-file", box.path("recovery")],
    certificate: ["--certificate-file", box.path("certificate")],
  };
}

Deno.test("coffer opens a vault with each of the four kinds of credential", async () => {
  await sandbox(async (box) => {
    const kinds = await allKinds(box);
    for (const [kind, flags] of Object.entries(kinds)) {
      const { out, err } = await box.ok(["get", "a", ...flags]);
      assert.deepEqual([out, err], ["v", ""], kind);
    }
    const slots = await box.json(["slot", "ls"]);
    const found = slots.map(({ id, kind }: { id: number; kind: string }) => [id, kind]);
    assert.deepEqual(found, [[1, "passphrase"], [2, "recovery"], [3, "keyfile"], [4, "certificate"]]);
    assert.deepEqual(slots[0].kdf, { memory: 1024, passes: 1, lanes: 1 });
    for (const file of ["recovery", "key", "certificate"]) {
      assert.equal(Deno.statSync(box.path(file)).mode! & 0o777, 0o600, file);
    }
  });
});

Deno.test("coffer init, passwd, slot add, salvage and export warn of a weak passphrase, and take it", async () => {
  const warning = "coffer: warning: The new passphrase is weak\n";
  await sandbox(async (box) => {
    const weak = box.file("weak", "abc\n");
    const strong = box.file("strong", "vG7#qL2m!xWp9@Zt\n");
    const init = await box.ok(["init", "--new-passphrase-file", weak, ...WEAK, "--no-recovery"]);
    assert.equal(init.err, warning);
    const add = ["slot", "add", "--kind", "passphrase", ...WEAK, "--passphrase-file", weak, "--new-passphrase-file"];
    assert.equal((await box.ok([...add, strong])).err, "");
    assert.equal((await box.ok([...add, box.file("other", "hunter2")])).err, warning);
    const passwd = ["passwd", ...WEAK, "--passphrase-file"];
    assert.equal((await box.ok([...passwd, weak, "--new-passphrase-file", strong])).err, "");
    const { out, err } = await box.ok([...passwd, strong, "--slot", "1", "--new-passphrase-file", weak, "--json"]);
    assert.equal(err, warning);
    assert.equal(JSON.parse(out).id, 1);
    assert.equal((await box.ok(["check", "--unlock", "--passphrase-file", weak])).code, 0);
    const opening = ["--passphrase-file", weak, "--new-passphrase-file"];
    const salvaged = await box.ok(["salvage", "salvaged.coffer", ...WEAK, ...opening, weak]);
    assert.ok(salvaged.err.endsWith(warning), salvaged.err);
    const exported = await box.ok(["export", "--out", "secrets.age", ...opening, weak]);
    assert.ok(exported.err.startsWith(warning), exported.err);
  });
});

Deno.test("coffer says the same for every credential that does not open the vault, with exit 4", async () => {
  await sandbox(async (box) => {
    await allKinds(box);
    const code = "abandon ".repeat(23) + "art";
    const wrong = [
      ["--passphrase-file", box.file("wrong", "incorrect horse")],
      ["--keyfile", box.file("random", crypto.getRandomValues(new Uint8Array(32)))],
      ["--recovery-file", box.file("code", code)],
      ["--certificate-file", box.file("cert", "00".repeat(32))],
    ];
    const messages = new Set<string>();
    for (const flags of wrong) messages.add((await box.fails(["get", "a", ...flags], "wrong-credential", 4)).err);
    assert.equal(messages.size, 1);
    assert.match([...messages][0]!, /coffer passwd --recovery-file FILE/);
    const variable = { env: { COFFER_PASSPHRASE: "hunter2" }, permissions: [...box.permissions(), "--allow-env"] };
    const { err } = await box.fails(["get", "a"], "wrong-credential", 4, variable);
    assert.match(JSON.parse(err).error.hint, /^It came from COFFER_PASSPHRASE\. /);
    assert.doesNotMatch(err, /hunter2/);
  });
});

Deno.test("coffer refuses two credentials with exit 2, whichever they are, before any work", async () => {
  await sandbox(async (box) => {
    const flags = ["--passphrase-file", "--keyfile", "--recovery-file", "--certificate-file"];
    for (const first of flags) {
      for (const second of flags.filter((flag) => flag !== first)) {
        const { err } = await box.fails(["get", "a", first, "x", second, "y"], "conflicting-credentials", 2);
        assert.match(err, new RegExp(`${first}`));
      }
    }
    await box.fails(["init", "--keyfile", "x", "--new-keyfile", "y"], "conflicting-credentials", 2);
    await box.fails(["status", "--keyfile", "x", "--recovery-file", "y"], "conflicting-credentials", 2);
    assert.deepEqual([...Deno.readDirSync(box.folder)], []);
  });
});

Deno.test("coffer takes credentials and the vault from the environment where it may read it; flags win", async () => {
  await sandbox(async (box) => {
    const kinds = await allKinds(box);
    const read = (name: string) => Deno.readTextFileSync(box.path(name)).trim();
    const withEnv = (env: Record<string, string>, ...names: string[]): RunOptions => ({
      env,
      permissions: [...box.permissions(), names.length > 0 ? `--allow-env=${names.join()}` : "--allow-env"],
    });
    const variables: Record<string, string> = {
      COFFER_PASSPHRASE: "correct horse",
      COFFER_PASSPHRASE_FILE: box.path("pass"),
      COFFER_KEYFILE: box.path("key"),
      COFFER_RECOVERY_FILE: box.path("recovery"),
      COFFER_CERTIFICATE: read("certificate"),
      COFFER_CERTIFICATE_FILE: box.path("certificate"),
    };
    for (const [name, value] of Object.entries(variables)) {
      assert.equal((await box.ok(["get", "a"], withEnv({ [name]: value }))).out, "v", name);
      assert.equal((await box.ok(["get", "a"], withEnv({ [name]: value }, name))).out, "v", name);
      // Without the permission the variable is not seen, and nobody is asked.
      await box.fails(["get", "a"], "no-credential", 4, { env: { [name]: value } });
    }
    const twins = ["COFFER_PASSPHRASE", "COFFER_PASSPHRASE_FILE"] as const;
    const both = Object.fromEntries(twins.map((name) => [name, variables[name]!]));
    await box.fails(["get", "a"], "conflicting-credentials", 2, withEnv(both));
    await box.fails(["get", "a"], "conflicting-credentials", 2, withEnv({ ...both, COFFER_KEYFILE: "x" }));
    assert.equal((await box.ok(["get", "a", ...kinds.keyfile!], withEnv(both))).out, "v");
    await Deno.rename(box.vault, box.path("elsewhere"));
    await Deno.rename(`${box.vault}.anchor`, box.path("elsewhere.anchor"));
    const elsewhere = { COFFER_VAULT: box.path("elsewhere"), COFFER_KEYFILE: box.path("key") };
    assert.equal((await box.ok(["get", "a"], withEnv(elsewhere))).out, "v");
    await box.fails(["get", "a", "--vault", "other"], "vault-not-found", 3, withEnv(elsewhere));
    await Deno.rename(box.path("elsewhere"), box.vault);
    await Deno.rename(box.path("elsewhere.anchor"), `${box.vault}.anchor`);
  });
});

Deno.test("coffer reads a passphrase file without its last line end, and nothing else stripped", async () => {
  await sandbox(async (box) => {
    await box.ok(["init", "--no-recovery", ...WEAK, "--passphrase-file", box.file("pass", " pass phrase \n")]);
    const open = (contents: string | Uint8Array) => ["ls", "--passphrase-file", box.file("other", contents)];
    for (const same of [" pass phrase ", " pass phrase \r\n", " pass phrase \n"]) await box.ok(open(same));
    for (const other of ["pass phrase", " pass phrase \n\n", " pass phrase \r", "\ufeff pass phrase "]) {
      await box.fails(open(other), "wrong-credential", 4);
    }
    await box.ok(["ls", "--passphrase-file", "-"], { stdin: " pass phrase \n" });
    await box.fails(["ls", "--passphrase-file", "-"], "malformed-credential", 4, { stdin: "" });
  });
});

Deno.test("coffer names what is wrong with a credential file, and never its contents", async () => {
  await sandbox(async (box) => {
    await box.init("--recovery-out", box.path("recovery"));
    const code = Deno.readTextFileSync(box.path("recovery")).trim();
    const cases: readonly (readonly [string, string | Uint8Array])[] = [
      ["--passphrase-file", ""],
      ["--passphrase-file", "\n"],
      ["--passphrase-file", Uint8Array.of(0xff, 0xfe)],
      ["--passphrase-file", "x".repeat(65_537)],
      ["--keyfile", "short"],
      ["--keyfile", "COFFER-KEYFILE-1\nnot hex\n"],
      ["--recovery-file", code.split(" ").slice(1).join(" ")],
      ["--recovery-file", `${code.split(" ").slice(1).join(" ")} hunter2`],
      ["--certificate-file", "hunter2"],
    ];
    for (const [flag, contents] of cases) {
      const { err } = await box.fails(["ls", flag, box.file("bad", contents)], "malformed-credential", 4);
      assert.doesNotMatch(err, /hunter2|not hex/);
    }
    await box.fails(["ls", "--passphrase-file", box.path("missing")], "file-not-found", 3);
    await box.fails(["ls", "--keyfile", box.folder], "usage", 2);
  });
});

Deno.test("coffer warns of a credential file that others can read, and goes on", async () => {
  await sandbox(async (box) => {
    await box.init();
    Deno.chmodSync(box.path("key"), 0o644);
    const { code, err } = await box.run(["ls", ...box.key]);
    assert.equal(code, 0);
    assert.match(err, /^coffer: warning: Other users can read the key file ".*"; make it private: chmod 600\n$/);
    Deno.chmodSync(box.path("key"), 0o600);
  });
});

Deno.test("coffer reports a missing vault before a missing credential", async () => {
  await sandbox(async (box) => {
    for (const args of [["get", "a"], ["ls"], ["passwd", "--new-passphrase-file", box.file("new", "x")]]) {
      await box.fails(args, "vault-not-found", 3);
    }
    await box.init();
    for (const args of [["get", "a"], ["ls"], ["check", "--unlock"], ["status", "--unlock"], ["slot", "rm", "1"]]) {
      await box.fails(args, "no-credential", 4);
    }
  });
});

Deno.test("coffer init prints the recovery code once: as a line, in JSON, or into a private file", async () => {
  await sandbox(async (box) => {
    const key = ["--new-keyfile", box.path("key")];
    const line = await box.ok(["init", "--vault", box.path("one"), ...key]);
    assert.match(line.out, /^([a-z]+ ){23}[a-z]+\n$/);
    assert.match(line.err, /shown this once/);
    const document = await box.json(["init", "--vault", box.path("two"), ...key]);
    assert.deepEqual(Object.keys(document), ["vault", "recoveryCode"]);
    const file = await box.json(["init", "--vault", box.path("three"), ...key, "--recovery-out", box.path("code")]);
    assert.deepEqual(file, { vault: box.path("three"), recoveryFile: box.path("code") });
    const codes = [line.out, document.recoveryCode, Deno.readTextFileSync(box.path("code"))];
    for (const [index, vault] of ["one", "two", "three"].entries()) {
      await box.ok(["ls", "--vault", box.path(vault), "--recovery-file", box.file("typed", codes[index]!)]);
    }
    const none = await box.ok(["init", "--vault", box.path("four"), ...key, "--no-recovery"]);
    assert.deepEqual([none.out, none.err], ["", ""]);
    assert.equal((await box.json(["slot", "ls", "--vault", box.path("four")])).length, 1);
  });
});

Deno.test("coffer init tells which variable the vault's credential comes from, and not what it is", async () => {
  await sandbox(async (box) => {
    const file = box.file("pass", "from a file vG7#qL2m");
    const key = box.file("key", "k".repeat(32));
    const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
      ["COFFER_PASSPHRASE", "hunter2 vG7#qL2m!xWp", "passphrase", [
        "--passphrase-file",
        box.file("same", "hunter2 vG7#qL2m!xWp"),
      ]],
      ["COFFER_PASSPHRASE_FILE", file, "passphrase", ["--passphrase-file", file]],
      ["COFFER_KEYFILE", key, "key file", ["--keyfile", key]],
    ];
    for (const [name, value, what, flags] of cases) {
      const options = { env: { [name]: value }, permissions: [...box.permissions(), `--allow-env=${name}`] };
      const vault = ["--vault", box.path(name)];
      const { out, err } = await box.ok(["init", ...vault, ...WEAK, "--no-recovery"], options);
      assert.deepEqual([out, err], ["", `The vault opens with the ${what} from ${name}\n`]);
      await box.ok(["check", ...vault, ...flags]);
      // A path that is taken, or a flag that wins: nothing is said of the variable.
      const { err: taken } = await box.fails(["init", ...vault, ...WEAK], "vault-exists", 10, options);
      assert.doesNotMatch(taken, /opens with/);
      const other = ["init", "--vault", box.path(`${name}-other`), "--new-keyfile", box.path("new"), "--no-recovery"];
      assert.equal((await box.ok(other, options)).err, "");
    }
  });
});

Deno.test("coffer passwd and slot add take no new passphrase from the environment", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", "old")];
    await box.ok(["init", "--no-recovery", ...pass, ...WEAK]);
    const options = {
      env: { COFFER_PASSPHRASE: "old" },
      permissions: [...box.permissions(), "--allow-env=COFFER_PASSPHRASE"],
    };
    await box.fails(["passwd"], "no-credential", 4, options);
    await box.fails(["slot", "add", "--kind", "passphrase"], "no-credential", 4, options);
    await box.fails(["passwd"], "no-credential", 4, { ...options, env: { COFFER_PASSPHRASE: "new" } });
    await box.ok(["check", ...pass]);
  });
});

Deno.test("coffer init makes a key file that is missing, and uses one that exists", async () => {
  await sandbox(async (box) => {
    await box.init();
    assert.equal(Deno.statSync(box.path("key")).mode! & 0o777, 0o600);
    const contents = Deno.readTextFileSync(box.path("key"));
    await box.ok(["init", "--vault", box.path("second"), "--new-keyfile", box.path("key"), "--no-recovery"]);
    assert.equal(Deno.readTextFileSync(box.path("key")), contents);
    await box.ok(["ls", "--vault", box.path("second"), ...box.key]);
    await box.fails(["init", "--vault", box.path("third"), "--keyfile", box.path("other")], "file-not-found", 3);
  });
});

Deno.test("coffer init refuses a weak derivation, an excessive one and an empty passphrase, and makes nothing", async () => {
  await sandbox(async (box) => {
    const pass = ["--passphrase-file", box.file("pass", "p")];
    await box.fails(["init", ...pass, "--kdf-memory", "1"], "weak-kdf", 11);
    await box.fails(["init", ...pass, "--kdf-passes", "1"], "weak-kdf", 11);
    await box.fails(["init", ...pass, "--kdf-memory", "4096"], "kdf-limit", 11);
    await box.fails(["init", ...pass, "--kdf-lanes", "17"], "kdf-limit", 11);
    await box.fails(["init", "--passphrase-file", box.file("empty", "\n"), ...WEAK], "malformed-credential", 4);
    await box.fails(["init", ...WEAK], "no-credential", 4);
    await box.fails(["init", ...pass, "--recovery-out", box.path("pass"), ...WEAK], "file-exists", 10);
    assert.deepEqual([...Deno.readDirSync(box.folder)].map(({ name }) => name).sort(), ["empty", "pass"]);
  });
});

Deno.test("coffer passwd changes the passphrase: the new one opens, the old one does not", async () => {
  await sandbox(async (box) => {
    const { passphrase, keyfile } = await allKinds(box);
    const next = ["--new-passphrase-file", box.file("next", "battery staple")];
    const slot = await box.json(["passwd", ...passphrase!, ...next, "--allow-weak-kdf"]);
    assert.deepEqual([slot.id, slot.kind, slot.kdf], [1, "passphrase", { memory: 1024, passes: 1, lanes: 1 }]);
    await box.fails(["get", "a", ...passphrase!], "wrong-credential", 4);
    assert.equal((await box.ok(["get", "a", "--passphrase-file", box.path("next")])).out, "v");
    // Opened otherwise, the only passphrase slot is meant.
    await box.ok([
      "passwd",
      ...keyfile!,
      "--new-passphrase-file",
      box.path("pass"),
      "--kdf-memory",
      "2",
      ...WEAK.slice(0, 1),
    ]);
    assert.equal((await box.json(["slot", "ls"]))[0].kdf.memory, 2048);
    assert.equal((await box.ok(["get", "a", ...passphrase!])).out, "v");
    await box.fails(["passwd", ...keyfile!], "no-credential", 4);
    await box.fails(["passwd", ...keyfile!, ...next, "--slot", "3"], "slot-not-found", 3);
    await box.fails(["passwd", ...keyfile!, ...next, "--kdf-passes", "1", "--kdf-memory", "8"], "weak-kdf", 11);
  });
});

Deno.test("coffer slot add and rm change who can open the vault; the last slot stays", async () => {
  await sandbox(async (box) => {
    await box.init();
    const added = await box.json(["slot", "add", "--kind", "recovery", "--label", "safe", ...box.key]);
    assert.deepEqual([added.id, added.kind, added.label], [2, "recovery", "safe"]);
    const recovery = ["--recovery-file", box.file("code", added.recoveryCode)];
    await box.ok(["ls", ...recovery]);
    const printed = await box.ok(["slot", "add", "--kind", "certificate", ...box.key]);
    assert.match(printed.out, /^[0-9a-f]{64}\n$/);
    await box.ok(["ls", "--certificate-file", box.file("certificate", printed.out)]);
    const { certificate } = await box.json(["slot", "add", "--kind", "certificate", ...box.key]);
    assert.notEqual(certificate, printed.out.trim());
    const pass = ["--new-passphrase-file", box.file("pass", "p4ss")];
    await box.ok(["slot", "add", "--kind", "passphrase", ...pass, ...WEAK, ...box.key]);
    assert.match(
      (await box.ok(["slot", "ls", ...box.key])).out,
      /^SLOT +KIND +LABEL .*\n1 +keyfile +- .*\n2 +recovery +safe /,
    );

    assert.equal((await box.json(["slot", "rm", "2", ...box.key])).kind, "recovery");
    await box.fails(["ls", ...recovery], "wrong-credential", 4);
    await box.fails(["slot", "rm", "2", ...box.key], "slot-not-found", 3);
    for (const id of ["3", "4", "5"]) await box.ok(["slot", "rm", id, ...box.key]);
    await box.fails(["slot", "rm", "1", ...box.key], "last-slot", 11);
    await box.fails(["slot", "add", "--kind", "recovery", "--out", box.path("key"), ...box.key], "file-exists", 10);
  });
});

Deno.test("coffer slot add refuses a seventeenth slot, and leaves no file for it", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (let n = 2; n <= 16; n++) await box.ok(["slot", "add", "--kind", "certificate", ...box.key]);
    for (const kind of ["certificate", "recovery"]) {
      await box.fails(["slot", "add", "--kind", kind, "--out", box.path("out"), ...box.key], "slots-full", 2);
    }
    assert.throws(() => Deno.statSync(box.path("out")), Deno.errors.NotFound);
  });
});
