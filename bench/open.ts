/**
 * What does opening 100,000 secrets cost, against decrypting and parsing the same bytes and nothing else?
 *
 * @module
 */
import assert from "node:assert/strict";
import { concat, encodeUtf8 } from "../lib/bytes.ts";
import { readSegmentHeader } from "../lib/sealed/segment.ts";
import { FileMedium } from "../lib/storage/file.ts";
import { withLock } from "../lib/storage/locking.ts";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, ms, nameOf, timed, withSecrets } from "./harness.ts";

const COUNT = 100_000;
const CHUNK = 1024 * 1024;

/** The bench. */
export const bench: Bench = {
  name: "open",
  question: "opening 100,000 secrets with a key file, against AES-GCM and one JSON.parse of the same bytes",
  run: () =>
    withSecrets(COUNT, async ({ vault, path, keyFile }) => {
      const open = async () => await (await Vault.open(path, { keyFile })).close();

      await using again = await Vault.open(path, { keyFile });
      const last = nameOf(COUNT - 1);
      assert.equal((await again.status()).secrets, COUNT);
      assert.equal(await again.secrets.getText(last), await vault.secrets.getText(last));
      const bytes = await openedBytes(path);

      const { decode, size } = await sealJson(await records(vault));
      assert.equal((await decode()).length, COUNT);
      assert.ok(Math.abs(size / bytes - 1) < 0.05, `the peer reads ${size} bytes, the vault ${bytes}`);

      const times = await interleaved(11, { coffer: () => timed(open), floor: () => timed(decode) });
      return [{
        name: "open / decrypt and parse",
        value: times.coffer / times.floor,
        atMost: 2.5,
        detail: `${ms(times.coffer)} / ${ms(times.floor)} for ${(bytes / 1e6).toFixed(1)} MB`,
      }];
    }),
};

/** The state as one would write it without a vault: an array of kind, name and record. */
async function records(vault: Vault): Promise<unknown[]> {
  const all: unknown[] = [];
  await vault.transaction((tx) => {
    for (const { name, version, createdAt, updatedAt, size } of tx.secrets.list()) {
      const [created, updated, value] = [createdAt.getTime(), updatedAt.getTime(), tx.secrets.get(name).toBase64()];
      all.push(["secret", name, { created, updated, versions: [{ version, created, size, value }] }]);
    }
  });
  return all;
}

async function sealJson(all: unknown[]): Promise<{ decode: () => Promise<unknown[]>; size: number }> {
  const text = encodeUtf8(JSON.stringify(all));
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const chunks: { iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer }[] = [];
  for (let at = 0; at < text.length; at += CHUNK) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, text.subarray(at, at + CHUNK));
    chunks.push({ iv, sealed });
  }
  const decode = async () => {
    const opened = await Promise.all(
      chunks.map(({ iv, sealed }) => crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed)),
    );
    return JSON.parse(new TextDecoder().decode(concat(...opened.map((chunk) => new Uint8Array(chunk)))));
  };
  return { decode, size: text.length };
}

/** Bytes of the segments that opening reads: old entries of the log are left alone until somebody asks for them. */
async function openedBytes(path: string): Promise<number> {
  const medium = await FileMedium.open(path);
  try {
    return await withLock(medium, "shared", {}, async () => {
      let bytes = 0;
      for (const segment of (await medium.read())!.segments) {
        if ((await readSegmentHeader(segment)).kind !== "audit") bytes += segment.length;
      }
      return bytes;
    });
  } finally {
    medium.close();
  }
}
