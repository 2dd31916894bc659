import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { CorruptVaultError, KdfLimitError, WrongCredentialError } from "../../lib/errors.ts";
import type { Credential } from "../../lib/sealed/credential.ts";
import { checkKdf, KDF_CEILING, KDF_FLOOR, newKdf } from "../../lib/sealed/kdf_limits.ts";
import { prepareSlot, unwrapVaultKey, wrapSlot } from "../../lib/sealed/key_slot.ts";
import { decodeSlot, encodeSlot, type Slot, SLOT_KINDS, SLOT_SIZE } from "../../lib/sealed/slot.ts";
import { flipped, patterned, rejectsWith } from "../helpers.ts";

const VAULT = { vaultId: patterned(16), epoch: 3 };
const VAULT_KEY = patterned(32, 100);
const KDF = { memory: 8, passes: 1, lanes: 1 };

async function slotFor(credential: Credential, id = 1): Promise<Slot> {
  const prepared = await prepareSlot(credential, "a label", credential.kind === "passphrase" ? KDF : undefined);
  return await wrapSlot(prepared, VAULT_KEY, VAULT, id, 1000);
}

function credentialOf(kind: Slot["kind"], first = 0): Credential {
  return { kind, secret: patterned(32, first) };
}

for (const kind of SLOT_KINDS) {
  Deno.test(`unwrapVaultKey() opens a ${kind} slot with its own credential only`, async () => {
    const slots = [await slotFor(credentialOf(kind, 1), 4), await slotFor(credentialOf(kind, 2), 5)];
    const meta = { ...VAULT, slots };
    assert.deepEqual(await unwrapVaultKey(meta, credentialOf(kind, 1)), { vaultKey: VAULT_KEY, slot: 4 });
    assert.deepEqual(await unwrapVaultKey(meta, credentialOf(kind, 2)), { vaultKey: VAULT_KEY, slot: 5 });
    await assert.rejects(unwrapVaultKey(meta, credentialOf(kind, 3)), WrongCredentialError);
    for (const other of SLOT_KINDS.filter((other) => other !== kind)) {
      await assert.rejects(unwrapVaultKey(meta, credentialOf(other, 1)), WrongCredentialError);
    }
  });

  Deno.test(`unwrapVaultKey() refuses a ${kind} slot with any byte flipped`, async () => {
    const credential = credentialOf(kind);
    const bytes = encodeSlot(await slotFor(credentialOf(kind)));
    for (let at = 0; at < SLOT_SIZE; at++) {
      let slot;
      try {
        slot = decodeSlot(flipped(bytes, at, 1 << (at % 3)));
      } catch (error) {
        assert.ok(error instanceof CorruptVaultError);
        continue;
      }
      const failing = unwrapVaultKey({ ...VAULT, slots: [slot!] }, credential);
      // A cost that was changed may be one that is refused, or only another one.
      await assert.rejects(failing, (error) => error instanceof WrongCredentialError || error instanceof KdfLimitError);
    }
  });

  Deno.test(`unwrapVaultKey() refuses a ${kind} slot of another vault or epoch`, async () => {
    const credential = credentialOf(kind);
    const slots = [await slotFor(credentialOf(kind))];
    const elsewhere = [{ ...VAULT, vaultId: patterned(16, 1) }, { ...VAULT, epoch: 4 }];
    for (const vault of elsewhere) {
      await assert.rejects(unwrapVaultKey({ ...vault, slots }, credential), WrongCredentialError);
    }
  });
}

Deno.test("unwrapVaultKey() refuses a cost above the ceiling before it does any work, in whichever slot", async () => {
  const credential = (): Credential => ({ kind: "passphrase", secret: encodeUtf8("a") });
  const good = await slotFor(credential());
  const hostile = [
    { ...KDF_CEILING, memory: KDF_CEILING.memory + 1 },
    { ...KDF_CEILING, passes: KDF_CEILING.passes + 1 },
    { ...KDF_CEILING, lanes: KDF_CEILING.lanes + 1 },
    { memory: 2 ** 32 - 1, passes: 2 ** 32 - 1, lanes: 2 ** 32 - 1 },
    { memory: 0, passes: 1, lanes: 1 },
    { memory: 8, passes: 0, lanes: 1 },
    { memory: 8, passes: 1, lanes: 0 },
    { memory: 15, passes: 1, lanes: 2 },
  ];
  for (const kdf of hostile) {
    // The first slot would open; that it does not shows that costs are judged first.
    const slots = [good, { ...good, id: 2, kdf }];
    await rejectsWith(() => unwrapVaultKey({ ...VAULT, slots }, credential()), "kdf-limit");
  }
});

Deno.test("unwrapVaultKey() stops between slots when it is told to", async () => {
  const slots = [await slotFor(credentialOf("keyfile"))];
  const signal = AbortSignal.abort(new RangeError("enough"));
  await assert.rejects(unwrapVaultKey({ ...VAULT, slots }, credentialOf("keyfile"), signal), RangeError);
});

Deno.test("wrapSlot() wraps anew each time", async () => {
  const prepared = await prepareSlot(credentialOf("keyfile"), "");
  const [a, b] = await Promise.all([1, 1].map((id) => wrapSlot(prepared, VAULT_KEY, VAULT, id, 0)));
  assert.notDeepEqual(a!.wrapped, b!.wrapped);
  const [c, d] = await Promise.all([1, 1].map(() => slotFor(credentialOf("keyfile"))));
  assert.notDeepEqual(c!.salt, d!.salt);
});

Deno.test("prepareSlot() wipes the credential, also when it fails", async () => {
  for (const kdf of [KDF, { memory: 1, passes: 0, lanes: 1 }]) {
    const credential: Credential = { kind: "passphrase", secret: encodeUtf8("a passphrase") };
    await prepareSlot(credential, "", kdf).catch(() => {});
    assert.ok(credential.secret.every((byte) => byte === 0));
  }
});

Deno.test("prepareSlot() makes no slot when the derivation does not repeat", async () => {
  let calls = 0;
  const unsteady: Credential = {
    kind: "keyfile",
    get secret() {
      return patterned(32, calls++);
    },
  };
  await rejectsWith(() => prepareSlot(unsteady, ""), "slot-unverified");
});

Deno.test("newKdf() has a floor for new slots, checkKdf() a ceiling for all", async () => {
  assert.deepEqual(newKdf({}), { memory: 256 * 1024, passes: 3, lanes: 1 });
  assert.deepEqual(newKdf(KDF_FLOOR), { ...KDF_FLOOR, lanes: 1 });
  await rejectsWith(() => newKdf({ ...KDF_FLOOR, memory: KDF_FLOOR.memory - 1 }), "weak-kdf");
  await rejectsWith(() => newKdf({ ...KDF_FLOOR, passes: 1 }), "weak-kdf");
  assert.deepEqual(newKdf({ ...KDF, allowWeakKdf: true }), KDF);
  assert.equal(checkKdf(KDF_CEILING), KDF_CEILING);
  for (const memory of [NaN, Infinity, 8.5, -8]) await rejectsWith(() => newKdf({ memory }), "kdf-limit");
});
