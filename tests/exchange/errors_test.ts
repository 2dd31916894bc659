import assert from "node:assert/strict";
import type { CofferError } from "../../lib/errors.ts";
import { ERROR_TABLE } from "../../lib/error_table.ts";
import * as errors from "../../lib/exchange/errors.ts";

/** One error of each class, and its message. */
const ERRORS: readonly (readonly [CofferError, string])[] = [
  [new errors.MissingReferencesError(["a", "b/**"]), 'Not in the vault: "a", "b/**"'],
  [new errors.MalformedTemplateError(3, "it is odd"), "Malformed template, line 3: it is odd"],
  [new errors.TemplateTooLargeError("The template", 5), "The template has more than 5 bytes"],
  [new errors.VariableCollisionError("A", ["x", "y"]), 'Both "x" and "y" would be A'],
  [
    new errors.UnfitForEnvironmentError("x", "it holds a NUL"),
    'The value of "x" cannot be in a variable: it holds a NUL',
  ],
  [
    new errors.EnvironmentTooLargeError(7, "A"),
    "The system refuses 7 bytes of variables, of which A is the largest, and these arguments",
  ],
  [new errors.TooMuchToRedactError(7, 5), "The values have 7 bytes, and at most 5 can be masked"],
  [new errors.CommandNotFoundError("x"), 'Cannot run "x": there is no such program'],
  [new errors.CommandNotExecutableError("x"), 'Cannot run "x": it is nothing that can be run'],
  [new errors.MalformedImportError("CSV", "line 3", "it is odd"), "Cannot read CSV, line 3: it is odd"],
  [
    new errors.ImportNamesError([{ where: "line 1", rule: "it is empty" }, { where: "line 2", rule: "it is odd" }]),
    "Invalid names: line 1: it is empty; line 2: it is odd",
  ],
  [new errors.ImportConflictError(["a", "b"]), 'These names are taken by other values: "a", "b"'],
  [
    new errors.ImportEncryptedError("Bitwarden"),
    "The Bitwarden export is encrypted, and coffer reads unencrypted ones only",
  ],
  [new errors.ImportDecryptionError("a.age"), 'Cannot decrypt "a.age"'],
  [new errors.ExchangeLimitError("The file has more bytes", 5), "The file has more bytes than the 5 that are allowed"],
  [new errors.ExportRefusedError(), "The vault's policy plaintext-export forbids exports without encryption"],
  [new errors.ExportUnsuitedError("CSV", "binary values", ["a"]), 'The format CSV cannot hold binary values: "a"'],
];

Deno.test("every error of lib/exchange has a code of its own, a hint, and says what happened", () => {
  const classes = Object.entries(errors).filter(([, value]) => typeof value === "function");
  const seen = new Set(ERRORS.map(([error]) => error.name));
  assert.deepEqual(classes.map(([name]) => name).filter((name) => !seen.has(name)), []);
  assert.equal(new Set(ERRORS.map(([error]) => error.code)).size, ERRORS.length);
  for (const [error, message] of ERRORS) {
    assert.equal(error.message, message);
    assert.equal(error.hint, ERROR_TABLE[error.code].hint);
  }
});

Deno.test("errors that list names end after a hundred of them, and say how many more there are", () => {
  const names = Array.from({ length: 250 }, (_, index) => `n${index}`);
  assert.match(new errors.ImportConflictError(names).message, /"n0", .*"n99", and 150 more$/);
  assert.equal(new errors.MalformedImportError("CSV", undefined, "it is odd").message, "Cannot read CSV: it is odd");
});
