import assert from "node:assert/strict";
import { concat, encodeUtf8 } from "../../lib/bytes.ts";
import { type Sandbox, sandbox } from "./coffer.ts";

async function withSecrets(box: Sandbox): Promise<void> {
  await box.init();
  await box.ok(["set", "db/url", "--value", "postgres://x?y='z'", ...box.key]);
  await box.ok(["set", "my key", "--stdin", ...box.key], { stdin: Uint8Array.of(0xff, 0x00, 0x0d, 0x0a) });
}

const BINARY = Uint8Array.of(0xff, 0x00, 0x0d, 0x0a);

Deno.test("coffer inject puts values in place of references, byte for byte, from stdin to stdout", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    const text = "url = 'coffer://db/url'\r\n\\coffer://db/url\n{{ coffer://db/url }}.";
    const { out } = await box.ok(["inject", ...box.key], { stdin: text });
    assert.equal(out, "url = 'postgres://x?y='z''\r\ncoffer://db/url\npostgres://x?y='z'.");
    const { bytes } = await box.ok(["inject", ...box.key], {
      stdin: concat(BINARY, encodeUtf8("${coffer://my key}"), BINARY),
    });
    assert.deepEqual(bytes, concat(BINARY, BINARY, BINARY));
  });
});

Deno.test("coffer inject writes a private file, under short flags too, and replaces one only when told to", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    box.file("t", "a=coffer://db/url", 0o644);
    const filled = "a=postgres://x?y='z'";
    for (const flags of [["-i", "t", "-o", "one"], ["--in", "t", "--out", "two"], ["--in=t", "--out=three"]]) {
      assert.deepEqual(await box.run(["inject", ...flags, ...box.key]).then(({ code, out }) => ({ code, out })), {
        code: 0,
        out: "",
      });
      const path = box.path(flags.at(-1)!.replace("--out=", ""));
      assert.equal(Deno.readTextFileSync(path), filled);
      if (Deno.build.os !== "windows") assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    }
    await box.fails(["inject", "-i", "t", "-o", "one", ...box.key], "file-exists", 10);
    box.file("old", "old", 0o644);
    await box.ok(["inject", "-i", "t", "-o", "old", "--overwrite", ...box.key]);
    assert.equal(Deno.readTextFileSync(box.path("old")), filled);
    await box.fails(["inject", "-i", "t", "-o", "./t", "--overwrite", ...box.key], "usage", 2);
    assert.equal(Deno.readTextFileSync(box.path("t")), "a=coffer://db/url");
  });
});

Deno.test("coffer inject names all that is missing, once each, and neither reads nor writes then", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    box.file("t", "coffer://db/url coffer://x coffer://y coffer://x");
    const before = await box.json(["audit", "--op", "secret.read", ...box.key]);
    for (const flags of [["-o", "out"], ["--check"], []]) {
      const { err } = await box.fails(["inject", "-i", "t", ...flags, ...box.key], "missing-references", 3);
      assert.equal(JSON.parse(err).error.message, 'Not in the vault: "x", "y"');
    }
    assert.throws(() => Deno.statSync(box.path("out")), Deno.errors.NotFound);
    assert.deepEqual(await box.json(["audit", "--op", "secret.read", ...box.key]), before);
  });
});

Deno.test("coffer inject --check reads no value, and the log notes each secret that is read otherwise, in one commit", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    box.file("t", "coffer://db/url ${coffer://my key} coffer://db/url");
    const { generation } = await box.json(["status"]);
    assert.deepEqual(await box.json(["inject", "-i", "t", "--check", ...box.key]), {
      references: ["db/url", "my key"],
    });
    assert.equal((await box.ok(["inject", "-i", "t", "--check", ...box.key])).out, "");
    assert.equal((await box.json(["status"])).generation, generation);
    await box.ok(["inject", "-i", "t", "-o", "out", ...box.key]);
    assert.equal((await box.json(["status"])).generation, generation + 1);
    const reads = await box.json(["audit", "--op", "secret.read", ...box.key]) as { name: string }[];
    assert.deepEqual(reads.map(({ name }) => name), ["db/url", "my key"]);
  });
});

Deno.test("coffer inject --json gives one document", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    box.file("t", "coffer://db/url");
    box.file("b", "${coffer://my key}");
    assert.deepEqual(await box.json(["inject", "-i", "t", ...box.key]), {
      references: ["db/url"],
      encoding: "utf8",
      text: "postgres://x?y='z'",
    });
    assert.deepEqual(await box.json(["inject", "-i", "b", ...box.key]), {
      references: ["my key"],
      encoding: "base64",
      text: "/wANCg==",
    });
    const written = { references: ["db/url"], out: "out" };
    assert.deepEqual(await box.json(["inject", "-i", "t", "-o", "out", ...box.key]), written);
  });
});

Deno.test("coffer inject refuses what makes no sense, and names the line of a malformed reference", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    box.file("t", "coffer://db/url");
    box.file("bad", "one\ntwo {{ coffer://hunter2\n");
    const { err } = await box.fails(["inject", "-i", "bad", ...box.key], "malformed-template", 2);
    assert.match(err, /line 2/);
    assert.doesNotMatch(err, /hunter2/);
    await box.fails(["inject", "-i", "none", ...box.key], "file-not-found", 3);
    await box.fails(["inject", "-i", "t", "--check", "-o", "x", ...box.key], "usage", 2);
    await box.fails(["inject", "-i", "t", "--overwrite", ...box.key], "usage", 2);
    await box.fails(["inject", "t", ...box.key], "usage", 2);
    await box.fails(["inject", "-x", "t", ...box.key], "usage", 2);
    await box.fails(["inject", "-i"], "usage", 2);
    await box.fails(["inject", "-i", "t", "--passphrase-file", "none"], "file-not-found", 3);
    await box.fails(["inject", "--passphrase-file", "-"], "usage", 2, { stdin: "x" });
  });
});

Deno.test("coffer inject needs no vault for a text without references", async () => {
  await sandbox(async (box) => {
    assert.equal((await box.ok(["inject", "--vault", "none"], { stdin: "plain\r\n" })).out, "plain\r\n");
  });
});

Deno.test("coffer inject reads a vault that it may not write, unless reads are noted", async () => {
  await sandbox(async (box) => {
    await withSecrets(box);
    const permissions = [`--allow-read=${box.folder}`];
    const options = { stdin: "coffer://db/url", permissions };
    await box.fails(["inject", ...box.key], "missing-permission", 8, options);
    await box.ok(["policy", "set", "audit-reads", "off", ...box.key]);
    assert.equal((await box.ok(["inject", ...box.key], options)).out, "postgres://x?y='z'");
    await box.ok(["backup", "copy", ...box.key]);
    assert.equal((await box.ok(["inject", "--vault", "copy", ...box.key], options)).out, "postgres://x?y='z'");
  });
});
