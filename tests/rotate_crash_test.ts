/**
 * Rotations that stop half-way, and anchors of other epochs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { newKeyFile } from "../lib/sealed/keyfile.ts";
import { MemoryDisk, MemoryFile } from "../lib/storage/disk_memory.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { type OpenOptions, Vault } from "../lib/vault.ts";
import { MemoryAnchor } from "./memory_anchor.ts";
import { gather, rejectsWith, withFolder } from "./helpers.ts";
import { type Fault, FaultyDisk, FaultyMachine, imageAfter } from "./storage/faulty_disk.ts";

/** A vault file with its anchor, of epoch 1. */
async function initial(): Promise<{ image: Uint8Array; anchor: Uint8Array; keyFile: Uint8Array }> {
  return await withFolder(async (folder) => {
    const store = new MemoryAnchor();
    const keyFile = newKeyFile();
    await using vault = await Vault.create(`${folder}/v`, { keyFile, anchor: store });
    await vault.secrets.set("a", "1");
    await vault.secrets.set("b", new Uint8Array(20_000));
    await vault.close();
    return { image: Deno.readFileSync(`${folder}/v`), anchor: store.read()!, keyFile };
  });
}

function mediumOf(image: Uint8Array): FileMedium {
  return new FileMedium(new MemoryDisk(new MemoryFile(image)));
}

const KINDS: readonly Fault["kind"][] = ["stop-before", "stop-after", "tear", "fail-once", "fail-from"];

Deno.test("Vault.rotate that stops at any call of the disk leaves the old key or the new one, and no anchor ahead", async () => {
  const { image, anchor, keyFile } = await initial();
  let last = 0;
  const seen = new Set<number>();
  for (const kind of KINDS) {
    for (let call = 0; call <= last || last === 0; call++) {
      const fault = { kind, call, ...(kind === "tear" ? { bytes: 1000 } : {}) } as Fault;
      const machine = new FaultyMachine(image, fault);
      const store = new MemoryAnchor(anchor);
      const vault = await Vault.open(new FileMedium(new FaultyDisk(machine)), { keyFile, anchor: store });
      let acknowledged = false;
      try {
        await vault.rotate({ credentials: [{ keyFile }] });
        acknowledged = true;
      } catch { /* What matters is what is left. */ }
      await vault.close().catch(() => {});
      last = Math.max(last, machine.calls);
      const survivors = [0, 1, 2].map((pick) => imageAfter(image, machine.log, { keeps: (at) => at % 3 === pick }));
      const none = imageAfter(image, machine.log, { keeps: () => false });
      for (const left of [machine.file.bytes, none, ...survivors]) {
        const context = `${kind} at call ${call}`;
        seen.add(await survives(left, store, keyFile, acknowledged, context));
      }
      if (acknowledged && machine.calls <= call) break;
    }
  }
  assert.ok(last >= 3, `${last} calls`);
  assert.deepEqual([...seen].sort(), [1, 2]);
});

/** Opens what is left, changes it, and gives the epoch that was found. */
async function survives(
  image: Uint8Array,
  left: MemoryAnchor,
  keyFile: Uint8Array,
  acknowledged: boolean,
  context: string,
): Promise<number> {
  const disk = new MemoryFile(image);
  const anchor = new MemoryAnchor(left.bytes);
  const open = async () => await Vault.open(new FileMedium(new MemoryDisk(disk)), { keyFile, anchor });
  await using vault = await open();
  const { epoch, generation } = await vault.status();
  assert.ok(anchor.generation <= generation, `anchor ahead: ${context}`);
  if (acknowledged) assert.equal(epoch, 2, context);
  assert.equal(await vault.secrets.getText("a"), "1", context);
  assert.equal((await vault.secrets.get("b")).length, 20_000, context);
  await vault.secrets.set("a", "2");
  assert.equal(anchor.generation, generation + 1, `anchor level again: ${context}`);
  await using again = await open();
  assert.deepEqual((await again.check()).problems, [], context);
  return epoch;
}

