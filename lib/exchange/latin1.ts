/**
 * Bytes as text of one character each (ISO 8859-1), for patterns that have to meet bytes of any kind.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";

/** A text with one character a byte. */
export function toLatin1(bytes: Uint8Array): string {
  const size = 0x8000;
  let text = "";
  for (let at = 0; at < bytes.length; at += size) text += String.fromCharCode(...bytes.subarray(at, at + size));
  return text;
}

/** The bytes of a text with one character a byte. */
export function fromLatin1(text: string): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
