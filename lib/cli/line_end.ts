/**
 * The line end that programs put behind a single line, such as a token, and that is rarely meant to be kept.
 *
 * @module
 */

const LF = 0x0a;
const CR = 0x0d;

/** Whether the bytes are one line of text, and its end. */
export function endsItsLine(bytes: Uint8Array): boolean {
  const length = bytes.length - lineEndSize(bytes);
  if (length === bytes.length) return false;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
    return !/[\r\n\0]/.test(text);
  } catch {
    return false;
  }
}

/** The bytes without one line end (LF or CRLF) at their end, if there is one; they share memory. */
export function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - lineEndSize(bytes));
}

function lineEndSize(bytes: Uint8Array): number {
  if (bytes.at(-1) !== LF) return 0;
  return bytes.at(-2) === CR ? 2 : 1;
}
