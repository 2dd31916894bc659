/**
 * Comparing secrets.
 *
 * @module
 */

/**
 * Whether two byte arrays are equal, in a time that depends on their lengths only.
 *
 * Every byte is looked at and there is no branch on any of them. JavaScript promises no more: an engine may still
 * compile it as it likes.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
