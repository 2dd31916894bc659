/**
 * Rules of lines and records (sections 7 and 8), one broken at a time under right seals. What stands in a record is found
 * out when it is read.
 *
 * @module
 */
import {
  type Identity,
  plus,
  secret,
  SEGMENTS,
  SNAPSHOT,
  storedSecret,
  TIME,
  type VaultPlan,
  version,
} from "../forge.ts";
import { type Recipe, recipesOf, record, RECORDS, type Row } from "./recipe.ts";

const [AUDIT, , DELTA_4, DELTA_5] = SEGMENTS;
/** Key of the record of an API key. */
const HASH = "5".repeat(64);
const READING = { reading: "corrupt-vault" };

/** Lines behind those of the snapshot, or of the newest delta. */
const inSnapshot = (text: string | Uint8Array): Partial<VaultPlan> => ({
  segments: [AUDIT, { ...SNAPSHOT, text: typeof text === "string" ? SNAPSHOT.text + text : text }, DELTA_4, DELTA_5],
});
const inDelta = (text: string): Partial<VaultPlan> => ({
  segments: [AUDIT, SNAPSHOT, DELTA_4, { ...DELTA_5, text: DELTA_5.text + text }],
});
/** A secret `e` of this form. */
const stored = (value: unknown): Partial<VaultPlan> => inDelta(plus("secret", "e", value));
const versions = (...all: readonly unknown[]) => stored({ ...storedSecret("1"), versions: all });
const many = (count: number) => Array.from({ length: count }, (_, index) => version(index + 1, `${index}`));

const LINES: readonly Row[] = [
  ["no-line-feed", "a last line without its line feed", inSnapshot("+secret\te\t{}")],
  ["no-tab", "a line without a tab", inSnapshot("+secret\n")],
  ["no-value", "a set record without a value", inSnapshot("+secret\te\n")],
  ["empty-value", "a set record with an empty value", inSnapshot("+secret\te\t\n")],
  ["sign", "a line that begins with neither sign", inSnapshot("*secret\te\t{}\n")],
  ["no-sign", "a line without a sign", inSnapshot("secret\te\t{}\n")],
  ["empty", "an empty line", inSnapshot("\n")],
  ["empty-kind", "a record of no kind", inSnapshot("+\te\t{}\n")],
  ["kind-upper-case", "a kind in upper case", inSnapshot("+Secret\te\t{}\n")],
  ["kind-hyphen-first", "a kind that begins with a hyphen", inSnapshot("+-secret\te\t{}\n")],
  ["kind-too-long", "a kind of 33 letters", inSnapshot(`+${"k".repeat(33)}\te\t{}\n`)],
  ["kind-longest", "a kind of 32 letters, which is kept", inSnapshot(`+${"k".repeat(32)}\te\t{}\n`), {
    records: RECORDS,
  }],
  ["empty-key", "a record with an empty key", inSnapshot("+secret\t\t{}\n")],
  ["removed-in-snapshot", "a removal in a snapshot", inSnapshot("-secret\ta\n")],
  ["removed-with-value", "a removal with a value", inDelta("-secret\te\t{}\n")],
  ["twice-in-snapshot", "a record that stands twice in a snapshot", inSnapshot(secret("a", "2"))],
  ["twice-in-delta", "a record that stands twice in a delta", inDelta(secret("d", "2"))],
  ["set-and-removed", "a record that a delta sets and removes", inDelta("-secret\td\n")],
  ["removed-unknown", "a removal of a record that is not there", inDelta("-secret\tnone\n"), { records: RECORDS }],
  ["utf-8", "text that is not UTF-8", inSnapshot(new Uint8Array([0x2b, 0x78, 0x09, 0x79, 0x09, 0xff, 0x0a]))],
  [
    "utf-8-cut",
    "text that ends within a character",
    inSnapshot(new Uint8Array([0x2b, 0x78, 0x09, 0x79, 0x09, 0xe2, 0x82])),
  ],
  [
    "utf-8-overlong",
    "an overlong form in UTF-8",
    inSnapshot(new Uint8Array([0x2b, 0x78, 0x09, 0x79, 0x09, 0xc0, 0xaf, 0x0a])),
  ],
  ["order", "lines in another order than any writer's", {
    segments: [
      AUDIT,
      { ...SNAPSHOT, text: secret("b", "22", { tags: ["x", "y"], note: "two" }) + secret("a", "1") },
      DELTA_4,
      DELTA_5,
    ],
  }, { records: RECORDS }],
];

