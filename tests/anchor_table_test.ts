/**
 * Every state of a vault's file with every state of its anchor: it opens, or it says what is wrong and changes nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ERROR_TABLE, type ErrorCode } from "../lib/error_table.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, PASSPHRASE, patterned, rejectsWith, withFolder } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };
const CHEAP = { ...CREDENTIAL, ...CHEAP_KDF };

/** Bytes for a file, null for none, a folder where a file should be, or a file that may not be read. */
type Contents = Uint8Array | null | "folder" | "unreadable";

const VAULTS = ["present", "missing", "empty", "short", "other bytes", "foreign"] as const;
const ANCHORS = ["present", "missing", "empty", "short", "other bytes", "foreign", "folder", "unreadable"] as const;

/** What a vault that cannot be read says, whatever its anchor is. */
const UNREADABLE: Partial<Record<typeof VAULTS[number], ErrorCode>> = {
  "missing": "vault-not-found",
  "empty": "empty-file",
  "short": "truncated-vault",
  "other bytes": "not-a-vault",
};

/** What the anchor says of a vault that can be read. */
const VERDICTS: Record<typeof ANCHORS[number], ErrorCode | "opens"> = {
  "present": "opens",
  "missing": "anchor-missing",
  "empty": "anchor-damaged",
  "short": "anchor-damaged",
  "other bytes": "anchor-damaged",
  "foreign": "anchor-foreign",
  "folder": "io-error",
  "unreadable": "permission-denied",
};

function expected(vault: typeof VAULTS[number], anchor: typeof ANCHORS[number]): ErrorCode | "opens" {
  if (vault === "foreign" && anchor === "present") return "anchor-foreign";
  return UNREADABLE[vault] ?? VERDICTS[anchor];
}

/** A vault of two commits, and its anchor. */
async function made(path: string): Promise<{ vault: Uint8Array; anchor: Uint8Array }> {
  {
    await using vault = await Vault.create(path, CHEAP);
    await vault.secrets.set("a", "1");
  }
  return { vault: await Deno.readFile(path), anchor: await Deno.readFile(`${path}.anchor`) };
}

async function place(path: string, contents: Contents, whole: Uint8Array): Promise<void> {
  if (contents === null) return;
  if (contents === "folder") return await Deno.mkdir(path);
  await Deno.writeFile(path, contents === "unreadable" ? whole : contents, { mode: 0o600 });
  if (contents === "unreadable") await Deno.chmod(path, 0o000);
}

/** Names and contents of everything in a folder. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name, isDirectory }) => {
      if (isDirectory) return [name, "folder"] as const;
      try {
        return [name, String(Deno.readFileSync(`${folder}/${name}`))] as const;
      } catch {
        return [name, "unreadable"] as const;
      }
    }).sort(),
  );
}

for (const vault of VAULTS) {
  Deno.test(`Vault.open() of a vault that is ${vault} opens or says why not, whatever its anchor is`, () =>
    withFolder(async (folder) => {
      const mine = await made(`${folder}/mine.coffer`);
      const other = await made(`${folder}/other.coffer`);
      const third = await made(`${folder}/third.coffer`);
      const files: Record<typeof VAULTS[number] | typeof ANCHORS[number], [Contents, Contents]> = {
        "present": [mine.vault, mine.anchor],
        "missing": [null, null],
        "empty": [new Uint8Array(0), new Uint8Array(0)],
        "short": [mine.vault.subarray(0, 5000), mine.anchor.subarray(0, 700)],
        "other bytes": [patterned(20_000), patterned(1024)],
        "foreign": [other.vault, third.anchor],
        "folder": ["folder", "folder"],
        "unreadable": ["unreadable", "unreadable"],
      };
      for (const anchor of ANCHORS) {
        // Modes mean nothing to root, and nothing on Windows.
        if (anchor === "unreadable" && (Deno.build.os === "windows" || Deno.uid() === 0)) continue;
        const place1 = `${folder}/${anchor}`;
        await Deno.mkdir(place1);
        const path = `${place1}/app.coffer`;
        await place(path, files[vault][0], mine.vault);
        await place(`${path}.anchor`, files[anchor][1], mine.anchor);
        const before = snapshot(place1);
        const verdict = expected(vault, anchor);
        const what = `${vault} × ${anchor}`;
        if (verdict === "opens") {
          await using open = await Vault.open(path, CREDENTIAL);
          assert.equal(await open.secrets.getText("a"), "1", what);
        } else {
          const error = await rejectsWith(() => Vault.open(path, CREDENTIAL), verdict);
          assert.ok(error.hint.length > 0, what);
          assert.equal(error.exitCode, ERROR_TABLE[verdict].exit, what);
        }
        assert.deepEqual(snapshot(place1), before, `${what}: nothing is written`);

        const trusted = () => Vault.open(path, { ...CREDENTIAL, trustAnchor: true });
        // What never was an anchor is not written over.
        const kept = { "folder": "io-error", "other bytes": "anchor-damaged" } as const;
        const lost = UNREADABLE[vault] ?? (anchor in kept ? kept[anchor as keyof typeof kept] : undefined);
        if (lost !== undefined) {
          await rejectsWith(trusted, lost);
          assert.deepEqual(snapshot(place1), before, `${what}: nothing is written to be trusted`);
          continue;
        }
        if (verdict === "anchor-foreign") {
          await rejectsWith(trusted, verdict);
          assert.deepEqual(snapshot(place1), before, `${what}: another vault's anchor is left alone`);
          await (await Vault.open(path, { ...CREDENTIAL, trustAnchor: true, replaceForeignAnchor: true })).close();
        } else await (await trusted()).close();
        await using open = await Vault.open(path, CREDENTIAL);
        assert.equal(await open.secrets.getText("a"), "1", what);
        await open.secrets.set("a", "2");
      }
    }));
}
