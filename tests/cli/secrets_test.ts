import assert from "node:assert/strict";
import { sandbox } from "./coffer.ts";

const PEM = `-----BEGIN PRIVATE KEY-----\n${
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(20)
}-----END PRIVATE KEY-----\n`;

const LARGEST = 16 * 1024 * 1024;

const VALUES: Readonly<Record<string, Uint8Array>> = {
  "empty": new Uint8Array(0),
  "a NUL byte": Uint8Array.of(0),
  "CRLF line ends": bytes("one\r\ntwo\r\n"),
  "a line end alone": bytes("\n"),
  "text without a line end": bytes("hunter2"),
  "a byte order mark": bytes("\ufefftext"),
  "invalid UTF-8": Uint8Array.of(0xff, 0xfe, 0x80, 0xc3),
  "PEM": bytes(PEM),
  "every byte": Uint8Array.from({ length: 256 }, (_, index) => index),
};

Deno.test("coffer set and get keep every byte of a value, by stdin and by file", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const [name, value] of Object.entries(VALUES)) {
      await box.ok(["set", name, "--stdin", ...box.key], { stdin: value });
      await box.ok(["set", `${name}, file`, "--file", box.file("value", value), ...box.key]);
      for (const secret of [name, `${name}, file`]) {
        assert.deepEqual((await box.ok(["get", secret, ...box.key])).bytes, value, secret);
      }
      await box.ok(["get", name, "--out", box.path("out"), "--overwrite", ...box.key]);
      assert.deepEqual(Deno.readFileSync(box.path("out")), value, name);
    }
    assert.equal((await box.json(["ls", ...box.key])).length, 2 * Object.keys(VALUES).length);
  });
});

Deno.test("coffer set warns of a line end behind a line that is kept, and leaves it out with --trim", async () => {
  const values: readonly (readonly [value: string, kept: string, warned: boolean])[] = [
    ["token\n", "token", true],
    ["token\r\n", "token", true],
    ["\n", "", true],
    ["token", "token", false],
    ["one\ntwo\n", "one\ntwo", false],
    ["two ends\n\n", "two ends\n", false],
  ];
  await sandbox(async (box) => {
    await box.init();
    for (const [value, kept, warned] of values) {
      for (const [args, stdin] of [[["--stdin"], value], [["--file", box.file("value", value)], ""]] as const) {
        const { err } = await box.ok(["set", "a", ...args, ...box.key], { stdin });
        assert.equal(/warning: The line end .*--trim/.test(err), warned, JSON.stringify(value));
        assert.equal((await box.ok(["get", "a", ...box.key])).out, value);
        assert.equal((await box.ok(["set", "a", "--trim", ...args, ...box.key], { stdin })).err, "");
        assert.equal((await box.ok(["get", "a", ...box.key])).out, kept);
      }
    }
    const { err } = await box.ok(["set", "a", "--stdin", ...box.key], { stdin: Uint8Array.of(0xff, 0x0a) });
    assert.equal(err, "");
    await box.fails(["set", "a", "--trim", "--value", "x", ...box.key], "usage", 2);
  });
});

Deno.test("coffer set takes 16 MiB and refuses a byte more, by stdin and by file, changing nothing", async () => {
  await sandbox(async (box) => {
    await box.init();
    const large = new Uint8Array(LARGEST + 1);
    for (let at = 0; at < large.length; at += 65_536) crypto.getRandomValues(large.subarray(at, at + 65_536));
    const largest = large.subarray(0, LARGEST);
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: largest });
    assert.equal(Deno.readFileSync(box.vault).length < 3 * LARGEST, true);
    await box.ok(["get", "large", "--out", box.path("out"), ...box.key]);
    assert.equal(Deno.readFileSync(box.path("out")).every((byte, index) => byte === largest[index]), true);
    const before = await box.json(["status"]);
    await box.fails(["set", "large", "--stdin", ...box.key], "value-too-large", 2, { stdin: large });
    await box.fails(["set", "large", "--file", box.file("value", large), ...box.key], "value-too-large", 2);
    assert.equal((await box.json(["status"])).generation, before.generation);
  });
});

Deno.test("coffer set answers quietly, and with --json gives name and version", async () => {
  await sandbox(async (box) => {
    await box.init();
    const { out, err } = await box.ok(["set", "a", "--value", "1", ...box.key]);
    assert.deepEqual([out, err], ["", ""]);
    assert.deepEqual(await box.json(["set", "a", "--value", "2", ...box.key]), { name: "a", version: 2 });
  });
});

Deno.test("coffer check counts in one and in many", async () => {
  await sandbox(async (box) => {
    await box.init();
    const secrets = async () => (await box.ok(["check", ...box.key])).out.match(/^seals: .*, (.*)$/m)![1];
    assert.equal(await secrets(), "0 secrets");
    assert.match((await box.ok(["check"])).out, /^structure: generation 1, 2 segments, /);
    await box.ok(["set", "a", "--value", "1", ...box.key]);
    assert.equal(await secrets(), "1 secret");
    await box.ok(["set", "b", "--value", "1", ...box.key]);
    assert.equal(await secrets(), "2 secrets");
  });
});

