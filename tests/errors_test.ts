import assert from "node:assert/strict";
import { ERROR_TABLE } from "../lib/error_table.ts";
import * as errors from "../lib/errors.ts";
import * as reddbErrors from "../lib/reddb/errors.ts";

type AnyError = new (...facts: never[]) => errors.CofferError;

/** Facts that any class can be built from: texts, then numbers, are what their constructors take. */
const FACTS: Record<string, readonly unknown[]> = {
  InsecurePermissionsError: ["/a/b", 0o100644],
  UnsupportedVersionError: ["/a/b", 2],
  TruncatedVaultError: ["/a/b", 1, 2],
  RollbackDetectedError: [1, 2],
  ForkDetectedError: [1],
  SealLimitError: [1],
  PolicyError: ["require-reason", "reason-required", "What"],
  TooManyAttemptsError: [1500],
  BusyError: ["It was busy", 5],
  ConflictError: [1, 2],
  ConflictingCredentialsError: [["passphrase", "keyFile"]],
  WeakKdfError: [8, 1],
  KdfLimitError: [8, 1, 1],
  LastSlotError: [1],
  ValueTooLargeError: [2, 1],
  VersionNotFoundError: ["name", 2],
  // These take options only.
  WrongCredentialError: [],
  NoCredentialError: [],
  SlotsFullError: [],
  VaultClosedError: [],
  TransactionClosedError: [],
  InterruptedError: [],
  DeclinedError: [],
  // These take one text.
  CorruptVaultError: ["what"],
  MalformedCredentialError: ["what"],
  WeakCredentialError: ["what"],
  SlotNotFoundError: ["what"],
  InvalidNameError: ["rule"],
  UsageError: ["what"],
  SlotsWouldDropError: [[{ id: 2, kind: "keyfile", label: "" }]],
  ProblemsFoundError: ["what"],
  VaultNotFoundError: ["/a/b"],
  VaultExistsError: ["/a/b"],
  NotAFileError: ["/a/b"],
  EmptyFileError: ["/a/b"],
  NotAVaultError: ["/a/b"],
  FileExistsError: ["/a/b"],
  FolderNotFoundError: ["/a"],
  SecretNotFoundError: ["name"],
  MalformedTextError: ["name"],
  SecretExistsError: ["name"],
  RedDbNoKeyError: ["Something is missing"],
  RedDbEncryptionError: ["what"],
  RedDbDecryptionError: [],
  RedDbCorruptError: ["what"],
  RedDbLegacyError: [],
  RedDbUnsupportedError: [9],
  RedDbPageFileError: ["/a/b", "what"],
};

function classes(): [string, AnyError][] {
  return Object.entries({ ...errors, ...reddbErrors }).filter(([name, value]) =>
    typeof value === "function" && name.endsWith("Error") && name !== "CofferError"
  ) as [string, AnyError][];
}

function make(name: string, Class: AnyError): errors.CofferError {
  return new Class(...(FACTS[name] ?? ["one", "two"]) as never[]);
}

Deno.test("every error class has a code of its own, the table's hint or its own, and an exit code", () => {
  const codes = new Set<string>();
  for (const [name, Class] of classes()) {
    const error = make(name, Class);
    assert.ok(error instanceof errors.CofferError && error instanceof Error);
    assert.equal(error.name, name);
    assert.ok(error.code in ERROR_TABLE, name);
    assert.ok(!codes.has(error.code), `${name} shares the code ${error.code}`);
    codes.add(error.code);
    assert.ok(error.hint.length > 0 && !error.hint.endsWith("."), name);
    assert.equal(error.exitCode, ERROR_TABLE[error.code].exit);
  }
});

Deno.test("every message begins with a capital and has no final period", () => {
  for (const [name, Class] of classes()) {
    const facts = (FACTS[name] ?? ["one", "two"]).map((fact) =>
      fact === "what" || fact === "rule" ? "Something happened" : fact
    );
    const { message } = new Class(...facts as never[]);
    assert.match(message, /^[A-Z]/, name);
    assert.doesNotMatch(message, /\.$|undefined|\[object/, name);
  }
});

Deno.test("ERROR_TABLE has kebab-case codes, and the documented exit codes only", () => {
  for (const [code, { exit, hint }] of Object.entries(ERROR_TABLE)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    // The last two are what shells say of a command that is not there, or cannot run.
    assert.ok([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 126, 127].includes(exit), code);
    assert.match(hint, /^[A-Z]|^`/, code);
  }
});

Deno.test("CofferError keeps a cause and a more exact hint", () => {
  const cause = new Error("below");
  const error = new errors.VaultClosedError({ cause, hint: "Do this" });
  assert.equal(error.cause, cause);
  assert.equal(error.hint, "Do this");
  assert.ok(!("cause" in new errors.VaultClosedError()));
});

Deno.test("CorruptVaultError names the page as a field and in its message", () => {
  const error = new errors.CorruptVaultError("a page is cut short", { page: 7 });
  assert.equal(error.page, 7);
  assert.match(error.message, /7/);
  assert.equal(new errors.CorruptVaultError("it is bad").page, undefined);
});

Deno.test("TooManyAttemptsError gives the wait in milliseconds, and in seconds to people, never too few", () => {
  for (const [wait, seconds] of [[1, 1], [1000, 1], [1001, 2], [900_000, 900]] as const) {
    const error = new errors.TooManyAttemptsError(wait);
    assert.equal(error.retryAfter, wait);
    assert.match(error.message, new RegExp(` ${seconds} s$`));
    assert.match(error.hint, new RegExp(` ${seconds} second${seconds === 1 ? "" : "s"};`));
  }
});
