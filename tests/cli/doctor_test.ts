import assert from "node:assert/strict";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { type Sandbox, sandbox, WEAK } from "./coffer.ts";
import { runProgram } from "./programs.ts";

const WINDOWS = Deno.build.os === "windows";

interface Found {
  readonly id: string;
  readonly severity: string;
  readonly hint: string;
  readonly fixable: boolean;
}

interface Answer {
  readonly code: number;
  readonly ok: boolean;
  /** Ids, `space-unknown` left out: it stands in every answer of a process that may not ask. */
  readonly ids: readonly string[];
  readonly findings: readonly Found[];
  readonly mended: readonly string[];
  readonly error: string | undefined;
}

async function doctor(box: Sandbox, args: readonly string[] = [], more: readonly string[] = []): Promise<Answer> {
  const permissions = [...box.permissions(), ...more];
  const { code, out, err } = await box.run(["doctor", "--json", ...args], { permissions });
  const { path, ok, findings, mended } = JSON.parse(out);
  assert.ok(path.endsWith("vault.coffer"));
  for (const { what, hint } of [...findings, ...mended]) assert.ok(what !== "" && hint !== "");
  const ids = findings.map(({ id }: Found) => id).filter((id: string) => id !== "space-unknown");
  const last = err.trim().split("\n").at(-1)!;
  const error = last.startsWith("{") ? JSON.parse(last).error.code : undefined;
  return { code, ok, ids, findings, mended: mended.map(({ id }: Found) => id), error };
}

/** A sandbox with a vault that nothing is wrong with. */
async function healthy(test: (box: Sandbox) => Promise<void>): Promise<void> {
  await sandbox(async (box) => await test(await box.init("--recovery-out", box.path("code"))));
}

Deno.test("coffer doctor finds nothing wrong with a new vault, and needs no credential", () =>
  healthy(async (box) => {
    const { code, ok, ids } = await doctor(box);
    assert.deepEqual({ code, ok, ids }, { code: 0, ok: true, ids: [] });
    assert.match((await box.ok(["doctor"])).out, /^ok$/m);
    const { findings } = await doctor(box, [], ["--allow-sys=statfs"]);
    assert.deepEqual(findings, []);
  }));

Deno.test({
  name: "coffer doctor finds files that others can use, and --fix makes them private",
  ignore: WINDOWS,
  fn: () =>
    healthy(async (box) => {
      Deno.chmodSync(box.path("vault.coffer.anchor"), 0o644);
      box.file("vault.coffer.attempts", "", 0o604);
      Deno.chmodSync(box.vault, 0o640);
      const ids = ["vault-open", "anchor-open", "attempts-open"];
      const before = await doctor(box);
      // An empty file counts as failed tries.
      assert.deepEqual([before.code, before.error, before.ids], [8, "insecure-permissions", [
        ...ids,
        "failed-attempts",
      ]]);
      assert.ok(before.findings.every(({ id, fixable }) => fixable === id.endsWith("-open")));
      assert.equal(Deno.statSync(box.vault).mode! & 0o777, 0o640);

      assert.deepEqual((await doctor(box, ["--allow-insecure-permissions"])).code, 0);
      const after = await doctor(box, ["--fix"]);
      assert.deepEqual([after.code, after.ids, after.mended], [0, ["failed-attempts"], ids]);
      for (const name of ["vault.coffer", "vault.coffer.anchor", "vault.coffer.attempts"]) {
        assert.equal(Deno.statSync(box.path(name)).mode! & 0o777, 0o600);
      }
      // The vault is opened below.
      Deno.removeSync(box.path("vault.coffer.attempts"));
    }),
});

