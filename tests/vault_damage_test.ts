import assert from "node:assert/strict";
import { decodeMetaPage } from "../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../lib/storage/page.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, flipped, PASSPHRASE, patterned, rejectsWith, withFolder } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

Deno.test("Vault.open() and check() name the page that is damaged, of an older segment too", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    {
      await using vault = await Vault.create(path, { ...CHEAP, anchor: null });
      for (let i = 0; i < 4; i++) await vault.secrets.set(`name/${i}`, patterned(5000, i));
    }
    const bytes = await Deno.readFile(path);
    const decoded = await decodeMetaPage(bytes.subarray(0, PAGE_SIZE), 0);
    assert.ok(decoded.status === "valid");
    // The first one holds entries of the log, which opening does not read.
    const older = decoded.page.segments.slice(1, -1);
    assert.ok(older.length >= 3);
    for (const { first } of older) {
      const damaged = `${folder}/${first}.coffer`;
      await Deno.writeFile(damaged, flipped(bytes, first * PAGE_SIZE + 100), { mode: 0o600 });
      const error = await rejectsWith(() => Vault.open(damaged, CREDENTIAL), "corrupt-vault");
      assert.equal((error as unknown as { page: number }).page, first);
    }
    // What is damaged while the vault is open is reported, not thrown.
    await using vault = await Vault.open(path, CREDENTIAL);
    await Deno.writeFile(path, flipped(bytes, older[1]!.first * PAGE_SIZE + 100));
    const { problems } = await vault.check();
    assert.deepEqual(problems.map(({ page }) => page), [older[1]!.first]);
  }));

for (const [which, anchor] of [["without", null], ["with", undefined]] as const) {
  Deno.test(`Vault.open() ${which} an anchor opens to the same state, or fails with a code, whichever byte is flipped`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/app.coffer`;
      {
        await using vault = await Vault.create(path, { ...CHEAP, anchor });
        await vault.secrets.set("a", "1");
      }
      const bytes = await Deno.readFile(path);
      const damaged = `${folder}/damaged.coffer`;
      await Deno.writeFile(damaged, bytes, { mode: 0o600 });
      const codes = new Set<string>();
      let opened = 0;
      // A stride that is prime to the page's size visits every kind of field; both meta pages and all three segments.
      for (let at = 0; at < 5 * PAGE_SIZE; at += 61) {
        await Deno.writeFile(damaged, flipped(bytes, at, 0x10));
        try {
          await using vault = await Vault.open(damaged, { ...CREDENTIAL, anchor: `${path}.anchor` });
          const { recovered, generation } = await vault.status();
          assert.ok(generation === 2 || recovered, `byte ${at}: an older generation must be reported`);
          assert.ok(generation === 2 || anchor === null, `byte ${at}: the anchor knows of a newer one`);
          if (generation === 2) assert.equal(await vault.secrets.getText("a"), "1");
          opened++;
        } catch (error) {
          const { code } = error as { code?: string };
          assert.ok(code !== undefined && code !== "unexpected" && code !== "wrong-credential", `byte ${at}: ${error}`);
          codes.add(code);
        }
      }
      assert.ok(opened > 0);
      assert.equal(codes.has("rollback-detected"), anchor !== null, "a torn newest commit is a rollback to the anchor");
    }));
}
