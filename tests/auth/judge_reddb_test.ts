import assert from "node:assert/strict";
import type { VaultState } from "../../lib/reddb/state.ts";
import { importRedDbState, ImportRefusedError, type RedDbImportOptions } from "../../mod.ts";
import { rejectsWith, withVault } from "../helpers.ts";
import { apiKeyOf, userOf } from "../reddb/helpers.ts";
import { generationOf, kv, stateWith } from "./reddb_states.ts";

/** States of which one record cannot be taken over. */
const BAD: readonly (readonly [what: string, position: number, why: RegExp, parts: Partial<VaultState>])[] = [
  ["user", 2, /slash/, { users: [userOf(), userOf({ username: "a/b" })] }],
  ["user", 1, /name of a tenant.*slash/, { users: [userOf({ tenant: "a/b" })] }],
  ["user", 1, /control character/, { users: [userOf({ username: "a\u0007" })] }],
  ["user", 1, /control character/, { users: [userOf({ username: "a\u202eb" })] }],
  ["user", 1, /NFKC/, { users: [userOf({ username: "ﬁsh" })] }],
  ["user", 1, /longer than 128/, { users: [userOf({ username: "x".repeat(129) })] }],
  ["user", 1, /empty/, { users: [userOf({ username: "" })] }],
  ["user", 1, /white space/, { users: [userOf({ username: " a" })] }],
  ["user", 2, /stands before/, { users: [userOf(), userOf({ role: "read" })] }],
  ["user", 1, /1024/, { users: [userOf({ passwordHash: "x".repeat(1025) })] }],
  ["user", 1, /before 1970/, { users: [userOf({ updatedAt: -1n })] }],
  ["api-key", 1, /owner/, { apiKeys: [apiKeyOf({ key: "rk_orphaned" })] }],
  ["api-key", 1, /slash/, { apiKeys: [apiKeyOf({ key: "rk_orphaned", owner: { tenant: null, username: "a/b" } })] }],
  ["api-key", 1, /shorter than 8/, { users: [userOf()], apiKeys: [apiKeyOf({ key: "rk_7777" })] }],
  ["api-key", 1, /not that of a key/, { users: [userOf()], apiKeys: [apiKeyOf({ key: "x".repeat(257) })] }],
  ["api-key", 1, /not that of a key/, { users: [userOf()], apiKeys: [apiKeyOf({ key: "coffer_notone" })] }],
  ["api-key", 1, /plain text/, { users: [userOf()], apiKeys: [apiKeyOf({ key: "rk_secret_7", name: "a\u001b[2J" })] }],
  ["api-key", 1, /longer than/, {
    users: [userOf()],
    apiKeys: [apiKeyOf({ key: "rk_secret_7", name: "x".repeat(129) })],
  }],
  ["api-key", 2, /stands before/, {
    users: [userOf()],
    apiKeys: [apiKeyOf({ key: "rk_secret_7" }), apiKeyOf({ key: "rk_secret_7", name: "b" })],
  }],
  ["secret", 2, /empty/, { kv: kv({ a: "1", "": "s3cret" }) }],
  ["secret", 1, /longer than 512/, { kv: kv({ ["x".repeat(513)]: "s3cret" }) }],
  ["secret", 1, /NFC/, { kv: kv({ "e\u0301": "s3cret" }) }],
  ["secret", 1, /Unicode/, { kv: kv({ a: "\ud800" }) }],
];

withVault(
  "importRedDbState() takes nothing over when a record cannot be, or leaves it out when told to",
  async (test) => {
    const { vault } = test;
    const rest = { bootstrapped: true, masterSecret: new Uint8Array(32).fill(7) };
    const generation = await generationOf(vault);
    for (const [what, position, why, parts] of BAD) {
      const state = stateWith({ ...rest, ...parts });
      for (const dryRun of [false, true]) {
        const error = await rejectsWith(() => importRedDbState(vault, state, { dryRun }), "import-refused");
        assert.ok(error instanceof ImportRefusedError);
        assert.deepEqual(error.refused.map((one) => [one.what, one.position]), [[what, position]], String(why));
        assert.match(error.message, why);
        for (const secret of ["rk_", "coffer_n", "s3cret", "argon2id$"]) assert.ok(!error.message.includes(secret));
      }
      const { refused, dryRun } = await importRedDbState(vault, state, { skipInvalid: true, dryRun: true });
      assert.deepEqual([refused.map((one) => [one.what, one.position]), dryRun], [[[what, position]], true]);
    }
    assert.equal(await generationOf(vault), generation);
    assert.deepEqual([await vault.users.list(), await vault.secrets.list()], [[], []]);
    // A key stays behind with its owner, and both are told.
    const state = stateWith({
      users: [userOf({ username: "a/b" }), userOf()],
      apiKeys: [
        apiKeyOf({ owner: { tenant: null, username: "a/b" }, key: "rk_secret_1" }),
        apiKeyOf({ key: "rk_secret_2" }),
      ],
      kv: kv({ "": "1", b: "2" }),
    });
    const { users, apiKeys, secrets, refused } = await importRedDbState(vault, state, { skipInvalid: true });
    assert.deepEqual([users.imported, apiKeys.imported, secrets.imported], [
      ["alice"],
      [{ owner: "alice", name: "ci" }],
      ["b"],
    ]);
    assert.deepEqual(refused.map(({ what, position }) => [what, position]), [["secret", 1], ["user", 1], [
      "api-key",
      1,
    ]]);
    await rejectsWith(() => vault.apiKeys.check("rk_secret_1"), "invalid-api-key");
  },
);

withVault(
  "importRedDbState() refuses what no state of RedDB's can be, and a certificate that there is not",
  async (test) => {
    const { vault } = test;
    const fail = (parts: object, options: RedDbImportOptions = {}) =>
      importRedDbState(vault, stateWith(parts as Partial<VaultState>), options);
    await assert.rejects(fail({ masterSecret: new Uint8Array(31) }), RangeError);
    await assert.rejects(fail({ users: [{ ...userOf(), role: "root" }] }), TypeError);
    await rejectsWith(() => fail({}, { keepCertificate: true }), "import-refused");
    const generation = await generationOf(vault);
    assert.equal((await fail({}, { keepCertificate: true, skipInvalid: true })).certificate, "none");
    assert.equal(await generationOf(vault), generation);
  },
);
