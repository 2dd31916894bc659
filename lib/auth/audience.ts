/**
 * For whom a session token is.
 *
 * @module
 */

/** The audience of a token, unless another one is named. */
export const DEFAULT_AUDIENCE = "coffer";
/** Longest audience, in characters. */
export const MAX_AUDIENCE_SIZE = 256;

/** Whether a text can be an audience. */
export function isAudience(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.length <= MAX_AUDIENCE_SIZE;
}
