/**
 * A process of its own that works on a vault until it has done enough, or is killed: `worker.ts ROLE PATH TIMES TIMEOUT WAITS`.
 *
 * Each line of its output is one thing that the vault has acknowledged, or that was seen there: `+` a counter went up by
 * one, `=` something else was done, `busy` a lock was not had in time. Whatever no user should meet ends it with a trace.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ConflictError, SlotNotFoundError, SlotsFullError, VaultRotatedError } from "../../lib/errors.ts";
import { BusyError } from "../../lib/errors.ts";
import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { type Transaction, Vault } from "../../lib/vault.ts";
import { KEY, type Role, TOKENS } from "./vault.ts";

const [role, path, times, timeout, waits] = Deno.args as [Role | "mix" | "hold", string, string, string, string];
const OPEN = { keyFile: KEY, timeout: Number(timeout) };

/** Written at once: a process that is killed afterwards has said so. */
function tell(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

/** Two secrets that always change together, and so have the same version. */
function add(tx: Transaction): void {
  const next = Number(tx.secrets.getText("counter")) + 1;
  assert.equal(tx.secrets.getText("mirror"), `${next - 1}`, "a transaction saw half of another");
  tx.secrets.set("counter", `${next}`);
  tx.secrets.set("mirror", `${next}`);
}

/** One token goes from name to name; there is always exactly one. */
function move(tx: Transaction): void {
  const [token, ...others] = tx.secrets.list({ prefix: "token/" });
  assert.equal(others.length, 0, "a rename left two");
  const next = `token/${Math.floor(Math.random() * TOKENS)}`;
  tx.secrets.rename(token!.name, next);
}

/** The versions of both counters in one state: every one that was committed has them equal. */
async function seen(vault: Vault): Promise<number> {
  const infos = await vault.secrets.list();
  const version = (name: string) => infos.find((info) => info.name === name)!.version;
  assert.equal(version("counter"), version("mirror"), "a state that was never committed");
  assert.equal(infos.filter(({ name }) => name.startsWith("token/")).length, 1, "a rename in two halves");
  return version("counter");
}

/** The newest state that this process knows of. */
let newest = 0;

function assertNotOlder(version: number): void {
  assert.ok(version >= newest, `version ${version} was seen after ${newest}`);
  newest = version;
}

const ROLES: Readonly<Record<Role, (vault: Vault) => Promise<string>>> = {
  add: async (vault) => {
    await vault.transaction(add);
    return "+";
  },
  rename: async (vault) => {
    await vault.transaction(move);
    return "=";
  },
  slots: async (vault) => {
    const { id } = await vault.slots.add({ kind: "recovery" });
    await vault.slots.remove(id);
    return "=";
  },
  rotate: async (vault) => {
    await vault.rotate({ credentials: [{ keyFile: KEY }], dropOthers: true });
    return "=";
  },
  read: async (vault) => {
    assertNotOlder(await seen(vault));
    return "=";
  },
  backup: async (vault) => {
    const { bytes } = await vault.backup();
    await using copy = await Vault.open(new FileMedium(new MemoryDisk(new MemoryFile(bytes))), { keyFile: KEY });
    assertNotOlder(await seen(copy));
    assert.deepEqual((await copy.check()).problems, []);
    return "=";
  },
};

/** What may come in between when others change slots and keys. Transactions come one after another: none is told of another. */
const ALLOWED: Readonly<Partial<Record<Role, readonly (new (...all: never[]) => Error)[]>>> = {
  slots: [SlotNotFoundError, SlotsFullError],
  rotate: [ConflictError],
};

async function work(vault: Vault, chosen: Role): Promise<Vault> {
  try {
    tell(await ROLES[chosen](vault));
  } catch (error) {
    if (error instanceof VaultRotatedError) {
      await vault.close();
      return await Vault.open(path, OPEN);
    }
    if (error instanceof BusyError) tell("busy");
    else if (!ALLOWED[chosen]?.some((allowed) => error instanceof allowed)) throw error;
  }
  return vault;
}

/** Keeps the lock until a byte comes in. */
async function hold(vault: Vault): Promise<void> {
  await vault.transaction(async (tx) => {
    tell("holding");
    await Deno.stdin.read(new Uint8Array(1));
    add(tx);
  });
  tell("+");
}

let vault = await Vault.open(path, OPEN);
try {
  tell("ready");
  if (waits === "true") await Deno.stdin.read(new Uint8Array(1));
  if (role === "hold") await hold(vault);
  else {
    const mixed: readonly Role[] = ["add", "add", "add", "rename", "rename", "read", "slots", "rotate", "backup"];
    for (let done = 0; done < Number(times); done++) {
      vault = await work(vault, role === "mix" ? mixed[Math.floor(Math.random() * mixed.length)]! : role);
    }
  }
} finally {
  await vault.close();
}
