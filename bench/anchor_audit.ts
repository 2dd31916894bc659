/**
 * What do the anchor and the log add to one durable change?
 *
 * Vaults cannot be had without a log: here the sides without one take the notes of their transactions and drop them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TransactionSecrets, Vault } from "../mod.ts";
import { Engine, type Work } from "../lib/engine.ts";
import { findAnchor } from "../lib/opening.ts";
import { resolveCredential } from "../lib/sealed/credential.ts";
import { unwrapVaultKey } from "../lib/sealed/key_slot.ts";
import { deriveKeys } from "../lib/sealed/keys.ts";
import { decodeMeta } from "../lib/sealed/meta.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { type Bench, type Figure, interleaved, ms, nameOf, newValue, timed, withFolder } from "./harness.ts";

const COUNT = 25_000;
const ROUNDS = 40;
const PER_ROUND = 100;

const SIDES = {
  both: { anchor: true, log: true },
  log: { anchor: false, log: true },
  anchor: { anchor: true, log: false },
  neither: { anchor: false, log: false },
} as const;

/** The bench. */
export const bench: Bench = {
  name: "anchor_audit",
  question: "one durable change with anchor and log, against the same without them",
  run: () => withFolder(measure),
};

async function measure(folder: string): Promise<readonly Figure[]> {
  const keyFile = crypto.getRandomValues(new Uint8Array(32));
  const sides = await Promise.all(
    Object.entries(SIDES).map(async ([name, { anchor, log }]) => {
      const path = `${folder}/${name}.coffer`;
      await fill(path, keyFile, anchor);
      const engine = await openEngine(path, keyFile, anchor);
      let turn = 0;
      const change = () => engine.transact((work) => set(log ? work : silent(work), nameOf((turn++ * 7919) % COUNT)));
      return { name, path, engine, change, log };
    }),
  );
  // A folder in which files came and went just now has a vault look its own path up at every lock; an application's
  // folder stands still.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const { change } of sides) await change();

  const turns = sides.map(({ name, change }) => [name, () => timed(change, PER_ROUND)]);
  const times: Record<keyof typeof SIDES, number> = await interleaved(ROUNDS, Object.fromEntries(turns));

  const changes = 1 + (ROUNDS + 1) * PER_ROUND;
  for (const { path, engine, log } of sides) {
    const { generation, state } = engine.committed;
    assert.equal(state.count("secret"), COUNT);
    assert.equal(generation.meta.generation, 2 + changes);
    assert.equal(generation.meta.audit.length, 1 + COUNT + (log ? changes : 0));
    await engine.close();
    await using vault = await Vault.open(path, { keyFile });
    assert.deepEqual((await vault.check()).problems, []);
  }
  return [
    share("anchor and log / neither", times.both, times.neither, 1.25),
    share("log / neither", times.log, times.neither),
    share("anchor / neither", times.anchor, times.neither),
  ];
}

function share(name: string, value: number, base: number, atMost?: number): Figure {
  const detail = `${ms(value)} / ${ms(base)}`;
  return { name, value: value / base, ...(atMost === undefined ? {} : { atMost }), detail };
}

async function fill(path: string, keyFile: Uint8Array, anchored: boolean): Promise<void> {
  await using vault = await Vault.create(path, { keyFile, ...(anchored ? {} : { anchor: null }) });
  await vault.transaction((tx) => {
    for (let i = 0; i < COUNT; i++) tx.secrets.set(nameOf(i), newValue());
  });
}

async function openEngine(path: string, keyFile: Uint8Array, anchored: boolean): Promise<Engine> {
  const medium = await FileMedium.open(path);
  const lock = await medium.lock("shared");
  const meta = decodeMeta((await medium.read())!.meta);
  lock.release();
  const { vaultKey, slot } = await unwrapVaultKey(meta, await resolveCredential({ keyFile }));
  const keys = await deriveKeys(vaultKey, meta.vaultId);
  const anchor = anchored ? await findAnchor(path, undefined, meta) : undefined;
  return await Engine.load(medium, keys, { origin: { slot }, anchor });
}

function set(work: Work, name: string): void {
  new TransactionSecrets(work).set(name, newValue());
}

function silent(work: Work): Work {
  return { ...work, audit: () => {} };
}
