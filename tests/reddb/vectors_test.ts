import assert from "node:assert/strict";
import { decodeHex, encodeHex, encodeUtf8 } from "../../lib/bytes.ts";
import { deriveKeyBytes, requireCredential } from "../../lib/reddb/credential.ts";
import { KeyPair } from "../../lib/reddb/key_pair.ts";
import { unsealLogicalExport } from "../../lib/reddb/logical_export.ts";
import { CofferError } from "../../lib/errors.ts";
import { openMemory, placeOf, shapeOf, type Vector, vectorBytes, VECTORS } from "./helpers.ts";

/** The codes that an error of the index may be. */
const CODES: Record<string, readonly string[]> = {
  "corrupt": ["reddb-corrupt"],
  "corrupt-or-decryption": ["reddb-corrupt", "reddb-decryption"],
  "decryption": ["reddb-decryption"],
  "legacy": ["reddb-legacy"],
  "unsupported": ["reddb-unsupported"],
};

for (const vector of VECTORS.filter(({ file }) => file.endsWith(".rdb"))) {
  Deno.test(`RedDbVault.load() of the vector ${vector.file} gives ${outcome(vector)}`, async () => {
    const bytes = await vectorBytes(vector.file);
    const place = placeOf(bytes);
    await using vault = await openMemory(place, vector.credential);
    if (vector.error !== undefined) await rejectsAsSaid(() => vault.load(), vector.error);
    else {
      const state = await vault.load();
      assert.deepEqual(state && shapeOf(state), vector.state ?? null);
      if (vector.plaintext_len !== undefined) assert.equal(state!.serialize().length, vector.plaintext_len);
    }
    assert.deepEqual(place.file.bytes, bytes, "loading changes no byte");
  });
}

for (const vector of VECTORS.filter(({ file }) => file.endsWith(".rdvx"))) {
  Deno.test(`unsealLogicalExport() of the vector ${vector.file} gives ${outcome(vector)}`, async () => {
    const text = new TextDecoder().decode(await vectorBytes(vector.file));
    const work = () => unsealLogicalExport(text, vector.credential);
    if (vector.error !== undefined) await rejectsAsSaid(work, vector.error);
    else assert.deepEqual(shapeOf(await work()), vector.state);
  });
}

Deno.test("KeyPair gives the certificate, vault key and signature of the vector", async () => {
  const expected = JSON.parse(new TextDecoder().decode(await vectorBytes("keypair.json")));
  const pair = await KeyPair.fromMasterSecret(decodeHex(expected.master_secret));
  assert.equal(pair.certificateHex, expected.certificate);
  const key = await deriveKeyBytes(requireCredential({ certificate: pair.certificate }), new Uint8Array(16));
  assert.equal(encodeHex(key), expected.vault_key);
  const message = encodeUtf8("session:abc123");
  assert.equal(encodeHex(await pair.sign(message)), expected.signature_of_session_abc123);
});

function outcome({ state, error }: Vector): string {
  return error === undefined ? (state ? "its state" : "nothing yet") : `a ${error} error`;
}

async function rejectsAsSaid(work: () => Promise<unknown>, error: string): Promise<void> {
  await assert.rejects(work, (thrown) => thrown instanceof CofferError && CODES[error]!.includes(thrown.code));
}