Deno.test({
  name: "coffer doctor finds private folders that killed processes left, and --fix takes away those that nobody uses",
  ignore: WINDOWS,
  fn: () =>
    healthy(async (box) => {
      const folder = (name: string, file = "secret.txt") => {
        Deno.mkdirSync(box.path(`tmp/coffer-private-${name}`), { recursive: true, mode: 0o700 });
        if (file !== "") box.file(`tmp/coffer-private-${name}/${file}`, "hunter2");
        return box.path(`tmp/coffer-private-${name}`);
      };
      const lost = folder("lost");
      box.file("tmp/coffer-private-lost/.lock", "");
      const used = folder("used");
      using lock = Deno.openSync(box.file("tmp/coffer-private-used/.lock", ""), { write: true });
      lock.lockSync(true);
      const young = folder("young", "");
      const beside = "coffer-private-beside";
      Deno.mkdirSync(box.path(beside));
      box.file("coffer-private-beside/.lock", "");
      box.file("coffer-private-beside/secret.txt", "hunter2");
      // Anybody may make such a folder among temporary files, with what keeps its reader waiting or leads elsewhere.
      const planted = ["pipe", "link"].map((name) => folder(name));
      runProgram("mkfifo", [`${planted[0]}/.lock`]);
      Deno.symlinkSync(box.file("elsewhere", "precious"), `${planted[1]}/.lock`);
      Deno.mkdirSync(box.path("target"));
      box.file("target/secret.txt", "precious");
      box.file("target/.lock", "");
      Deno.symlinkSync(box.path("target"), box.path("tmp/coffer-private-linked"));
      Deno.symlinkSync(box.path("target"), `${lost}/inner`);
      const run = async (...args: readonly string[]) => {
        const permissions = [...box.permissions(), "--allow-env=TMPDIR"];
        const { code, out } = await box.run(["doctor", "--json", ...args], {
          permissions,
          env: { TMPDIR: box.path("tmp") },
        });
        assert.doesNotMatch(out, /hunter2/);
        const { findings, mended } = JSON.parse(out);
        const folders = (found: { id: string; what: string }[]) =>
          found.filter(({ id }) => id === "left-folder").map(({ what }) => /"(.*)"/.exec(what)![1]).sort();
        return { code, found: folders(findings), mended: folders(mended) };
      };
      assert.deepEqual(await run(), { code: 1, found: [lost, beside], mended: [] });
      assert.deepEqual(await run("--fix"), { code: 0, found: [], mended: [lost, beside] });
      for (const path of [lost, box.path(beside)]) assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
      for (const path of [used, young, ...planted, box.path("elsewhere"), box.path("target/secret.txt")]) {
        Deno.statSync(path);
      }
    }),
});

Deno.test({
  name: "coffer doctor --fix says what it could not mend, and the problem remains",
  ignore: WINDOWS,
  fn: () =>
    healthy(async (box) => {
      Deno.chmodSync(box.vault, 0o644);
      const permissions = [`--allow-read=${box.folder}`];
      const { code, out, err } = await box.run(["doctor", "--fix"], { permissions });
      assert.equal(code, 8);
      assert.match(err, /^coffer: warning: Could not mend vault-open: .*--allow-write/m);
      assert.match(out, /^problem: vault-open: /m);
      assert.match(out, /^ {2}hint: .*chmod 600.*; --fix does it$/m);
      assert.match(out, /^problems remain$/m);
      Deno.chmodSync(box.vault, 0o600);
    }),
});

Deno.test({
  name: "coffer doctor finds a folder that others write to, and leaves it",
  ignore: WINDOWS,
  fn: () =>
    healthy(async (box) => {
      for (const [mode, severity, exit] of [[0o777, "problem", 8], [0o770, "warning", 0]] as const) {
        Deno.chmodSync(box.folder, mode);
        const { code, findings, ids } = await doctor(box, ["--fix"]);
        assert.deepEqual([code, ids, findings[0]!.severity], [exit, ["folder-open"], severity]);
      }
      Deno.chmodSync(box.folder, 0o1777);
      assert.deepEqual((await doctor(box)).ids, []);
      Deno.chmodSync(box.folder, 0o700);
    }),
});

Deno.test("coffer doctor finds secrets that killed processes left, and not those that are being written", () =>
  healthy(async (box) => {
    const name = `.coffer.${crypto.randomUUID()}.tmp`;
    box.file(name, "secret");
    const other = box.file(".coffer.not-one-of-ours.tmp.txt", "mine");
    const writing = await Deno.open(box.path(name), { read: true, write: true });
    await writing.lock(true);
    assert.deepEqual((await doctor(box, ["--fix"])).ids, []);
    writing.close();

    const before = await doctor(box);
    assert.deepEqual([before.code, before.error, before.ids], [1, "problems-found", ["left-secret"]]);
    const after = await doctor(box, ["--fix"]);
    assert.deepEqual([after.code, after.mended], [0, ["left-secret"]]);
    assert.throws(() => Deno.statSync(box.path(name)), Deno.errors.NotFound);
    assert.equal(Deno.readTextFileSync(other), "mine");
  }));

