/**
 * One entry of the `pass` program, decrypted: the password on the first line, whatever one likes below.
 *
 * @module
 */
import { type Bytes, decodeUtf8 } from "../bytes.ts";
import type { Item } from "./item.ts";

/** How the name of who logs in is called in such files. */
const USERNAMES = new Set(["login", "user", "username"]);

/**
 * Reads an entry. Below the password `NAME: VALUE` is a field, an `otpauth://` address the one for one-time codes, the
 * rest the note. What is no text, or a key in PEM, is one value as a whole.
 *
 * @param path folders and name of the file, without `.gpg`
 */
export function parsePass(path: readonly string[], bytes: Bytes): Item {
  const where = `"${path.join("/")}"`;
  const text = asText(bytes);
  if (text === undefined) return { path, where, password: bytes, type: "binary" };
  if (text.startsWith("-----BEGIN ")) return { path, where, password: text, type: "pem" };
  const [password = "", ...lines] = text.split(/\r?\n/);
  const fields: { name: string; value: string }[] = [];
  const urls: string[] = [];
  const notes: string[] = [];
  let username: string | undefined;
  let otp: string | undefined;
  for (const line of lines) {
    const [, name, value] = /^([A-Za-z][\w .-]{0,63}?)\s*:\s+(\S.*)$/.exec(line) ?? [];
    const lower = name?.toLowerCase();
    const address = /^otpauth:\/\/\S+$/.exec(value ?? line)?.[0];
    if (address !== undefined && otp === undefined) otp = address;
    else if (name === undefined) notes.push(line);
    else if (USERNAMES.has(lower!) && username === undefined) username = value;
    else if (lower === "url") urls.push(value!);
    else fields.push({ name, value: value! });
  }
  return { path, where, password, username, urls, otp, notes: notes.join("\n").trim(), fields };
}

function asText(bytes: Bytes): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}
