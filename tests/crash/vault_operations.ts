/**
 * What may be done to a vault, as operations for crashes and faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import { repairVault } from "../../lib/backup/repair.ts";
import { salvageVault } from "../../lib/backup/salvage.ts";
import { CofferError } from "../../lib/errors.ts";
import { newKeyFile } from "../../lib/sealed/keyfile.ts";
import { PAGE_SIZE } from "../../lib/storage/page.ts";
import { Vault } from "../../lib/vault.ts";
import { forgeNewest, metaPages } from "../backup/damage.ts";
import { CHEAP_KDF } from "../helpers.ts";
import { filled } from "../storage/helpers.ts";
import type { Operation } from "./crash_points.ts";
import { ROOT } from "./files.ts";
import { base, CREDENTIAL, operation, PATH, PATIENCE, type Steps } from "./vault_subject.ts";

/** Where an anchor is moved to. */
const OTHER_ANCHOR = `${ROOT}/other/app.anchor`;
/** Where a salvaged vault goes. */
const SALVAGED = `${ROOT}/disk/salvaged.coffer`;
/** Where a backup goes that is restored beside the vault. */
const RESTORED = `${ROOT}/disk/restored.coffer`;
/** What a secret may be told beside its note. */
const MORE = { type: "url", expiresAt: new Date("2040-01-01") };

/** Deltas that the next commit of some bytes outweighs the snapshot with. */
async function outweigh(vault: Vault): Promise<void> {
  await base(vault);
  for (let i = 0; i < 3; i++) await vault.secrets.set(`large/${i}`, filled(7_000, i));
}

const OLD_PASSPHRASE = { passphrase: "correct horse battery", attempts: false };
const NEW_PASSPHRASE = { passphrase: "new horse battery", attempts: false };

/** A passphrase slot, by which whoever knows it may open the vault too. */
async function withPassphrase(vault: Vault): Promise<void> {
  await base(vault);
  await vault.slots.add({ kind: "passphrase", passphrase: OLD_PASSPHRASE.passphrase, ...CHEAP_KDF });
}

/** A backup beside the vault, and then changes that it lacks. */
function backedUp(rotated = false): Pick<Steps, "prepare" | "then"> {
  return {
    prepare: async (vault) => {
      await base(vault);
      writeFile(BACKUP, (await vault.backup()).bytes);
      if (rotated) await vault.rotate({ credentials: [CREDENTIAL] });
      await vault.secrets.set("after the backup", "1");
    },
  };
}

const BACKUP = `${ROOT}/disk/app.backup`;

async function restore(path: string, rollback: boolean): Promise<void> {
  await using backup = await Vault.open(BACKUP, { ...CREDENTIAL, attempts: false });
  await backup.restoreTo(path, { rollback, timeout: PATIENCE });
}