Deno.test("coffer get --json tells text from bytes", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "text", "--stdin", ...box.key], { stdin: "grüße\r\n" });
    await box.ok(["set", "bytes", "--stdin", ...box.key], { stdin: Uint8Array.of(255, 0) });
    const text = { name: "text", version: 1, size: 9, encoding: "utf8", value: "grüße\r\n" };
    assert.deepEqual(await box.json(["get", "text", ...box.key]), text);
    const base64 = { name: "bytes", version: 1, size: 2, encoding: "base64", value: "/wA=" };
    assert.deepEqual(await box.json(["get", "bytes", ...box.key]), base64);
    const out = box.path("out");
    const written = { name: "bytes", version: 1, size: 2, out };
    assert.deepEqual(await box.json(["get", "bytes", "--out", out, ...box.key]), written);
  });
});

Deno.test("coffer get --out makes a private file, and replaces one only with --overwrite", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "secret", ...box.key]);
    const out = box.file("out", "mine", 0o644);
    await box.fails(["get", "a", "--out", out, ...box.key], "file-exists", 10);
    assert.equal(Deno.readTextFileSync(out), "mine");
    await box.ok(["get", "a", "--out", out, "--overwrite", ...box.key]);
    assert.equal(Deno.readTextFileSync(out), "secret");
    assert.equal(Deno.statSync(out).mode! & 0o777, 0o600);
    await box.ok(["get", "a", "--out", box.path("new"), ...box.key]);
    assert.equal(Deno.statSync(box.path("new")).mode! & 0o777, 0o600);
    await box.fails(["get", "a", "--out", box.path("no/such/folder"), ...box.key], "folder-not-found", 3);
  });
});

Deno.test("coffer history lists the last ten versions, get reads them, restore-version brings one back", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (let n = 1; n <= 12; n++) await box.ok(["set", "a", "--value", `value ${n}`, ...box.key]);
    const { name, versions } = await box.json(["history", "a", ...box.key]);
    assert.equal(name, "a");
    assert.deepEqual(versions.map(({ version }: { version: number }) => version), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    assert.deepEqual(Object.keys(versions[0]), ["version", "size", "createdAt", "current"]);
    assert.deepEqual([versions[0].current, versions[1].current], [true, false]);
    assert.equal((await box.ok(["get", "a", "--version", "3", ...box.key])).out, "value 3");
    await box.fails(["get", "a", "--version", "2", ...box.key], "version-not-found", 3);
    const restored = await box.json(["restore-version", "a", "3", ...box.key]);
    assert.deepEqual(restored, { name: "a", version: 13, restored: 3 });
    assert.equal((await box.ok(["get", "a", ...box.key])).out, "value 3");
    await box.fails(["restore-version", "a", "1", ...box.key], "version-not-found", 3);
    assert.match((await box.ok(["history", "a", ...box.key])).out, /^VERSION {2}SIZE .*\n13 .* current\n12 /);
  });
});

Deno.test("coffer ls lists by prefix and by glob, sorted", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["db/url", "db/password", "api/key", "db/replica/url", "[odd]"]) {
      await box.ok(["set", name, "--value", "v", ...box.key]);
    }
    const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
      [[], ["[odd]", "api/key", "db/password", "db/replica/url", "db/url"]],
      [["db/"], ["db/password", "db/replica/url", "db/url"]],
      [["db/*"], ["db/password", "db/url"]],
      [["db/**"], ["db/password", "db/replica/url", "db/url"]],
      [["**/url"], ["db/replica/url", "db/url"]],
      [["?pi/[a-k]ey"], ["api/key"]],
      [["nothing"], []],
    ];
    for (const [pattern, names] of cases) {
      const { out } = await box.ok(["ls", ...pattern, ...box.key]);
      assert.equal(out, names.map((name) => `${name}\n`).join(""), pattern.join());
      const infos = await box.json(["ls", ...pattern, ...box.key]);
      assert.deepEqual(infos.map((info: { name: string }) => info.name), names);
    }
  });
});