const SECRETS: readonly Row[] = [
  ["not-json", "a secret that is not JSON", stored("{"), READING],
  ["not-object", "a secret that is a list", stored("[]"), READING],
  ["null", "a secret that is null", stored("null"), READING],
  ["no-created", "a secret without its time", stored({ ...storedSecret("1"), created: undefined }), READING],
  ["created-text", "a secret whose time is text", stored({ ...storedSecret("1"), created: "1" }), READING],
  ["created-negative", "a secret made before 1970", stored({ ...storedSecret("1"), created: -1 }), READING],
  [
    "created-fraction",
    "a secret whose time is no whole number",
    stored({ ...storedSecret("1"), updated: 1.5 }),
    READING,
  ],
  ["note-number", "a note that is a number", stored({ ...storedSecret("1"), note: 1 }), READING],
  ["tags-text", "tags that are no list", stored({ ...storedSecret("1"), tags: "x" }), READING],
  ["tag-number", "a tag that is a number", stored({ ...storedSecret("1"), tags: [1] }), READING],
  ["expires-text", "an expiry that is text", stored({ ...storedSecret("1"), expires: "never" }), READING],
  ["type-number", "a type that is a number", stored({ ...storedSecret("1"), type: 1 }), READING],
  ["no-versions", "a secret without versions", stored({ ...storedSecret("1"), versions: undefined }), READING],
  ["versions-none", "a secret with an empty list of versions", versions(), READING],
  ["versions-eleven", "a secret with eleven versions", versions(...many(11)), READING],
  ["versions-ten", "a secret with ten versions", versions(...many(10)), {
    records: { ...RECORDS, e: record("9", 10) },
  }],
  ["versions-jump", "version numbers with a gap", versions(version(1, "1"), version(3, "3")), READING],
  ["versions-fall", "version numbers that fall", versions(version(2, "2"), version(1, "1")), READING],
  ["version-zero", "version 0", versions(version(0, "0")), READING],
  ["version-null", "a version that is null", versions(null), READING],
  ["value-not-base64", "a value that is not base64", versions({ ...version(1, "1"), value: "*" }), READING],
  ["value-unpadded", "base64 without its padding", versions({ ...version(1, "1"), value: "MQ" }), READING],
  ["size-other", "a size that is not the value's", versions({ ...version(1, "1"), size: 2 }), READING],
  ["size-negative", "a size below zero", versions({ ...version(1, "1"), size: -1 }), READING],
  ["size-above", "a size above what a value may have", versions({ ...version(1, "1"), size: 16_777_217 }), READING],
  [
    "value-and-ref",
    "a version with a value and the key of one",
    versions({ ...version(1, "1"), ref: "0".repeat(32) }),
    READING,
  ],
  ["neither-value-nor-ref", "a version without a value", versions({ version: 1, created: TIME, size: 1 }), READING],
  [
    "ref-missing",
    "a value whose record is not there",
    versions({ version: 1, created: TIME, size: 1, ref: "0".repeat(32) }),
    {
      ...READING,
      problems: true,
    },
  ],
  [
    "ref",
    "a value in a record of its own",
    inDelta(
      plus("value", "0".repeat(32), JSON.stringify("MQ==")) +
        plus("secret", "e", {
          ...storedSecret("1"),
          versions: [{ version: 1, created: TIME, size: 1, ref: "0".repeat(32) }],
        }),
    ),
    { records: { ...RECORDS, e: record("1") } },
  ],
  [
    "ref-not-text",
    "a value record that is no text",
    inDelta(
      plus("value", "0".repeat(32), "1") +
        plus("secret", "e", {
          ...storedSecret("1"),
          versions: [{ version: 1, created: TIME, size: 1, ref: "0".repeat(32) }],
        }),
    ),
    READING,
  ],
  [
    "names",
    "names at their bounds, and the ones that objects have",
    inDelta(
      secret("__proto__", "1") + secret("n".repeat(512), "2") + secret("\u00e9", "3"),
    ),
    { records: { ...RECORDS, ["__proto__"]: record("1"), ["n".repeat(512)]: record("2"), "\u00e9": record("3") } },
  ],
  [
    "note-lines",
    "a note with line feeds, and tags in no normal form",
    inDelta(
      secret("e", "1", { note: "1\r\n2\t3", tags: ["e\u0301"] }),
    ),
    { records: { ...RECORDS, e: record("1", 1, { note: "1\r\n2\t3", tags: ["e\u0301"] }) } },
  ],
  ["unknown-member", "a member that is not defined", inDelta(secret("e", "1", { later: true })), {
    records: { ...RECORDS, e: record("1") },
  }],
];

