/**
 * Looking for known secrets: as they are, and in the forms in which they travel.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encodeUtf8 } from "../../lib/bytes.ts";

/** A secret that is looked for. */
export interface Needle {
  /** Which one it is; messages say this, never the secret. */
  readonly name: string;
  /** What it looks like, a character for each byte: text is searched many times as quickly as bytes. */
  readonly forms: readonly (readonly [form: string, bytes: string])[];
}

/** Fewest bytes of a form: shorter ones turn up by chance. */
const SHORTEST = 8;

/** A secret as text, or as bytes. */
export function needle(name: string, secret: string | Uint8Array): Needle {
  const bytes = Buffer.from(typeof secret === "string" ? encodeUtf8(secret) : secret);
  const text = bytes.toString("utf8");
  const reversed = Buffer.from(text, "utf16le").swap16();
  const forms: (readonly [string, Buffer])[] = [
    ["as it is", bytes],
    ["hex", Buffer.from(bytes.toString("hex"))],
    ["upper-case hex", Buffer.from(bytes.toString("hex").toUpperCase())],
    ["UTF-16", Buffer.from(text, "utf16le")],
    ["UTF-16, big-endian", reversed],
    ["JSON within JSON", Buffer.from(JSON.stringify(JSON.stringify(text)).slice(3, -3))],
    ["percent-encoded", Buffer.from(encodeURIComponent(text))],
    ["numbers", Buffer.from([...bytes].join(","))],
    ["backwards", Buffer.from([...bytes].reverse())],
  ];
  for (const encoding of ["base64", "base64url"] as const) {
    // Within a longer run base64 begins at any of three places; what surrounds the secret changes the ends only.
    for (const before of [0, 1, 2]) {
      const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
      const from = before === 0 ? 0 : 4;
      const most = whole.length - whole.length % 4 - 4;
      forms.push([`${encoding} at ${before}`, Buffer.from(whole.slice(from, Math.max(from, most)))]);
    }
  }
  const long = forms.filter(([, form]) => form.length >= SHORTEST);
  return { name, forms: long.map(([form, bytes]) => [form, bytes.toString("latin1")]) };
}

/** Fails when one of the secrets stands in some bytes or a text, in any form. */
export function assertFree(haystack: string | Uint8Array, needles: readonly Needle[], where: string): void {
  const found = findAll(haystack, needles);
  assert.deepEqual(found, [], `${where} holds ${found.join(", ")}`);
}

/** Names and forms of the secrets that stand in some bytes or a text. */
export function findAll(haystack: string | Uint8Array, needles: readonly Needle[]): string[] {
  const bytes = typeof haystack === "string"
    ? Buffer.from(haystack)
    : Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength);
  const text = bytes.toString("latin1");
  return needles.flatMap(({ name, forms }) =>
    forms.filter(([, form]) => text.includes(form)).map(([form]) => `${name} (${form})`)
  );
}

/** Fails when one of the secrets stands in a file of a folder, or of a folder in it, or in a name. */
export function assertFolderFree(
  folder: string,
  needles: readonly Needle[],
  except: ReadonlySet<string> = new Set(),
): number {
  let files = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    assertFree(name, needles, `the name of a file in ${folder}`);
    if (isDirectory) files += assertFolderFree(path, needles, except);
    else if (!except.has(name)) {
      assertFree(Deno.readFileSync(path), needles, name);
      files++;
    }
  }
  return files;
}

/** Everything that can be printed of an error, its causes and its fields included. */
export function everythingOf(error: unknown): string {
  const inspected = Deno.inspect(error, { depth: 20, strAbbreviateSize: Infinity, iterableLimit: Infinity });
  const { message, stack, hint, cause } = error as Error & { hint?: string };
  const inner = cause === undefined ? "" : everythingOf(cause);
  return [inspected, String(error), message, stack, hint, JSON.stringify(error), inner].join("\n");
}
