import assert from "node:assert/strict";
import { sealLogicalExport, unsealLogicalExport } from "../../lib/reddb/logical_export.ts";
import { flipped, patterned, rejectsWith } from "../helpers.ts";
import { CREDENTIAL, PASSPHRASE, stateOf } from "./helpers.ts";

Deno.test("unsealLogicalExport() gives back what sealLogicalExport() sealed, by passphrase and by certificate", async () => {
  const state = stateOf(5_000);
  for (const credential of [CREDENTIAL, { certificate: patterned(32) }]) {
    const text = await sealLogicalExport(state, credential);
    assert.match(text, /^5244565801[0-9a-f]+$/);
    assert.deepEqual(await unsealLogicalExport(text, credential), state);
    assert.deepEqual(await unsealLogicalExport(`\n${text.toUpperCase()}\r\n`, credential), state);
  }
});

Deno.test("sealLogicalExport() takes another salt and nonce each time", async () => {
  const [a, b] = [await sealLogicalExport(stateOf(10), CREDENTIAL), await sealLogicalExport(stateOf(10), CREDENTIAL)];
  assert.notEqual(a.slice(10, 42), b.slice(10, 42));
  assert.notEqual(a.slice(42, 66), b.slice(42, 66));
});

Deno.test("unsealLogicalExport() refuses another credential and any changed byte", async () => {
  const text = await sealLogicalExport(stateOf(10), CREDENTIAL);
  await rejectsWith(() => unsealLogicalExport(text, { passphrase: `${PASSPHRASE}x` }), "reddb-decryption");
  await rejectsWith(() => unsealLogicalExport(text, { certificate: patterned(32) }), "reddb-decryption");
  const bytes = Uint8Array.fromHex(text);
  for (const at of [5, 21, 33, bytes.length - 1]) {
    await rejectsWith(() => unsealLogicalExport(flipped(bytes, at).toHex(), CREDENTIAL), "reddb-decryption");
  }
  for (const at of [0, 4]) {
    await rejectsWith(() => unsealLogicalExport(flipped(bytes, at).toHex(), CREDENTIAL), "reddb-corrupt");
  }
});

Deno.test("unsealLogicalExport() refuses what is no hex, and every text that ends before the tag could", async () => {
  const text = await sealLogicalExport(stateOf(10), CREDENTIAL);
  for (const bad of ["", "zz", text.slice(1), `${text.slice(0, 20)} ${text.slice(20)}`, text.slice(0, 2 * 48)]) {
    await rejectsWith(() => unsealLogicalExport(bad, CREDENTIAL), "reddb-corrupt");
  }
  await rejectsWith(() => unsealLogicalExport(text.slice(0, 2 * 49), CREDENTIAL), "reddb-decryption");
});

Deno.test("sealLogicalExport() and unsealLogicalExport() ask for a credential", async () => {
  await rejectsWith(() => sealLogicalExport(stateOf(10), {}), "reddb-no-key");
  await rejectsWith(() => unsealLogicalExport("00", {}), "reddb-no-key");
});