/** Writes a file as an editor does, and makes it durable. */
function writeFile(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  file.seekSync(0, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  file.syncSync();
}

/** A commit that was torn before its anchor was written: it was never acknowledged. */
async function tear(): Promise<void> {
  const anchor = Deno.readFileSync(`${PATH}.anchor`);
  {
    await using vault = await Vault.open(PATH, CREDENTIAL);
    await vault.secrets.set("torn", "1");
  }
  writeFile(`${PATH}.anchor`, anchor);
  const bytes = Deno.readFileSync(PATH);
  const [{ number }] = await metaPages(bytes);
  bytes.fill(0x55, number * PAGE_SIZE + 2_000, number * PAGE_SIZE + 2_100);
  writeFile(PATH, bytes);
}

/** Damage of the newest segment that no torn write brings about. */
async function forge(): Promise<void> {
  writeFile(PATH, await forgeNewest(Deno.readFileSync(PATH)));
}

async function repair(older: boolean): Promise<void> {
  await repairVault(PATH, { ...CREDENTIAL, older });
}

/** Runs a step in two processes at a time, as far as one machine has them. */
async function inTurn(work: (first: Vault, second: Vault) => Promise<void>): Promise<void> {
  await using first = await Vault.open(PATH, CREDENTIAL);
  await using second = await Vault.open(PATH, CREDENTIAL);
  await work(first, second);
}

/** All that changes a vault. */
export const VAULT_OPERATIONS: readonly Operation[] = [
  {
    ...operation({
      name: "create",
      run: async (acknowledged) => {
        await (await Vault.create(PATH, CREDENTIAL as { keyFile: Uint8Array })).close();
        await acknowledged();
      },
      answers: ["vault-not-found"],
    }),
    prepare: () => Promise.resolve(),
  },
  operation({
    name: "set",
    steps: [(vault) => vault.secrets.set("db/url", "postgres://db/app", { note: "moved", ...MORE })],
  }),
  operation({
    name: "set, several times",
    steps: [1, 2, 3].map((value) => (vault) => vault.secrets.set("db/password", `${value}`)),
  }),
  operation({ name: "set, many pages", steps: [(vault) => vault.secrets.set("large", filled(30_000, 2))] }),
  operation({ name: "delete", steps: [(vault) => vault.secrets.delete("db/password")] }),
  operation({ name: "rename", steps: [(vault) => vault.secrets.rename("db/password", "db/secret")] }),
  operation({
    name: "transaction of many",
    steps: [(vault) =>
      vault.transaction((tx) => {
        for (let i = 0; i < 60; i++) tx.secrets.set(`many/${i}`, filled(20 * i, i));
        tx.secrets.delete("db/url");
      })],
  }),
  operation({
    name: "transactions of two handles in turn",
    run: (acknowledged) =>
      inTurn(async (first, second) => {
        for (const [index, vault] of [first, second, first].entries()) {
          await vault.secrets.set(`turn/${index}`, filled(100 + 4_000 * index, index));
          await acknowledged();
        }
      }),
  }),
  operation({
    name: "compaction",
    prepare: outweigh,
    steps: [(vault) => vault.secrets.set("large/3", filled(12_000, 9))],
  }),
  operation({
    name: "merging of deltas",
    prepare: async (vault) => {
      await base(vault);
      for (let i = 0; i < 5; i++) await vault.secrets.set(`small/${i}`, "1");
    },
    steps: [5, 6].map((i) => (vault) => vault.secrets.set(`small/${i}`, "1")),
  }),
  operation({
    name: "slot add",
    steps: [
      (vault) => vault.slots.add({ kind: "recovery", label: "paper" }),
      (vault) => vault.slots.add({ kind: "certificate" }),
    ],
  }),
  operation({
    name: "slot remove",
    prepare: withPassphrase,
    steps: [(vault) => vault.slots.remove(2)],
    closedTo: OLD_PASSPHRASE,
  }),
  operation({
    name: "passphrase change",
    prepare: withPassphrase,
    steps: [(vault) => vault.changePassphrase(NEW_PASSPHRASE.passphrase, { slot: 2, ...CHEAP_KDF })],
    open: [OLD_PASSPHRASE, NEW_PASSPHRASE],
    closedTo: OLD_PASSPHRASE,
  }),
  operation({
    name: "rotate",
    steps: [(vault) => vault.rotate({ credentials: [CREDENTIAL] }), (vault) => vault.secrets.set("db/url", "1")],
  }),
  operation({
    name: "rotate, twice, with a recovery code",
    prepare: async (vault) => {
      await base(vault);
      await vault.slots.add({ kind: "recovery" });
    },
    steps: [1, 2].map(() => (vault) => vault.rotate({ credentials: [CREDENTIAL], onRecoveryCode: () => {} })),
  }),
  operation({
    name: "restore to a new path",
    ...backedUp(),
    path: RESTORED,
    run: restoring(RESTORED, false),
    answers: ["vault-not-found"],
  }),
  operation({ name: "restore over the vault", ...backedUp(), run: restoring(PATH, true) }),
  operation({
    name: "restore of a backup from before a rotation",
    ...backedUp(true),
    run: restoring(PATH, true),
  }),
  operation({
    name: "repair of a torn commit",
    then: tear,
    run: repairing(false),
    leavesAnchor: true,
  }),
  operation({
    name: "repair that falls back",
    then: forge,
    run: repairing(true),
    leavesAnchor: true,
    answers: ["corrupt-vault"],
  }),
  operation({
    name: "audit prune",
    steps: [(vault) => vault.audit.prune({ before: new Date(Date.now() + 1_000) })],
  }),
  operation({
    name: "anchor move",
    steps: [(vault) => vault.moveAnchor(OTHER_ANCHOR)],
    open: [CREDENTIAL, { ...CREDENTIAL, anchor: OTHER_ANCHOR }],
  }),
  operation({
    name: "anchor trust",
    then: () => Promise.resolve(Deno.removeSync(`${PATH}.anchor`)),
    run: async (acknowledged) => {
      await (await Vault.open(PATH, { ...CREDENTIAL, trustAnchor: true })).close();
      await acknowledged();
    },
    answers: ["anchor-missing"],
  }),
  operation({
    name: "policy set",
    steps: [(vault) => vault.policies.set("max-secret-age", 90)],
  }),
  operation({
    name: "user create, change and delete",
    steps: [
      (vault) => vault.users.create({ tenant: "acme", name: "bob", role: "read" }),
      (vault) => vault.users.setRole("acme/bob", "admin"),
      (vault) => vault.users.disable("acme/bob"),
      (vault) => vault.users.delete("acme/ci"),
    ],
  }),
  operation({
    name: "API key create and revoke",
    steps: [
      (vault) => vault.apiKeys.create({ owner: "acme/ci", name: "second", role: "read" }),
      async (vault) => vault.apiKeys.revoke((await vault.apiKeys.list())[0]!.id),
    ],
  }),
  operation({
    name: "bootstrap of users",
    steps: [(vault) => vault.auth.bootstrap({ name: "root", onCertificate: () => {} })],
  }),
  operation({
    name: "unlock that fails, and the change after it",
    run: async (acknowledged) => {
      for (let i = 0; i < 2; i++) await failToOpen();
      await using vault = await Vault.open(PATH, CREDENTIAL);
      await vault.secrets.set("db/url", "1");
      await acknowledged();
    },
  }),
  operation({
    name: "salvage",
    path: SALVAGED,
    run: async (acknowledged) => {
      await salvageVault(PATH, SALVAGED, { ...CREDENTIAL });
      await acknowledged();
    },
    answers: ["vault-not-found"],
  }),
];

async function failToOpen(): Promise<void> {
  try {
    await using _ = await Vault.open(PATH, { keyFile: newKeyFile() });
    assert.fail("it opened");
  } catch (error) {
    if (!(error instanceof CofferError && error.code === "wrong-credential")) throw error;
  }
}

function restoring(path: string, rollback: boolean): Operation["run"] {
  return async (acknowledged) => {
    await restore(path, rollback);
    await acknowledged();
  };
}

function repairing(older: boolean): Operation["run"] {
  return async (acknowledged) => {
    await repair(older);
    await acknowledged();
  };
}
