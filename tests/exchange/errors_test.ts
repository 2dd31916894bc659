import assert from "node:assert/strict";
import { type CofferError, ERROR_TABLE } from "../../lib/errors.ts";
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
