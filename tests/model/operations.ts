/**
 * What can be done to a vault, each beside what it does to the model.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import type { ErrorCode } from "../../lib/error_table.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { type Transaction, Vault } from "../../lib/vault.ts";
import type { Draw } from "./draw.ts";
import type { Model } from "./model.ts";
import { SECRET_CHANGES, set } from "./secret_changes.ts";
import { KEY, type World } from "./world.ts";

/** Does something to vault and model alike. */
export type Operation = (world: World, draw: Draw) => Promise<void>;

/** Holds the error of the vault against the one that the model expects, if any. */
async function agrees(expected: ErrorCode | undefined, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (expected === undefined || !(error instanceof CofferError) || error.code !== expected) throw error;
    return false;
  }
  assert.equal(expected, undefined, "the vault should have refused");
  return true;
}

const change: Operation = async (world, draw) => {
  const vault = await world.vault();
  const next = world.model.copy();
  const { expected, run, note } = draw.of(SECRET_CHANGES)(next, draw);
  // Noted before it is tried: after a crash it may or may not have been.
  if (expected === undefined) {
    note();
    world.model = next;
  }
  await agrees(expected, () => vault.transaction((tx) => run(tx.secrets)));
};

/** Several changes that come together, or not at all. */
const transaction: Operation = async (world, draw) => {
  const vault = await world.vault();
  const next = world.model.copy();
  const drawn = Array.from({ length: 1 + draw.below(12) }, () => draw.of(SECRET_CHANGES));
  const throws = draw.random() < 0.25;
  const thrown = new Error("on purpose");
  const steps: ((secrets: Transaction["secrets"]) => void)[] = [];
  for (const one of drawn) {
    const { expected, run, note } = one(next, draw);
    if (expected !== undefined) continue;
    steps.push(run);
    note();
  }
  if (!throws) world.model = next;
  try {
    await vault.transaction((tx) => {
      for (const step of steps) step(tx.secrets);
      if (throws) throw thrown;
    });
  } catch (error) {
    if (error !== thrown) throw error;
  }
};

