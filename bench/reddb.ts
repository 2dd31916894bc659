/**
 * What does saving and loading a RedDB vault cost, against one pass of the cipher and one file written and synced?
 *
 * The key is derived once per handle, before the clock starts: the format fixes what it costs. Saves take turns between
 * two regions of the file, as they do in practice; what a save empties behind it is part of its time.
 *
 * @module
 */
import assert from "node:assert/strict";
import { encodeUtf8 } from "../lib/bytes.ts";
import { importAesKey, open, seal } from "../lib/crypto/aes_gcm.ts";
import { randomBytes } from "../lib/crypto/random.ts";
import { checkRedDbFile, KeyPair, RedDbVault, VaultState } from "../lib/reddb/mod.ts";
import { type Bench, type Figure, interleaved, ms, timed, withFolder } from "./harness.ts";

const LARGEST = 30_000_000;
const SIZES = [
  { name: "10 KB", size: 10_000, rounds: 21, times: 10 },
  { name: "1 MB", size: 1_000_000, rounds: 15, times: 3 },
  { name: "30 MB", size: LARGEST, rounds: 7, times: 1 },
];
/** Bytes of text in one value; twice as many in the payload. */
const VALUE_SIZE = 1000;
const AAD = encodeUtf8("bench");

/** The bench. */
export const bench: Bench = {
  name: "reddb",
  question: "save and load of a RedDB vault, against one AES-GCM pass and one file write with a sync",
  run: () => withFolder(compareAll),
};

async function compareAll(folder: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const { certificate } = await KeyPair.generate();
  for (const { name, size, rounds, times } of SIZES) {
    const path = `${folder}/${size}.rdb`;
    const state = stateOf(size);
    const payload = state.serialize();
    await using vault = await RedDbVault.create(path, { certificate }, { environment: () => undefined });
    await vault.save(state);
    assert.deepEqual((await vault.load())?.serialize(), payload);
    const key = await importAesKey(randomBytes(32));
    using file = Deno.openSync(`${folder}/floor`, { read: true, write: true, create: true, truncate: true });
    const floorSave = async () => {
      const sealed = await seal(key, payload, AAD);
      file.seekSync(0, Deno.SeekMode.Start);
      for (let done = 0; done < sealed.length;) done += await file.write(sealed.subarray(done));
      await file.syncData();
    };
    const floorLoad = async () => {
      const sealed = new Uint8Array(payload.length + 28);
      file.seekSync(0, Deno.SeekMode.Start);
      for (let done = 0; done < sealed.length;) done += (await file.read(sealed.subarray(done)))!;
      return await open(key, sealed, AAD);
    };
    await floorSave();
    assert.deepEqual(await floorLoad(), payload);

    const median = await interleaved(rounds, {
      save: () => timed(() => vault.save(state), times),
      floorSave: () => timed(floorSave, times),
      load: () => timed(() => vault.load(), times),
      floorLoad: () => timed(floorLoad, times),
    });
    assert.deepEqual((await checkRedDbFile(path)).problems, []);
    for (const side of ["save", "load"] as const) {
      figures.push({
        name: `${side} of ${name} / floor`,
        value: median[side] / median.floorSave,
        ...(size === LARGEST ? { atMost: 3 } : {}),
        detail: `${ms(median[side])} / ${ms(median.floorSave)}`,
      });
    }
    figures.push({
      name: `load of ${name} / read and decrypt`,
      value: median.load / median.floorLoad,
      detail: `${ms(median.load)} / ${ms(median.floorLoad)}`,
    });
  }
  return figures;
}

/** A state whose payload has about so many bytes, most of them in values of a size that secrets have. */
function stateOf(size: number): VaultState {
  const state = VaultState.empty();
  for (let i = 0; i * 2 * VALUE_SIZE < size; i++) {
    state.kv.set(`red.secret.${i}`, randomBytes(VALUE_SIZE / 2).toHex());
  }
  return state;
}
