import assert from "node:assert/strict";
import {
  InvalidPasswordError,
  MalformedVerifierError,
  ScramProtocolError,
  type ScramReason,
  type VerifierFormat,
  WeakPasswordParametersError,
} from "../../lib/auth/errors.ts";
import { CofferError } from "../../lib/errors.ts";
import { ERROR_TABLE } from "../../lib/error_table.ts";

const FORMATS: readonly VerifierFormat[] = ["phc", "scram", "postgres", "reddb"];

/** What a server says of each reason; RFC 5802, section 7 lists what it may say. */
const REASONS: Readonly<Record<ScramReason, string>> = {
  "size": "e=other-error",
  "encoding": "e=invalid-encoding",
  "syntax": "e=other-error",
  "extension": "e=extensions-not-supported",
  "channel-binding": "e=channel-bindings-dont-match",
  "user-name": "e=invalid-username-encoding",
  "authorization": "e=other-error",
  "nonce": "e=other-error",
  "order": "e=other-error",
};

Deno.test("the errors of passwords and logins have codes of the table, and messages in its manner", () => {
  const errors: readonly (readonly [error: CofferError, code: string, exit: number])[] = [
    ...FORMATS.map((format) =>
      [new MalformedVerifierError(format, "it is not of its form"), "malformed-verifier", 2] as const
    ),
    ...(Object.keys(REASONS) as ScramReason[]).map((reason) =>
      [new ScramProtocolError(reason), "scram-protocol", 4] as const
    ),
    [new WeakPasswordParametersError("too few"), "weak-password-parameters", 11],
    [new InvalidPasswordError("it is empty"), "invalid-password", 2],
  ];
  for (const [error, code, exit] of errors) {
    assert.ok(error instanceof CofferError);
    assert.deepEqual([error.code, error.exitCode, error.hint], [code, exit, ERROR_TABLE[error.code].hint]);
    assert.equal(error.name, error.constructor.name);
    assert.match(error.message, /^[A-Z]/);
    assert.doesNotMatch(error.message, /\.$|undefined|\[object/);
  }
  assert.equal(new Set(errors.map(([error]) => error.message)).size, errors.length);
});

Deno.test("ScramProtocolError knows what the server may say at the end", () => {
  for (const [reason, said] of Object.entries(REASONS)) {
    const error = new ScramProtocolError(reason as ScramReason);
    assert.deepEqual([error.reason, error.serverFinal], [reason, said]);
  }
});
