import assert from "node:assert/strict";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, PASSPHRASE, rejectsWith, type TestVault, withVault } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

/** An open vault must see what took its place, whether or not there is an anchor that says so too. */
function withBoth(name: string, run: (test: TestVault) => Promise<void>): void {
  for (const [which, options] of [["without", { anchor: null }], ["with", {}]] as const) {
    withVault(`${name}, ${which} an anchor`, async (test) => {
      // What lies there at the end is not the newest, on purpose.
      test.credential = { ...CREDENTIAL, trustAnchor: true, replaceForeignAnchor: true };
      await run(test);
    }, options);
  }
}

withBoth("Vault refuses an older copy that takes its place while it is open", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  const older = await Deno.readFile(path);
  await vault.secrets.set("a", "2");
  const after = await Deno.readFile(path);
  await replace(path, older);
  await rejectsWith(() => vault.secrets.get("a"), "rollback-detected");
  await rejectsWith(() => vault.secrets.set("a", "3"), "rollback-detected");
  await replace(path, after);
  assert.equal(await vault.secrets.getText("a"), "2", "the newest one is taken again");
});

withBoth("Vault refuses an older copy that is written over its file", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  const older = await Deno.readFile(path);
  await vault.secrets.set("a", "2");
  await Deno.writeFile(path, older);
  await rejectsWith(() => vault.secrets.get("a"), "rollback-detected");
  await rejectsWith(() => vault.secrets.set("a", "3"), "rollback-detected");
});

withBoth("Vault refuses a copy of the same generation that was changed apart", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await copyVault(path, copy);
  await changeApart(copy, 1);
  await vault.secrets.set("a", "mine");
  await Deno.rename(copy, path);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
  await rejectsWith(() => vault.secrets.set("a", "3"), "fork-detected");
});

withBoth("Vault refuses a copy changed apart that is written over its file", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await copyVault(path, copy);
  await changeApart(copy, 1);
  await vault.secrets.set("a", "mine");
  await Deno.writeFile(path, await Deno.readFile(copy));
  await Deno.remove(copy);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
});

withBoth("Vault refuses a copy changed apart that went further", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await copyVault(path, copy);
  await changeApart(copy, 3);
  await vault.secrets.set("a", "mine");
  await Deno.rename(copy, path);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
});

withBoth("Vault refuses another vault in its place", async ({ vault, path, folder }) => {
  const other = await Vault.create(`${folder}/other.coffer`, CHEAP);
  await other.close();
  await Deno.rename(`${folder}/other.coffer`, path);
  const error = await vault.secrets.get("a").catch((error) => error);
  assert.ok(["fork-detected", "corrupt-vault"].includes(error.code), `${error}`);
});

withBoth("Vault says that its file is gone, and goes on when it is back", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  await Deno.rename(path, `${path}.away`);
  await rejectsWith(() => vault.secrets.get("a"), "vault-not-found");
  await Deno.rename(`${path}.away`, path);
  assert.equal(await vault.secrets.getText("a"), "1");
  await using other = await Vault.open(path, { ...CREDENTIAL, timeout: 50 });
  await other.secrets.set("a", "2");
});

/** Puts another file of the given contents at the path. */
async function replace(path: string, contents: Uint8Array): Promise<void> {
  await Deno.writeFile(`${path}.new`, contents, { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}

/** Copies a vault, with its anchor where it has one. */
async function copyVault(path: string, copy: string): Promise<void> {
  await replace(copy, await Deno.readFile(path));
  try {
    await replace(`${copy}.anchor`, await Deno.readFile(`${path}.anchor`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function changeApart(path: string, commits: number): Promise<void> {
  await using vault = await Vault.open(path, CREDENTIAL);
  for (let i = 0; i < commits; i++) await vault.secrets.set("b", `theirs ${i}`);
}
