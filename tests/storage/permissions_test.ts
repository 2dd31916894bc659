import assert from "node:assert/strict";
import { InsecurePermissionsError } from "../../lib/errors.ts";
import { DenoDisk } from "../../lib/storage/disk_deno.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import {
  assertPrivate,
  checkPrivate,
  type FileSystem,
  makePrivate,
  writersOfFolder,
} from "../../lib/storage/permissions.ts";
import { withFolder } from "./helpers.ts";
import { FakeWindows } from "./icacls_fake.ts";

const WINDOWS = Deno.build.os === "windows";

for (const mode of [0o644, 0o640, 0o620, 0o604, 0o601]) {
  Deno.test({
    name: `checkPrivate() and makePrivate() find and mend mode ${mode.toString(8)}`,
    ignore: WINDOWS,
    fn: () =>
      withFolder(async (folder) => {
        const path = `${folder}/a`;
        Deno.writeTextFileSync(path, "");
        Deno.chmodSync(path, mode);
        assert.deepEqual(await checkPrivate(path), { state: "open", lets: mode });
        assert.deepEqual(await makePrivate(path), { state: "private", accounts: [] });
        assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
        assert.deepEqual(await checkPrivate(path), { state: "private", accounts: [] });
      }),
  });
}

Deno.test({
  name: "writersOfFolder() tells who may put files into a folder, and heeds the sticky bit",
  ignore: WINDOWS,
  fn: () =>
    withFolder((folder) => {
      const modes = { 0o700: "nobody", 0o755: "nobody", 0o775: "group", 0o777: "others", 0o1777: "nobody" };
      for (const [mode, who] of Object.entries(modes)) {
        Deno.chmodSync(folder, Number(mode));
        assert.equal(writersOfFolder(folder, { os: Deno.build.os }), who);
      }
      Deno.chmodSync(folder, 0o700);
    }),
});

Deno.test("checkPrivate() says why nothing is enforced", async () => {
  const reasonOn = async (system: FileSystem) => {
    const privacy = await checkPrivate("C:\\v\\a.coffer", system);
    assert.ok(privacy.state === "unenforced");
    return privacy.reason;
  };
  assert.match(await reasonOn({ os: "windows" }), /--allow-run=icacls/);
  assert.match(await reasonOn({ os: "templeos" }), /templeos/);
  const broken = { os: "windows", run: () => Promise.resolve({ code: 5, stdout: "", stderr: "" }) };
  assert.match(await reasonOn(broken), /code 5/);
  const missing = { os: "windows", run: () => Promise.reject(new Deno.errors.NotFound()) };
  assert.match(await reasonOn(missing), /no program/);
  assert.equal((await makePrivate("C:\\v\\a.coffer", broken)).state, "unenforced");
});

Deno.test("assertPrivate() refuses what an access list lets others into, and names them", async () => {
  const windows = new FakeWindows("C:\\v\\a.coffer", ["BUILTIN\\Users:(I)(RX)", "PC\\me:(I)(F)"]);
  await assert.rejects(assertPrivate(windows.path, windows), (error) => {
    assert.ok(error instanceof InsecurePermissionsError);
    assert.deepEqual([error.mode, error.accounts], [undefined, ["BUILTIN\\Users"]]);
    return /lets in BUILTIN\\Users/.test(error.message) && /doctor --fix/.test(error.hint);
  });
  await makePrivate(windows.path, windows);
  await assertPrivate(windows.path, windows);
});

Deno.test("FileMedium.create() makes the access list of a new file private, and opening it looks at that", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.coffer`;
    const windows = new FakeWindows(path, ["Everyone:(I)(F)"]);
    const commit = { meta: new Uint8Array(8), append: [new Uint8Array(8)], retain: [] };
    (await FileMedium.create(path, commit, { system: windows })).close();
    assert.deepEqual(windows.entries.map(({ text }) => text), ["OWNER RIGHTS:(F)"]);

    windows.entries.push({ sid: "S-1-1-0", text: "Jeder:(R)" });
    await assert.rejects(FileMedium.open(path, { system: windows }), InsecurePermissionsError);
    await assert.rejects(DenoDisk.openPrivate(path, { system: windows }), InsecurePermissionsError);
    (await FileMedium.open(path, { allowInsecurePermissions: true, system: windows })).close();
    (await FileMedium.open(path, { system: { os: "windows" } })).close();
  }));