/** Several transactions that are started at once share a commit, and keep their order. */
const together: Operation = async (world, draw) => {
  const vault = await world.vault();
  world.model = world.model.copy();
  const running: Promise<unknown>[] = [];
  for (let i = 0; i < 3; i++) {
    const { expected, run, note } = draw.of(SECRET_CHANGES)(world.model, draw);
    if (expected !== undefined) continue;
    note();
    running.push(vault.transaction((tx) => run(tx.secrets)));
  }
  const failed = (await Promise.allSettled(running)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
};

/** Another process changes the vault while this one has it open. */
const otherProcess: Operation = async (world, draw) => {
  world.model = world.model.copy();
  const { run, note } = set(world.model, draw);
  note();
  const other = await world.other();
  try {
    await other.transaction((tx) => run(tx.secrets));
  } finally {
    await other.close();
  }
};

const user: Operation = async (world, draw) => {
  const vault = await world.vault();
  const name = draw.user();
  const next = world.model.copy();
  const known = next.users.get(name);
  const role = draw.of(["read", "write", "admin"] as const);
  // One admin is always there, so that nobody is the last.
  const [tenant, own] = name.includes("/") ? name.split("/") as [string, string] : [undefined, name];
  const missing: ErrorCode | undefined = known === undefined ? "user-not-found" : undefined;
  const admins = [...next.users].filter(([id, one]) => !id.includes("/") && one.enabled && one.role === "admin");
  const last: ErrorCode | undefined = admins.length === 1 && admins[0]![0] === name ? "last-admin" : undefined;
  switch (draw.below(5)) {
    case 0: {
      if (known === undefined) next.users.set(name, { role, enabled: true, keys: new Map() });
      const expected = known === undefined ? undefined : "user-exists";
      next.noted("user.create", name, role);
      if (expected === undefined) world.model = next;
      return void await agrees(expected, () => vault.users.create({ tenant, name: own, role }));
    }
    case 1: {
      const expected = missing ?? last;
      next.users.delete(name);
      next.noted("user.delete", name);
      if (expected === undefined) world.model = next;
      return void await agrees(expected, () => vault.users.delete(name));
    }
    case 2: {
      const expected = missing ?? (role === "admin" ? undefined : last);
      if (known !== undefined) known.role = role;
      next.noted("user.role", name, role);
      if (expected === undefined) world.model = next;
      return void await agrees(expected, () => vault.users.setRole(name, role));
    }
    case 3: {
      const expected = missing ?? last;
      if (known !== undefined) known.enabled = false;
      next.noted("user.disable", name);
      if (expected === undefined) world.model = next;
      return void await agrees(expected, () => vault.users.disable(name));
    }
    default:
      if (known !== undefined) known.enabled = true;
      next.noted("user.enable", name);
      if (missing === undefined) world.model = next;
      return void await agrees(missing, () => vault.users.enable(name));
  }
};

const apiKey: Operation = async (world, draw) => {
  const vault = await world.vault();
  const name = draw.user();
  const owner = world.model.users.get(name);
  const id = [...owner?.keys.keys() ?? []].at(draw.below(3));
  if (id !== undefined && draw.random() < 0.6) {
    world.model = world.model.copy();
    world.model.users.get(name)!.keys.delete(id);
    world.model.noted("apikey.revoke", id, name);
    return void await vault.apiKeys.revoke(id);
  }
  const label = `key ${draw.below(100)}`;
  // Its id is drawn by the vault, so the model learns it once it is there: not in the middle of a crash.
  await agrees(owner === undefined ? "user-not-found" : undefined, async () => {
    const made = await vault.apiKeys.create({ owner: name, name: label });
    world.model = world.model.copy();
    world.model.users.get(name)!.keys.set(made.id, { name: label });
    world.model.noted("apikey.create", made.id, name);
  });
};

const slot: Operation = async (world, draw) => {
  const vault = await world.vault();
  const next = world.model.copy();
  const spare = [...next.slots].filter((id) => id !== 1);
  if (spare.length > 0 && (next.slots.size > 5 || draw.random() < 0.5)) {
    const id = draw.of(spare);
    next.slots.delete(id);
    next.noted("slot.remove", id);
    world.model = next;
    await vault.slots.remove(id);
  } else {
    next.noted("slot.add", next.nextSlot);
    next.slots.add(next.nextSlot++);
    world.model = next;
    await vault.slots.add({ kind: draw.of(["recovery", "certificate"]) });
  }
};

const rotate: Operation = async (world) => {
  const vault = await world.vault();
  const next = world.model.copy();
  next.epoch++;
  next.slots = new Set([1]);
  next.noted("vault.rotate");
  world.model = next;
  await vault.rotate({ credentials: [{ keyFile: KEY }], dropOthers: true });
};

const policy: Operation = async (world, draw) => {
  const vault = await world.vault();
  const next = world.model.copy();
  world.model = next;
  if (draw.random() < 0.5) {
    next.maxAge = draw.of([null, 30, 90]);
    next.noted("policy.set", "max-secret-age", `${next.maxAge}`);
    await vault.policies.set("max-secret-age", next.maxAge);
  } else {
    next.plaintextExport = draw.of(["allow", "forbid"]);
    next.noted("policy.set", "plaintext-export", next.plaintextExport);
    await vault.policies.set("plaintext-export", next.plaintextExport, { credential: { keyFile: KEY } });
  }
};

const prune: Operation = async (world) => {
  const vault = await world.vault();
  world.model = world.model.copy();
  world.model.log = ["audit.prune"];
  await vault.audit.prune({ before: new Date(Date.now() + 1000) });
};

const restart: Operation = async (world) => {
  await world.close();
  await world.vault();
};

/** Makes a backup, goes on for a while, and puts the backup back. */
const backupAndRestore: Operation = async (world, draw) => {
  const { bytes } = await (await world.vault()).backup();
  const kept = world.model.copy();
  for (let i = draw.below(4); i > 0; i--) await draw.of([change, policy])(world, draw);
  await world.close();
  const folder = await Deno.makeTempDir({ prefix: "coffer-model-" });
  try {
    const path = `${folder}/a`;
    await Deno.writeFile(path, world.file, { mode: 0o600 });
    await Deno.writeFile(`${path}.anchor`, world.anchor.bytes!, { mode: 0o600 });
    {
      await using copy = await Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(bytes))), { keyFile: KEY });
      assert.equal(await world.seen(copy), kept.toString(), "the backup is not what was backed up");
      await copy.restoreTo(path, { rollback: true });
    }
    await world.replace(await Deno.readFile(path), await Deno.readFile(`${path}.anchor`));
    // A number that was given since then may be given again: the backup does not know of it.
    kept.noted("vault.restore");
    keepStricter(kept, world.model);
    world.model = kept;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

/** A restore takes no restriction away that either vault had. */
function keepStricter(kept: Model, { maxAge, plaintextExport }: Model): void {
  if (plaintextExport === "forbid" && kept.plaintextExport === "allow") {
    kept.plaintextExport = "forbid";
    kept.noted("policy.set", "plaintext-export", "forbid");
  }
  if (maxAge !== null && maxAge < (kept.maxAge ?? Infinity)) {
    kept.maxAge = maxAge;
    kept.noted("policy.set", "max-secret-age", maxAge);
  }
}

/** Operations, and how often they are drawn. A crash may come into the ones that say so. */
export const OPERATIONS: readonly {
  readonly name: string;
  readonly run: Operation;
  readonly weight: number;
  readonly crashes: boolean;
}[] = [
  { name: "change", run: change, weight: 50, crashes: true },
  { name: "transaction", run: transaction, weight: 14, crashes: true },
  { name: "together", run: together, weight: 6, crashes: false },
  { name: "other process", run: otherProcess, weight: 5, crashes: false },
  { name: "user", run: user, weight: 10, crashes: true },
  { name: "API key", run: apiKey, weight: 5, crashes: false },
  { name: "slot", run: slot, weight: 3, crashes: true },
  { name: "rotate", run: rotate, weight: 1, crashes: true },
  { name: "policy", run: policy, weight: 2, crashes: true },
  { name: "prune", run: prune, weight: 1, crashes: true },
  { name: "restart", run: restart, weight: 4, crashes: false },
  { name: "backup and restore", run: backupAndRestore, weight: 1, crashes: false },
];

const TOTAL = OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);

/** One operation, as often as its weight says. */
export function drawOperation(draw: Draw): typeof OPERATIONS[number] {
  let rest = draw.below(TOTAL);
  return OPERATIONS.find(({ weight }) => (rest -= weight) < 0)!;
}
