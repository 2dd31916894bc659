/**
 * Damage to a backup: it is read as it was, or refused; what is restored from it is what was backed up, or nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { Vault } from "../../lib/vault.ts";
import { flipped, printedSeed, randomFrom, withFolder } from "../helpers.ts";
import {
  bitsOf,
  CREDENTIAL,
  DEEP,
  history,
  outcomeOf,
  pageAt,
  reportTally,
  stateOf,
  usesOf,
  withPage,
} from "./damaged.ts";

const SEED = printedSeed("damage of backups");
const [BACKUP, OLDER, OTHER] = [
  ...await backups("mine", -1, -4),
  ...await backups("other", -1),
] as unknown as readonly [Kept, Kept, Kept];

reportTally("backups");

interface Kept {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly state: string;
}

/** Backups of some moments of one history. */
async function backups(mark: string, ...at: readonly number[]): Promise<Kept[]> {
  const moments = await history(mark, false);
  return await Promise.all(at.map(async (index) => {
    const { file } = moments.at(index)!;
    await using vault = await Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(file))), CREDENTIAL);
    return { bytes: (await vault.backup()).bytes, state: await stateOf(vault) };
  }));
}

const REFUSALS = ["corrupt-vault", "not-a-vault", "unsupported-version"];

Deno.test("Vault.open() of a backup with any bit turned over reads what was backed up, or refuses", async () => {
  const uses = await usesOf(BACKUP.bytes);
  const codes = new Set<string>();
  for (const [at, mask] of bitsOf(BACKUP.bytes, uses, SEED, true)) {
    const use = uses[Math.floor(at / PAGE_SIZE)]!;
    const outcome = await outcomeOf(flipped(BACKUP.bytes, at, mask), null, `byte ${at} of ${use}`);
    codes.add(outcome.code);
    if (outcome.code !== "opens") {
      assert.ok(REFUSALS.includes(outcome.code), `byte ${at}: ${outcome.code}`);
      assert.ok(use !== "free", `byte ${at}: nothing reads it, and yet ${outcome.code}`);
    } else {
      assert.equal(outcome.state, BACKUP.state, `byte ${at}`);
      assert.ok(["free", "older meta", "log"].includes(use), `byte ${at} of ${use} is damaged, and nothing says so`);
      if (use === "log") assert.ok(outcome.problems.length > 0, `byte ${at}: a check finds it`);
    }
  }
  for (const code of ["opens", ...REFUSALS]) assert.ok(codes.has(code), code);
});

Deno.test("Vault.open() of a backup that is cut short refuses it, whatever its length", async () => {
  for (let length = 0; length < BACKUP.bytes.length; length++) {
    const near = Math.abs((length + 2) % PAGE_SIZE - 2) <= 2;
    if (!near && (!DEEP || length % 8 !== 0)) continue;
    const { code } = await outcomeOf(BACKUP.bytes.subarray(0, length), null, `length ${length}`);
    // What stands in the second page of a file that ends before it is not there: then the file is no vault.
    assert.ok(["empty-file", "not-a-vault", "truncated-vault"].includes(code), `length ${length}: ${code}`);
  }
});

Deno.test("Vault.open() of a backup with pages swapped, or of another backup, opens no mixture", async () => {
  const count = BACKUP.bytes.length / PAGE_SIZE;
  const random = randomFrom(SEED);
  const open = async (bytes: Uint8Array, what: string, known: readonly Kept[]) => {
    const outcome = await outcomeOf(bytes, null, what);
    if (outcome.code === "opens") assert.ok(known.some(({ state }) => state === outcome.state), what);
    else assert.ok([...REFUSALS, "truncated-vault"].includes(outcome.code), `${what}: ${outcome.code}`);
  };
  for (let one = 0; one < count; one++) {
    for (let other = 0; other < one; other++) {
      if (!DEEP && random() < 0.5) continue;
      const swapped = withPage(
        withPage(BACKUP.bytes, one, pageAt(BACKUP.bytes, other)),
        other,
        pageAt(BACKUP.bytes, one),
      );
      await open(swapped, `${one} and ${other}`, [BACKUP]);
    }
    for (const from of [OLDER, OTHER]) {
      if ((one + 1) * PAGE_SIZE > from.bytes.length) continue;
      await open(withPage(BACKUP.bytes, one, pageAt(from.bytes, one)), `page ${one}`, [BACKUP, OLDER]);
    }
  }
});

Deno.test("Vault.restoreTo() of a damaged backup puts what was backed up in the vault's place, or leaves all as it is", () =>
  withFolder(async (folder) => {
    const path = `${folder}/app.coffer`;
    const uses = await usesOf(BACKUP.bytes);
    const random = randomFrom(SEED);
    let [restored, refused] = [0, 0];
    for (const [page, use] of uses.entries()) {
      for (let i = 0; i < (DEEP ? 60 : use === "free" ? 0 : 3); i++) {
        const at = page * PAGE_SIZE + Math.floor(random() * (i % 2 === 0 ? 1600 : PAGE_SIZE));
        await Deno.writeFile(path, OLDER.bytes, { mode: 0o600 });
        const bytes = flipped(BACKUP.bytes, at, 1 << Math.floor(random() * 8));
        try {
          const medium = new FileMedium(new MemoryDisk(new MemoryFile(bytes)));
          await using backup = await Vault.open(medium, CREDENTIAL);
          await backup.restoreTo(path, { anchor: `${folder}/anchor`, rollback: true });
        } catch (error) {
          assert.ok(error instanceof CofferError && REFUSALS.includes(error.code), `byte ${at}: ${error}`);
          assert.deepEqual(await Deno.readFile(path), OLDER.bytes, `byte ${at}: the vault is as it was`);
          refused++;
          continue;
        }
        await using vault = await Vault.open(path, { ...CREDENTIAL, anchor: `${folder}/anchor` });
        assert.equal(await stateOf(vault), BACKUP.state, `byte ${at}`);
        assert.deepEqual((await vault.check()).problems, [], `byte ${at}`);
        restored++;
      }
    }
    assert.ok(refused > 0 && (restored > 0 || !DEEP));
  }));