Deno.test("Vault.open takes a vault whose rotation was committed and whose anchor was not moved, and moves it up", async () => {
  for (const writes of ["lost", "failing"] as const) {
    const { image, anchor, keyFile } = await initial();
    const file = new MemoryFile(image);
    const store = new MemoryAnchor(anchor);
    const open = async () => await Vault.open(new FileMedium(new MemoryDisk(file)), { keyFile, anchor: store });
    {
      await using vault = await open();
      if (writes === "failing") store.failingEpoch = 2;
      else store.lostEpoch = 2;
      const rotated = vault.rotate({ credentials: [{ keyFile }] });
      if (writes === "failing") await rejectsWith(() => rotated, "io-error");
      else assert.equal((await rotated).epoch, 2);
      store.lostEpoch = store.failingEpoch = undefined;
    }
    assert.deepEqual(store.bytes, anchor);
    await using vault = await open();
    const { epoch, generation } = await vault.status();
    assert.equal(epoch, 2);
    await vault.secrets.set("a", "2");
    assert.equal(store.generation, generation + 1);
    await using again = await open();
    assert.equal(await again.secrets.getText("a"), "2");
  }
});

Deno.test("Vault.rotate changes nothing when the anchor can not be made durable before it", async () => {
  const { image, anchor, keyFile } = await initial();
  const file = new MemoryFile(image);
  const store = new MemoryAnchor(anchor);
  await using vault = await Vault.open(new FileMedium(new MemoryDisk(file)), { keyFile, anchor: store });
  store.failingEpoch = 1;
  await rejectsWith(() => vault.rotate({ credentials: [{ keyFile }] }), "io-error");
  store.failingEpoch = undefined;
  assert.deepEqual(file.bytes, image);
  assert.equal((await vault.status()).epoch, 1);
  assert.equal((await vault.rotate({ credentials: [{ keyFile }] })).epoch, 2);
});

Deno.test("Vault.rotate moves an anchor up first that an earlier rotation left behind", async () => {
  const { image, anchor, keyFile } = await initial();
  const file = new MemoryFile(image);
  const store = new MemoryAnchor(anchor);
  const open = async () => await Vault.open(new FileMedium(new MemoryDisk(file)), { keyFile, anchor: store });
  for (const epoch of [2, 3]) {
    await using vault = await open();
    store.lostEpoch = epoch;
    assert.equal((await vault.rotate({ credentials: [{ keyFile }] })).epoch, epoch);
  }
  store.lostEpoch = undefined;
  await using vault = await open();
  assert.equal((await vault.status()).epoch, 3);
  const log = await gather(vault.audit.entries());
  assert.deepEqual(log.map(({ operation }) => operation).slice(-3), ["vault.rotate", "anchor.move", "vault.rotate"]);
});

Deno.test("Vault.open holds vaults of each epoch against anchors of each epoch", async () => {
  const { image, anchor, keyFile } = await initial();
  const images = [image];
  const anchors = [anchor];
  const file = new MemoryFile(image);
  const store = new MemoryAnchor(anchor);
  for (let epoch = 2; epoch <= 4; epoch++) {
    await using vault = await Vault.open(new FileMedium(new MemoryDisk(file)), { keyFile, anchor: store });
    await vault.rotate({ credentials: [{ keyFile }] });
    images.push(file.bytes.slice());
    anchors.push(store.read()!);
  }
  const answer = async (options: OpenOptions, bytes: Uint8Array): Promise<string> => {
    try {
      await using vault = await Vault.open(mediumOf(bytes), options);
      return await vault.secrets.getText("a");
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (const [vaultAt, bytes] of images.entries()) {
    for (const [anchorAt, contents] of anchors.entries()) {
      // One epoch behind is what a crash leaves; two are no crash's doing, and that key is gone.
      const expected = anchorAt > vaultAt ? "rollback-detected" : vaultAt - anchorAt > 1 ? "anchor-damaged" : "1";
      const found = await answer({ keyFile, anchor: new MemoryAnchor(contents) }, bytes);
      assert.equal(found, expected, `vault of epoch ${vaultAt + 1}, anchor of epoch ${anchorAt + 1}`);
    }
    // An anchor of the epoch before that was tampered with is authentic under no key.
    const forged = anchors[Math.max(0, vaultAt - 1)]!.map((byte, at) => at % 512 === 80 ? byte ^ 1 : byte);
    assert.equal(await answer({ keyFile, anchor: new MemoryAnchor(forged) }, bytes), "anchor-damaged");
  }
});
