/**
 * Vaults with the small files beside them: anchors (section 10) and counts of failed tries (section 11).
 *
 * @module
 */
import { type Bytes, encodeUtf8, viewOf } from "../../../lib/bytes.ts";
import { hmac, type HmacKey } from "../../../lib/crypto/hmac.ts";
import { sha256 } from "../../../lib/crypto/sha256.ts";
import { deriveAnchorKey, deriveKeys, newVaultKey } from "../../../lib/sealed/keys.ts";
import { encodePreviousAnchorKey, PREVIOUS_ANCHOR } from "../../../lib/sealed/rotation.ts";
import { decodeMetaPage } from "../../../lib/storage/meta_page.ts";
import { PAGE_SIZE } from "../../../lib/storage/page.ts";
import { DELTA_5, forge, type Identity, newIdentity, plus, SEGMENTS, setU64, TIME } from "../forge.ts";
import { type Expected, type Recipe, RECORDS } from "./recipe.ts";

/** What one record of an anchor says. */
interface AnchorRecord {
  readonly epoch?: number;
  readonly generation: number;
  readonly vaultId?: Bytes;
  readonly tag: Bytes;
  readonly key: HmacKey;
  readonly version?: number;
  readonly zero?: number;
  readonly magic?: string;
  /** Changes the record after its HMAC was computed. */
  readonly broken?: (bytes: Uint8Array) => void;
}

async function anchorRecord(identity: Identity, given: AnchorRecord): Promise<Bytes> {
  const bytes = new Uint8Array(104);
  const view = viewOf(bytes);
  bytes.set(encodeUtf8(given.magic ?? "COFFERAN"));
  view.setUint16(8, given.version ?? 1, true);
  view.setUint16(10, given.zero ?? 0, true);
  view.setUint32(12, given.epoch ?? identity.epoch, true);
  bytes.set(given.vaultId ?? identity.vaultId, 16);
  setU64(bytes, 32, BigInt(given.generation));
  bytes.set(given.tag, 40);
  bytes.set(await hmac(given.key, bytes.slice(0, 72)), 72);
  given.broken?.(bytes);
  return bytes;
}

/** A vault that has an anchor, and the last bytes of its sealed meta. */
async function anchoredVault(identity: Identity, segments = SEGMENTS as readonly (typeof SEGMENTS)[number][]) {
  const vault = await forge({ identity, segments, flags: { anchored: true } });
  const decoded = await decodeMetaPage(vault.slice(0, PAGE_SIZE), 0);
  if (decoded.status !== "valid") throw new Error("The forged meta page is not valid");
  return { vault, tag: decoded.page.meta.slice(-32) };
}

type Sectors = readonly [(Bytes | undefined)?, (Bytes | undefined)?];

function anchorFile([even, odd]: Sectors): Bytes {
  const file = new Uint8Array(1024);
  if (even !== undefined) file.set(even, 0);
  if (odd !== undefined) file.set(odd, 512);
  return file;
}

const OTHER_TAG = new Uint8Array(32).fill(9);

/** What is in the two places of an anchor beside the usual vault of generation 5; or the bytes of the whole file. */
type AnchorRow = readonly [
  name: string,
  what: string,
  make: (tag: Bytes, record: (given: Partial<AnchorRecord>) => Promise<Bytes>) => Promise<Sectors | Bytes | null>,
  expect: Expected,
];