Deno.test("coffer doctor finds a vault that was not finished, once it is old", () =>
  healthy(async (box) => {
    const path = box.file(".vault.coffer.0123456789abcdef.tmp", "sealed");
    const foreign = box.file(".other.coffer.0123456789abcdef.tmp", "sealed");
    const young = await doctor(box, ["--fix"]);
    assert.deepEqual([young.ids, young.findings[0]!.severity], [["young-temporary"], "note"]);
    await Deno.utime(path, new Date(), new Date(Date.now() - 3_600_000));
    assert.deepEqual((await doctor(box)).ids, ["left-vault"]);
    assert.deepEqual((await doctor(box, ["--fix"])).mended, ["left-vault"]);
    // That one is of another vault.
    Deno.removeSync(foreign);
  }));

Deno.test("coffer doctor finds weak slots, and what would be lost with one", () =>
  sandbox(async (box) => {
    const pass = box.file("pass", "p4ssphrase");
    await box.ok(["init", "--no-recovery", "--passphrase-file", pass, ...WEAK]);
    const one = await doctor(box);
    assert.deepEqual([one.code, one.ids], [0, ["weak-slot", "only-slot"]]);
    assert.match(one.findings[0]!.hint, /--slot 1 --kdf-memory 256 --kdf-passes 3/);
    const key = ["--passphrase-file", pass];
    await box.ok(["slot", "add", "--kind", "keyfile", "--new-keyfile", box.path("key"), ...key]);
    assert.deepEqual((await doctor(box)).ids, ["weak-slot", "no-recovery"]);
    await box.ok(["slot", "add", "--kind", "recovery", ...box.key]);
    await box.ok(["slot", "rm", "1", "--yes", ...box.key]);
    assert.deepEqual((await doctor(box)).ids, []);
  }));

Deno.test("coffer doctor finds damage that shows in the slots only, and slots that ask for too much", () =>
  sandbox(async (box) => {
    box.damaged = true;
    const found = { "bad-slot": [6, "damage"], "escape-in-label": [6, "damage"], "hostile-kdf": [1, "hostile-slot"] };
    // The vectors are of vaults without an anchor, which is a note.
    for (const [name, wanted] of Object.entries(found)) {
      box.file("vault.coffer", Deno.readFileSync(new URL(`../vectors/${name}.coffer`, import.meta.url)));
      const { code, ids } = await doctor(box);
      assert.deepEqual([code, ids.filter((id) => id !== "no-anchor")[0]], wanted, name);
    }
  }));

Deno.test("coffer doctor finds damage, which outweighs permissions", () =>
  healthy(async (box) => {
    await box.ok(["set", "a", "--value", "b", ...box.key]);
    box.damaged = true;
    const bytes = Deno.readFileSync(box.vault);
    const flipped = bytes.slice();
    flipped[2 * PAGE_SIZE + 200]! ^= 1;
    Deno.writeFileSync(box.vault, flipped);
    if (!WINDOWS) Deno.chmodSync(box.vault, 0o644);
    const { code, error, ids } = await doctor(box);
    assert.deepEqual([code, error, ids[0]], [6, "corrupt-vault", "damage"]);
    assert.equal(ids.includes("vault-open"), !WINDOWS);

    const wiped = bytes.slice().fill(1, 0, 2 * PAGE_SIZE);
    Deno.writeFileSync(box.vault, bytes.slice(0, 2 * PAGE_SIZE + 10));
    const cut = await doctor(box, ["--fix"]);
    assert.deepEqual([cut.code, cut.ids[0]], [6, "damage"]);

    // What is no vault is not mended, nor looked at further.
    Deno.writeFileSync(box.vault, wiped);
    Deno.chmodSync(box.vault, 0o644);
    await box.fails(["doctor", "--fix"], "not-a-vault", 6);
    assert.equal(Deno.statSync(box.vault).mode! & 0o777, 0o644);
    Deno.removeSync(box.vault);
    await box.fails(["doctor"], "vault-not-found", 3);
  }));
