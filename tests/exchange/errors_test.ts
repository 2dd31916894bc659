import assert from "node:assert/strict";
import { ERROR_TABLE } from "../../lib/errors.ts";
import {
  ExchangeLimitError,
  ExportRefusedError,
  ExportUnsuitedError,
  ImportConflictError,
  ImportDecryptionError,
  ImportEncryptedError,
  ImportNamesError,
  MalformedImportError,
} from "../../lib/exchange/errors.ts";

const ERRORS = [
  new MalformedImportError("CSV", "line 3", "it is empty"),
  new MalformedImportError("CSV", undefined, "it is empty"),
  new ImportNamesError([{ where: "line 1", rule: "it is empty" }, { where: "line 2", rule: "it is too long" }]),
  new ImportConflictError(["a", "b"]),
  new ImportEncryptedError("Bitwarden"),
  new ImportDecryptionError("a.age"),
  new ExchangeLimitError("The file has more entries", 5),
  new ExportRefusedError(),
  new ExportUnsuitedError("CSV", "binary values", ["a"]),
];

Deno.test("every error of an exchange has a code with an exit code and a hint, and a message like all others", () => {
  for (const error of ERRORS) {
    assert.equal(error.name, error.constructor.name);
    assert.equal(error.exitCode, ERROR_TABLE[error.code].exit);
    assert.ok(error.hint.length > 0 && !error.hint.endsWith("."), error.name);
    assert.match(error.message, /^[A-Z]/);
    assert.doesNotMatch(error.message, /\.$|undefined|\[object/);
  }
});

Deno.test("errors that list names end after a hundred of them, and say how many more there are", () => {
  const names = Array.from({ length: 250 }, (_, index) => `n${index}`);
  assert.match(new ImportConflictError(names).message, /"n0", .*"n99", and 150 more$/);
});
