import assert from "node:assert/strict";
import { InputOutputError } from "../lib/errors.ts";
import { MAX_SEGMENTS, type Medium } from "../lib/storage/medium.ts";
import { MemoryMedium, MemoryStore } from "../lib/storage/memory.ts";
import { Vault } from "../lib/vault.ts";
import { CHEAP_KDF, PASSPHRASE, patterned, rejectsWith } from "./helpers.ts";

const CREDENTIAL = { passphrase: PASSPHRASE };

/** A memory medium whose commits, reads or locks fail while they are told to. */
class FailingMedium extends MemoryMedium {
  failing: "commit" | "read" | "lock" | undefined;
  commits = 0;

  override lock(...options: Parameters<Medium["lock"]>): ReturnType<Medium["lock"]> {
    return this.failing === "lock" ? Promise.reject(failure("lock")) : super.lock(...options);
  }

  override read(...since: Parameters<Medium["read"]>): ReturnType<Medium["read"]> {
    return this.failing === "read" ? Promise.reject(failure("read")) : super.read(...since);
  }

  override async commit(...all: Parameters<Medium["commit"]>): ReturnType<Medium["commit"]> {
    if (this.failing === "commit") throw failure("write");
    this.commits++;
    return await super.commit(...all);
  }
}

function failure(operation: string): InputOutputError {
  return new InputOutputError(operation, "memory");
}

async function make(): Promise<{ vault: Vault; medium: FailingMedium; store: MemoryStore }> {
  const store = new MemoryStore();
  const medium = new FailingMedium(store);
  return { vault: await Vault.create(medium, { ...CREDENTIAL, ...CHEAP_KDF }), medium, store };
}

Deno.test("Engine.transact() tells all that shared a commit that it failed, and shows nothing of it", async () => {
  const { vault, medium } = await make();
  await vault.secrets.set("a", "1");
  medium.failing = "commit";
  const results = await Promise.allSettled(["b", "c", "d"].map((name) => vault.secrets.set(name, "1")));
  assert.ok(results.every(({ status }) => status === "rejected"));
  assert.deepEqual((await vault.secrets.list()).map(({ name }) => name), ["a"]);
  medium.failing = undefined;
  await vault.secrets.set("b", "2");
  assert.deepEqual((await vault.secrets.list()).map(({ name }) => name), ["a", "b"]);
  assert.deepEqual((await vault.check()).problems, []);
  await vault.close();
});

Deno.test("Engine goes on after a lock or a read that failed", async () => {
  const { vault, medium } = await make();
  await vault.secrets.set("a", "1");
  for (const failing of ["lock", "read"] as const) {
    medium.failing = failing;
    const changes = ["b", "c"].map((name) => vault.secrets.set(name, "1"));
    for (const { status } of await Promise.allSettled(changes)) assert.equal(status, "rejected");
    await rejectsWith(() => vault.secrets.get("a"), "io-error");
    medium.failing = undefined;
    assert.equal(await vault.secrets.getText("a"), "1");
    await vault.secrets.set("a", "1");
  }
  assert.equal((await vault.status()).secrets, 1);
  await vault.close();
});

Deno.test("Engine.transact() makes one commit of what waits together, in the order in which it came", async () => {
  const { vault, medium } = await make();
  const before = medium.commits;
  const seen: number[] = [];
  await Promise.all(Array.from({ length: 100 }, (_, i) =>
    vault.transaction((tx) => {
      seen.push(i);
      const last = tx.secrets.has("last") ? Number(tx.secrets.getText("last")) : -1;
      assert.equal(last, i - 1, "each sees what came before it in the same commit");
      tx.secrets.set("last", `${i}`);
    })));
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => i));
  assert.ok(medium.commits - before <= 3, `${medium.commits - before} commits`);
  await vault.close();
});

Deno.test("Engine keeps its segments few over many commits, and a fresh load agrees with it", async () => {
  const { vault, store } = await make();
  await using other = await Vault.open(new MemoryMedium(store), CREDENTIAL);
  for (let i = 0; i < 400; i++) {
    const name = `name/${i % 37}`;
    if (i % 11 === 5) await vault.transaction((tx) => tx.secrets.has(name) && tx.secrets.delete(name));
    else await vault.secrets.set(name, patterned(i % 13 === 0 ? 3000 : i % 200, i % 251));
    assert.ok(store.newest!.segments.length <= MAX_SEGMENTS);
    if (i % 29 === 0) await other.secrets.list();
  }
  await using fresh = await Vault.open(new MemoryMedium(store), CREDENTIAL);
  for (const { name, version } of await vault.secrets.list()) {
    for (const each of [other, fresh]) {
      assert.equal((await each.secrets.info(name)).version, version);
      assert.deepEqual(await each.secrets.get(name), await vault.secrets.get(name));
    }
  }
  assert.equal((await fresh.status()).secrets, (await vault.status()).secrets);
  assert.equal((await other.status()).secrets, (await vault.status()).secrets);
  await vault.close();
});