const OK = { records: RECORDS };
const ANCHORS: readonly AnchorRow[] = [
  ["level", "level with the vault", async (_, record) => [undefined, await record({})], OK],
  ["level-with-older", "level, and the record before it", async (_, record) => [
    await record({ generation: 4, tag: OTHER_TAG }),
    await record({}),
  ], OK],
  [
    "behind",
    "one commit behind: a crash came in between",
    async (_, record) => [await record({ generation: 4, tag: OTHER_TAG })],
    OK,
  ],
  [
    "far-behind",
    "four commits behind",
    async (_, record) => [undefined, await record({ generation: 1, tag: OTHER_TAG })],
    OK,
  ],
  ["torn-newer", "a torn newer record beside one that is level", async (_, record) => [
    await record({ generation: 6, broken: (bytes) => bytes.fill(0, 50) }),
    await record({}),
  ], OK],
  ["missing", "not there", () => Promise.resolve(null), "anchor-missing"],
  [
    "ahead",
    "one commit ahead: the vault is an older copy",
    async (_, record) => [await record({ generation: 6 })],
    "rollback-detected",
  ],
  ["ahead-beside-level", "one record level, one ahead", async (_, record) => [
    await record({ generation: 6 }),
    await record({}),
  ], "rollback-detected"],
  [
    "fork",
    "the same generation of another history",
    async (_, record) => [undefined, await record({ tag: OTHER_TAG })],
    "fork-detected",
  ],
  ["epoch-above", "of a later vault key: the vault is an older copy", async (_, record) => [
    undefined,
    await record({ epoch: 2, key: await strangeKey() }),
  ], "rollback-detected"],
  [
    "foreign",
    "of another vault",
    async (_, record) => [undefined, await record({ vaultId: new Uint8Array(16).fill(3) })],
    "anchor-foreign",
  ],
  ["empty", "of no bytes", () => Promise.resolve(new Uint8Array(0)), "anchor-damaged"],
  ["zeros", "all zero", () => Promise.resolve([]), "anchor-damaged"],
  [
    "short",
    "one byte too short",
    async (_, record) => anchorFile([undefined, await record({})]).slice(0, 1023),
    "anchor-damaged",
  ],
  ["long", "one byte too long", async (_, record) => {
    const bytes = new Uint8Array(1025);
    bytes.set(anchorFile([undefined, await record({})]));
    return bytes;
  }, "anchor-damaged"],
  [
    "magic",
    "without the magic",
    async (_, record) => [undefined, await record({ magic: "COFFERAX" })],
    "anchor-damaged",
  ],
  ["version-zero", "of version 0", async (_, record) => [undefined, await record({ version: 0 })], "anchor-damaged"],
  [
    "version-two",
    "of version 2",
    async (_, record) => [undefined, await record({ version: 2 })],
    "unsupported-version",
  ],
  [
    "gap",
    "with a byte where zeros belong",
    async (_, record) => [undefined, await record({ zero: 1 })],
    "anchor-damaged",
  ],
  ["epoch-zero", "of epoch 0", async (_, record) => [undefined, await record({ epoch: 0 })], "anchor-damaged"],
  ["generation-zero", "of generation 0", async (_, record) => [await record({ generation: 0 })], "anchor-damaged"],
  ["hmac", "with an HMAC that does not fit", async (_, record) => [
    undefined,
    await record({ broken: (bytes) => void (bytes[103]! ^= 1) }),
  ], "anchor-damaged"],
  ["tag-changed", "with a digest that was changed after the HMAC", async (_, record) => [
    undefined,
    await record({ broken: (bytes) => void (bytes[40]! ^= 1) }),
  ], "anchor-damaged"],
  [
    "other-key",
    "under another key",
    async (_, record) => [undefined, await record({ key: await strangeKey() })],
    "anchor-damaged",
  ],
];

async function strangeKey(): Promise<HmacKey> {
  return (await deriveKeys(newVaultKey(), new Uint8Array(16))).anchor;
}

function anchorRecipe(identity: Identity, [name, what, make, expect]: AnchorRow): Recipe {
  return {
    name: `anchor/${name}`,
    what: `an anchor ${what}`,
    expect,
    make: async () => {
      const { vault, tag } = await anchoredVault(identity);
      const record = (given: Partial<AnchorRecord>) =>
        anchorRecord(identity, { generation: 5, tag, key: identity.keys.anchor, ...given });
      const made = await make(tag, record);
      if (made === null) return { vault };
      return { vault, anchor: made instanceof Uint8Array ? made : anchorFile(made) };
    },
  };
}