Deno.test("coffer ls --long aligns its columns and escapes what would fool a reader", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok([
      "set",
      "short",
      "--value",
      "v",
      "--tag",
      "prod",
      "--tag",
      "db",
      "--expires",
      "2020-01-02",
      ...box.key,
    ]);
    await box.ok(["set", "a\u202egnp.exe", "--value", "x".repeat(2048), ...box.key]);
    const { out } = await box.ok(["ls", "--long", ...box.key]);
    const [head, first, second] = out.split("\n");
    assert.match(head!, /^NAME +VERSION +SIZE +UPDATED +EXPIRES +TAGS$/);
    assert.match(first!, /^a\\u\{202e\}gnp\.exe +1 +2\.0 KiB +[-0-9]{10} [0-9:]{5}Z +- +-$/);
    assert.match(second!, /^short +1 +1 B +[-0-9]{10} [0-9:]{5}Z +2020-01-02 00:00Z \(expired\) +db,prod$/);
    assert.equal(head!.indexOf("SIZE"), first!.indexOf("2.0 KiB"));
    assert.equal((await box.ok(["ls", ...box.key])).out, "a\u202egnp.exe\nshort\n", "a pipe gets names as they are");
  });
});

Deno.test("coffer meta shows, sets and clears note, tags, expiry and type", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", "--note", "two\nlines", "--tag", "x", "--type", "pem", ...box.key]);
    const meta = async (...args: string[]) => {
      const { createdAt: _, updatedAt: __, ...rest } = await box.json(["meta", "a", ...args, ...box.key]);
      return rest;
    };
    const base = { name: "a", version: 1, size: 1, expired: false };
    assert.deepEqual(await meta(), { ...base, note: "two\nlines", tags: ["x"], type: "pem" });
    assert.deepEqual(await meta("--add-tag", "b", "--add-tag", "a", "--remove-tag", "x", "--no-note"), {
      ...base,
      tags: ["a", "b"],
      type: "pem",
    });
    assert.deepEqual(await meta("--tag", "z", "--no-type", "--expires", "2999-12-31T23:59:30+02:00"), {
      ...base,
      tags: ["z"],
      expiresAt: "2999-12-31T21:59:30.000Z",
    });
    assert.deepEqual(await meta("--no-tags", "--no-expires"), { ...base, tags: [] });
    const { expiresAt } = await meta("--expires", "2w");
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 14 * 86_400_000) < 3_600_000);
    assert.match((await box.ok(["meta", "a", ...box.key])).out, /^name: {4}a\nversion: 1\n/);
    await box.fails(["meta", "b", "--note", "x", ...box.key], "secret-not-found", 3);
    assert.deepEqual((await box.json(["history", "a", ...box.key])).versions.length, 1, "the value stays as it was");
  });
});

Deno.test("coffer get gives an expired secret, with a warning on stderr", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "v", "--expires", "2020-01-31T12:00Z", ...box.key]);
    const { out, err } = await box.ok(["get", "a", ...box.key]);
    assert.deepEqual([out, err], ["v", `coffer: warning: "a" expired on 2020-01-31 12:00Z\n`]);
    await box.ok(["meta", "a", "--expires", "1d", ...box.key]);
    assert.equal((await box.ok(["get", "a", ...box.key])).err, "");
  });
});

Deno.test("coffer rm removes all that are named or none, and passes over missing ones with --force", async () => {
  await sandbox(async (box) => {
    await box.init();
    for (const name of ["a", "b", "c"]) await box.ok(["set", name, "--value", "v", ...box.key]);
    await box.fails(["rm", "a", "missing", ...box.key], "secret-not-found", 3);
    assert.equal((await box.ok(["ls", ...box.key])).out, "a\nb\nc\n");
    assert.deepEqual(await box.json(["rm", "a", "missing", "a", "--force", ...box.key]), { removed: ["a"] });
    const { out, err } = await box.ok(["rm", "b", ...box.key]);
    assert.deepEqual([out, err], ["", ""]);
    assert.equal((await box.ok(["ls", ...box.key])).out, "c\n");
    await box.fails(["get", "a", ...box.key], "secret-not-found", 3);
  });
});

Deno.test("coffer mv renames with history, and replaces only with --overwrite", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "a", "--value", "1", "--note", "n", ...box.key]);
    await box.ok(["set", "a", "--value", "2", ...box.key]);
    await box.ok(["set", "b", "--value", "other", ...box.key]);
    await box.fails(["mv", "a", "b", ...box.key], "secret-exists", 10);
    await box.fails(["mv", "missing", "c", ...box.key], "secret-not-found", 3);
    const info = await box.json(["mv", "a", "b", "--overwrite", ...box.key]);
    assert.deepEqual([info.name, info.version, info.note], ["b", 2, "n"]);
    assert.equal((await box.ok(["ls", ...box.key])).out, "b\n");
    assert.equal((await box.ok(["get", "b", "--version", "1", ...box.key])).out, "1");
  });
});

Deno.test("coffer ends quietly when the reader of a pipe goes away", async () => {
  await sandbox(async (box) => {
    await box.init();
    await box.ok(["set", "large", "--stdin", ...box.key], { stdin: new Uint8Array(1 << 20).fill(65) });
    const child = box.spawn(["get", "large", ...box.key]);
    const reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assert.deepEqual({ code, err }, { code: 0, err: "" });
  });
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
