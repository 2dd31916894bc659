/**
 * What can go wrong with an editor.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../../errors.ts";

/** Thrown when the editor could not be run, or ended with a failure. */
export class EditorFailedError extends CofferError {
  /** Says what happened. */
  constructor(what: string, options: CofferErrorOptions = {}) {
    super("editor-failed", what, options);
  }
}

/** Thrown when a secret was changed by somebody else while it was edited. */
export class SecretChangedError extends CofferError {
  /** Gives the name. */
  constructor(readonly secret: string, options: CofferErrorOptions = {}) {
    super("secret-changed", `"${secret}" was changed by somebody else while it was edited`, options);
  }
}
