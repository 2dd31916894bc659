/**
 * Vaults as the library makes them, with the parts that came after the first vectors.
 *
 * @module
 */
import { type Bytes, encodeBase64 } from "../../../lib/bytes.ts";
import { type OpenOptions, Vault } from "../../../lib/vault.ts";
import { PASSPHRASE } from "../forge.ts";
import { CREDENTIAL, type Expected, type Recipe, record } from "./recipe.ts";

const CHEAP = { passphrase: PASSPHRASE, memory: 8, passes: 1, allowWeakKdf: true };

interface Made {
  readonly vault?: Bytes;
  readonly expect?: Record<string, unknown>;
  readonly credential?: Record<string, unknown>;
}

/** Runs with a vault in a folder that goes away, and takes its files. */
function made(
  name: string,
  what: string,
  work: (vault: Vault, path: string) => Promise<Made | void>,
  options: Parameters<typeof Vault.create>[1] = CHEAP,
): Recipe {
  const expect: Record<string, unknown> = { records: {} };
  const credential: Record<string, unknown> = { ...CREDENTIAL };
  return {
    name: `good/${name}`,
    what,
    expect: expect as Expected,
    credential,
    make: async () => {
      const folder = await Deno.makeTempDir();
      try {
        const path = `${folder}/app.coffer`;
        let result: Made | void;
        {
          await using vault = await Vault.create(path, options);
          result = await work(vault, path);
        }
        Object.assign(expect, result?.expect);
        if (result?.credential !== undefined) {
          delete credential.passphrase;
          Object.assign(credential, result.credential);
        }
        if (result?.vault !== undefined) return result.vault;
        const vault = await Deno.readFile(path);
        try {
          return { vault, anchor: await Deno.readFile(`${path}.anchor`) };
        } catch {
          return vault;
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}

const RAW_KEY = Uint8Array.from({ length: 33 }, (_, i) => (i * 73 + 11) % 256);
const NO_ANCHOR = { ...CHEAP, anchor: null };

/** Them all. */
export const GOOD_RECIPES: readonly Recipe[] = [
  made("anchored", "with an anchor beside it", async (vault) => {
    await vault.secrets.set("a", "1");
    await vault.secrets.set("a", "2");
    return { expect: { records: { a: record("2", 2) } } };
  }),
  made("rotated", "of the third vault key", async (vault) => {
    await vault.secrets.set("a", "1");
    for (let i = 0; i < 2; i++) await vault.rotate({ credentials: [CREDENTIAL] });
    await vault.secrets.set("b", "2");
    return { expect: { records: { a: record("1"), b: record("2") } } };
  }),
  made("pruned", "with old entries of the log pruned", async (vault) => {
    for (const value of ["1", "2"]) await vault.secrets.set("a", value);
    await vault.audit.prune({ before: new Date(Date.now() + 1000) });
    await vault.secrets.set("b", "2");
    return { expect: { records: { a: record("2", 2), b: record("2") } } };
  }, NO_ANCHOR),
  made("policies", "with every policy set", async (vault) => {
    await vault.secrets.set("a", "1");
    await vault.policies.set("max-secret-age", 30);
    await vault.policies.set("plaintext-export", "forbid");
    return {
      expect: { records: { a: record("1") }, policies: { "max-secret-age": 30, "plaintext-export": "forbid" } },
    };
  }, NO_ANCHOR),
  made("users", "users of two tenants and of the platform, one with a password", async (vault) => {
    await vault.users.create({ tenant: "acme", name: "alice", role: "write", password: "correct horse" });
    await vault.users.create({ tenant: "acme", name: "bob", role: "read" });
    await vault.users.create({ tenant: "globex", name: "alice", role: "admin" });
    await vault.users.create({ tenant: null, name: "root", role: "admin" });
    await vault.users.disable("acme/bob");
    return {
      expect: {
        users: {
          root: { role: "admin", enabled: true },
          "acme/alice": { role: "write", enabled: true },
          "acme/bob": { role: "read", enabled: false },
          "globex/alice": { role: "admin", enabled: true },
        },
        logins: { "acme/alice": "correct horse" },
      },
    };
  }, NO_ANCHOR),
  made("api-keys", "API keys, one adopted from another system, one revoked", async (vault) => {
    await vault.users.create({ tenant: "acme", name: "ci", role: "write" });
    const { key } = await vault.apiKeys.create({ owner: "acme/ci", name: "deploy", role: "write" });
    await vault.apiKeys.adopt({ owner: "acme/ci", name: "adopted", role: "read", key: "rk_0123456789abcdef" });
    const { id } = await vault.apiKeys.create({ owner: "acme/ci", name: "revoked", role: "read" });
    await vault.apiKeys.revoke(id);
    return {
      expect: {
        users: { "acme/ci": { role: "write", enabled: true } },
        apiKeys: [
          { owner: "acme/ci", name: "adopted", role: "read", key: "rk_0123456789abcdef" },
          { owner: "acme/ci", name: "deploy", role: "write", key },
        ],
      },
    };
  }, NO_ANCHOR),
  made("api-keys-rotated", "an API key from before a new vault key", async (vault) => {
    await vault.users.create({ tenant: "acme", name: "ci", role: "write" });
    const { key } = await vault.apiKeys.create({ owner: "acme/ci", name: "deploy", role: "read" });
    await vault.rotate({ credentials: [CREDENTIAL] });
    return {
      expect: {
        users: { "acme/ci": { role: "write", enabled: true } },
        apiKeys: [{ owner: "acme/ci", name: "deploy", role: "read", key }],
      },
    };
  }, NO_ANCHOR),
  made("failed-logins", "failed logins of a user and of a name that is none", async (vault) => {
    await vault.users.create({ tenant: "acme", name: "alice", role: "read", password: "correct horse" });
    for (const name of ["acme/alice", "nobody"]) {
      try {
        await vault.auth.login(name, "wrong horse");
      } catch { /* That is what is noted. */ }
    }
    return { expect: { users: { "acme/alice": { role: "read", enabled: true } } } };
  }, NO_ANCHOR),
  made("bootstrapped", "bootstrapped with an admin, opened by the certificate", async (vault) => {
    let certificate = "";
    await vault.auth.bootstrap({ name: "root", onCertificate: (text) => void (certificate = text) });
    return { expect: { users: { root: { role: "admin", enabled: true } } }, credential: { certificate } };
  }, NO_ANCHOR),
  made("backup", "a backup, which is read and not changed", async (vault) => {
    await vault.secrets.set("a", "1");
    return { vault: (await vault.backup()).bytes, expect: { records: { a: record("1") }, backup: true } };
  }),
  made("backup-of-large", "a backup with segments of many pages", async (vault) => {
    const value = "0123456789".repeat(900);
    await vault.secrets.set("a", value);
    await vault.secrets.set("b", "2");
    return {
      vault: (await vault.backup()).bytes,
      expect: { records: { a: record(value), b: record("2") }, backup: true },
    };
  }),
  made("restored", "restored from a backup, and changed after that", async (vault, path) => {
    await vault.secrets.set("a", "1");
    const backup = `${path}.backup`;
    await Deno.writeFile(backup, (await vault.backup()).bytes, { mode: 0o600 });
    await vault.secrets.set("a", "2");
    await vault.close();
    {
      await using kept = await Vault.open(backup, CREDENTIAL as OpenOptions);
      await kept.restoreTo(path, { rollback: true });
    }
    await using restored = await Vault.open(path, CREDENTIAL as OpenOptions);
    await restored.secrets.set("b", "2");
    return { expect: { records: { a: record("1"), b: record("2") } } };
  }),
  made("sixteen-slots", "sixteen key slots", async (vault) => {
    for (let i = 2; i <= 15; i++) await vault.slots.add({ kind: "recovery", label: `paper ${i}` });
    let recoveryCode = "";
    await vault.slots.add({ kind: "recovery", label: "the last" }, { onSecret: (text) => void (recoveryCode = text) });
    return { credential: { recoveryCode } };
  }, NO_ANCHOR),
  made("slot-ids", "slots whose ids are not in order, labels of 32 bytes", async (vault) => {
    await vault.slots.add({ kind: "recovery", label: "é".repeat(16) });
    await vault.slots.remove(1);
    let certificate = "";
    await vault.slots.add({ kind: "certificate", label: "x".repeat(32) }, {
      onSecret: (text) => void (certificate = text),
    });
    return { credential: { certificate: `  ${certificate.toUpperCase()}\n` } };
  }, NO_ANCHOR),
  made(
    "raw-key-file",
    "opened by a key file of 33 bytes of any kind",
    () => Promise.resolve({ credential: { keyFileBase64: encodeBase64(RAW_KEY) } }),
    { keyFile: RAW_KEY, anchor: null },
  ),
  made(
    "passphrase-nfd",
    "a passphrase that is given in another normal form than it was set in",
    () => Promise.resolve({ credential: { passphrase: "cafe\u0301 corre\u0300ct horse" } }),
    {
      ...NO_ANCHOR,
      passphrase: "caf\u00e9 corr\u00e8ct horse",
    },
  ),
];