const OTHERS: readonly Row[] = [
  ["policy-value", "a policy with a value that it cannot have", inDelta(plus("policy", "audit-reads", "1")), READING],
  ["policy-json", "a policy that is not JSON", inDelta(plus("policy", "plaintext-export", "allow")), READING],
  [
    "policies",
    "policies that are set",
    inDelta(plus("policy", "max-secret-age", "90") + plus("policy", "plaintext-export", '"forbid"')),
    {
      records: RECORDS,
      policies: { "max-secret-age": 90, "plaintext-export": "forbid" },
    },
  ],
  ["user-json", "a user that is not JSON", inDelta(plus("user", "acme/eve", "{")), READING],
  ["user-role", "a user with a role that there is not", inDelta(user({ role: "owner" })), READING],
  ["user-no-role", "a user without a role", inDelta(user({ role: undefined })), READING],
  ["user-enabled", "a user whose state is text", inDelta(user({ enabled: "yes" })), READING],
  ["user-created", "a user whose time is text", inDelta(user({ created: "1" })), READING],
  ["user-no-sessions", "a user without the tag of sessions", inDelta(user({ sessions: undefined })), READING],
  ["user-password", "a user whose password hash is a number", inDelta(user({ password: 1 })), READING],
  ["user-scram", "a user whose SCRAM verifier is text", inDelta(user({ scram: "x" })), READING],
  ["user-foreign-hash", "a user whose other hash is a list", inDelta(user({ foreignHash: [] })), READING],
  ["user", "a user of a tenant, and one of the platform", inDelta(user({}) + user({ role: "admin" }, "/root")), {
    records: RECORDS,
    users: { "acme/eve": { role: "read", enabled: true }, root: { role: "admin", enabled: true } },
  }],
  ["api-key-json", "an API key that is not JSON", inDelta(apiKey("{")), READING],
  ["api-key-role", "an API key with a role that there is not", inDelta(apiKey({ role: "owner" })), READING],
  ["api-key-no-owner", "an API key without an owner", inDelta(apiKey({ owner: undefined })), READING],
  ["api-key-name", "an API key whose name is a number", inDelta(apiKey({ name: 1 })), READING],
  ["api-key-expires", "an API key that expires at no time", inDelta(apiKey({ expires: "never" })), READING],
  ["api-key-used", "an API key last used at no time", inDelta(apiKey({}) + plus("apikey-used", HASH, '"x"')), READING],
  ["api-key", "an API key of a user", inDelta(user({}) + apiKey({})), {
    records: RECORDS,
    users: { "acme/eve": { role: "read", enabled: true } },
    apiKeys: [{ owner: "acme/eve", name: "deploy", role: "read" }],
  }],
];

function user(change: Record<string, unknown>, key = "acme/eve"): string {
  return plus("user", key, { role: "read", enabled: true, created: TIME, updated: TIME, sessions: "AAAA", ...change });
}

function apiKey(change: Record<string, unknown> | string): string {
  const whole = { owner: "acme/eve", name: "deploy", role: "read", created: TIME };
  return plus("apikey", HASH, typeof change === "string" ? change : { ...whole, ...change });
}

/** Them all. */
export function recordRecipes(identity: Identity): readonly Recipe[] {
  return [
    ...recipesOf("line", identity, LINES),
    ...recipesOf("secret", identity, SECRETS),
    ...recipesOf("record", identity, OTHERS),
  ];
}