/** A vault of epoch 2 whose anchor still is of epoch 1, known or not known to the vault. */
function rotatedRecipe(name: string, what: string, known: boolean, expect: Expected): Recipe {
  return {
    name: `anchor/${name}`,
    what,
    expect,
    make: async () => {
      const identity = await newIdentity(2);
      const oldKey = newVaultKey();
      const raw = await deriveAnchorKey(oldKey, identity.vaultId);
      const line = plus(PREVIOUS_ANCHOR.kind, PREVIOUS_ANCHOR.key, encodePreviousAnchorKey(raw));
      const segments = [...SEGMENTS.slice(0, 3), { ...DELTA_5, text: DELTA_5.text as string + (known ? line : "") }];
      const { vault } = await anchoredVault(identity, segments);
      const { anchor: key } = await deriveKeys(oldKey, identity.vaultId);
      return {
        vault,
        anchor: anchorFile([await anchorRecord(identity, { epoch: 1, generation: 4, tag: OTHER_TAG, key })]),
      };
    },
  };
}

/** What the count of failed tries says. */
interface AttemptsPlan {
  readonly magic?: string;
  readonly version?: number;
  readonly failures?: number;
  readonly vaultId?: Bytes;
  readonly last?: bigint;
  readonly zero?: number;
  readonly broken?: (bytes: Bytes) => Bytes | void;
}

const ATTEMPTS: readonly (readonly [name: string, what: string, plan: AttemptsPlan, expect: Expected])[] = [
  ["none", "no failure since the last success", { failures: 0, last: 0n }, {
    records: RECORDS,
    attempts: { failures: 0, waits: false },
  }],
  ["four", "four failures, which cost no wait", { failures: 4 }, {
    records: RECORDS,
    attempts: { failures: 4, waits: false },
  }],
  ["passed", "nine failures, the wait over", { failures: 9 }, {
    records: RECORDS,
    attempts: { failures: 9, waits: false },
  }],
  ["later", "five failures in a time to come: the last one counts as now", {
    failures: 5,
    last: 2n ** 52n,
  }, { error: "too-many-attempts", attempts: { failures: 5, waits: true } }],
  ["time-above", "a time of 2^53", { failures: 1, last: 2n ** 53n }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["magic", "without the magic", { magic: "COFFERAX" }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["version-zero", "of version 0", { version: 0 }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["version-two", "of version 2 under a right digest", { version: 2 }, "unsupported-version"],
  ["gap", "with a byte where zeros belong", { zero: 1 }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["foreign", "of another vault", { vaultId: new Uint8Array(16) }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["digest", "with a digest that does not fit", {
    broken: (bytes) => void (bytes[79]! ^= 1),
  }, { error: "too-many-attempts", attempts: { failures: 10, waits: true } }],
  ["short", "one byte too short", { broken: (bytes) => bytes.slice(0, 79) }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
  ["empty", "of no bytes", { broken: () => new Uint8Array(0) }, {
    error: "too-many-attempts",
    attempts: { failures: 10, waits: true },
  }],
];

async function attemptsBytes(identity: Identity, plan: AttemptsPlan): Promise<Bytes> {
  const bytes = new Uint8Array(80);
  const view = viewOf(bytes);
  bytes.set(encodeUtf8(plan.magic ?? "COFFERAT"));
  view.setUint32(8, plan.version ?? 1, true);
  view.setUint32(12, plan.failures ?? 1, true);
  bytes.set(plan.vaultId ?? identity.vaultId, 16);
  setU64(bytes, 32, plan.last ?? BigInt(TIME - 86_400_000));
  view.setUint32(44, plan.zero ?? 0, true);
  bytes.set(await sha256(bytes.subarray(0, 48)), 48);
  return plan.broken?.(bytes) ?? bytes;
}

/** Them all. */
export function sideFileRecipes(identity: Identity): readonly Recipe[] {
  return [
    ...ANCHORS.map((row) => anchorRecipe(identity, row)),
    rotatedRecipe("epoch-before", "an anchor of the vault key before, which the vault knows", true, OK),
    rotatedRecipe(
      "epoch-before-unknown",
      "an anchor of the vault key before, which the vault does not know",
      false,
      "anchor-damaged",
    ),
    ...ATTEMPTS.map(([name, what, plan, expect]): Recipe => ({
      name: `attempts/${name}`,
      what: `a count of failed tries: ${what}`,
      expect,
      make: async () => ({
        vault: await forge({ identity, segments: SEGMENTS }),
        attempts: await attemptsBytes(identity, plan),
      }),
    })),
  ];
}
