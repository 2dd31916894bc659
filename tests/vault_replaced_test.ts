import assert from "node:assert/strict";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, PASSPHRASE, rejectsWith, withVault } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

withVault("Vault refuses an older copy that takes its place while it is open", async ({ vault, path }) => {
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

withVault("Vault refuses an older copy that is written over its file", async ({ vault, path }) => {
  await vault.secrets.set("a", "1");
  const older = await Deno.readFile(path);
  await vault.secrets.set("a", "2");
  await Deno.writeFile(path, older);
  await rejectsWith(() => vault.secrets.get("a"), "rollback-detected");
  await rejectsWith(() => vault.secrets.set("a", "3"), "rollback-detected");
});

withVault("Vault refuses a copy of the same generation that was changed apart", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await replace(copy, await Deno.readFile(path));
  await changeApart(copy, 1);
  await vault.secrets.set("a", "mine");
  await Deno.rename(copy, path);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
  await rejectsWith(() => vault.secrets.set("a", "3"), "fork-detected");
});

withVault("Vault refuses a copy changed apart that is written over its file", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await replace(copy, await Deno.readFile(path));
  await changeApart(copy, 1);
  await vault.secrets.set("a", "mine");
  await Deno.writeFile(path, await Deno.readFile(copy));
  await Deno.remove(copy);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
});

withVault("Vault refuses a copy changed apart that went further", async ({ vault, path, folder }) => {
  const copy = `${folder}/copy.coffer`;
  await replace(copy, await Deno.readFile(path));
  await changeApart(copy, 3);
  await vault.secrets.set("a", "mine");
  await Deno.rename(copy, path);
  await rejectsWith(() => vault.secrets.get("a"), "fork-detected");
});

withVault("Vault refuses another vault in its place", async ({ vault, path, folder }) => {
  const other = await Vault.create(`${folder}/other.coffer`, CHEAP);
  await other.close();
  await Deno.rename(`${folder}/other.coffer`, path);
  const error = await vault.secrets.get("a").catch((error) => error);
  assert.ok(["fork-detected", "corrupt-vault"].includes(error.code), `${error}`);
});

withVault("Vault says that its file is gone, and goes on when it is back", async ({ vault, path }) => {
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

async function changeApart(path: string, commits: number): Promise<void> {
  await using vault = await Vault.open(path, CREDENTIAL);
  for (let i = 0; i < commits; i++) await vault.secrets.set("b", `theirs ${i}`);
}
