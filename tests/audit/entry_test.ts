import assert from "node:assert/strict";
import { AUDIT_OPERATIONS, decodeEntry, encodeEntry, isChange } from "../../lib/audit/entry.ts";
import { rejectsWith } from "../helpers.ts";

Deno.test("isChange holds for what somebody wills, not for reads, mending and what a vault notes of itself", () => {
  const others = AUDIT_OPERATIONS.filter((operation) => !isChange(operation));
  assert.deepEqual(others.toSorted(), [
    "anchor.move",
    "anchor.trust",
    "apikey.used",
    "export.encrypted",
    "export.plaintext",
    "login.failed",
    "login.forgiven",
    "secret.read",
    "unlock.failed",
    "user.rehash",
    "vault.backup",
    "vault.repair",
    "vault.salvage",
  ]);
});

Deno.test("decodeEntry gives what encodeEntry took, and leaves out what is not there", () => {
  const event = { operation: "secret.rename", name: "a\u00e9", to: "b", count: 3 } as const;
  const origin = { slot: 2, actor: "deploy", reason: "release" };
  assert.deepEqual(decodeEntry(7, encodeEntry(event, origin, 5)), { sequence: 7, time: 5, ...event, ...origin });
  assert.deepEqual(decodeEntry(1, encodeEntry({ operation: "vault.create" }, {}, 5)), {
    sequence: 1,
    time: 5,
    operation: "vault.create",
  });
});

Deno.test("decodeEntry refuses what is no entry, and shows operations of later versions", async () => {
  const wrong = ["", "[", "null", "[]", "{}", '{"time":"1","op":"a"}', '{"time":1}', '{"time":1,"op":"a","slot":"1"}'];
  for (const json of wrong) await rejectsWith(() => decodeEntry(1, json), "corrupt-vault");
  assert.equal(decodeEntry(1, '{"time":1,"op":"secret.share","extra":1}').operation, "secret.share");
});
