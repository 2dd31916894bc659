/**
 * What can be wrong with the secret of one-time codes.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

/** Thrown when a value is no secret of time-based one-time codes. */
export class MalformedOtpError extends CofferError {
  /** Says which rule was broken; nothing of the value. */
  constructor(rule: string, options: CofferErrorOptions = {}) {
    super("malformed-otp", `The value is no secret of one-time codes: ${rule}`, options);
  }
}
