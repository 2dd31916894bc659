/**
 * The forms in which a value shows up in what programs print: as it is, and encoded.
 *
 * @module
 */
import { decodeUtf8, encodeBase64, encodeHex, encodeUtf8 } from "../bytes.ts";
import { fromLatin1 } from "./references.ts";

/** Widths to which programs break base64: MIME and `base64`, PEM. */
const BASE64_WIDTHS = [76, 64];
/** What may follow base64 in a longer text is not its own: these many last and first bits are shared with neighbours. */
const BASE64_BITS = 6;
/** A shorter line of a longer text, such as a bracket, would be found where it is not. */
const MIN_LINE_LENGTH = 8;

/** What percent-encoding leaves as it is, by who does it. */
const UNESCAPED = [
  /[A-Za-z0-9_.~-]/, // RFC 3986, section 2.3
  /[A-Za-z0-9_.~/-]/, // the same for paths
  /[A-Za-z0-9_.!~*'()-]/, // encodeURIComponent
  /[A-Za-z0-9_.!~*'();/?:@&=+$,#-]/, // encodeURI
  /[A-Za-z0-9_.*-]/, // application/x-www-form-urlencoded, which also writes + for a blank
];

/**
 * Every form of a value that is looked for, the value itself included, each once: its lines, but for short ones; hex of
 * either case; base64, standard and URL-safe, whole, broken into lines, and inside of longer base64 at each of its three
 * places; percent-encoding; and what stands between the quotes of a JSON string.
 *
 * A line end at the value's end does not count, since what prints a value leaves it out or not. Inside of longer base64
 * the first and the last character may hold up to four bits of the value that are not part of a form.
 */
export function encodedForms(value: Uint8Array): readonly Uint8Array[] {
  const bytes = withoutLineEnd(value);
  const texts = new Set<string>([...base64Forms(bytes), encodeHex(bytes), encodeHex(bytes).toUpperCase()]);
  for (const unescaped of UNESCAPED) {
    for (const text of percentForms(bytes, unescaped)) texts.add(text);
  }
  const forms = [bytes, ...[...texts].map(fromLatin1)];
  const text = asText(bytes);
  if (text !== undefined) forms.push(...[...textForms(text), ...linesOf(text)].map(encodeUtf8));
  const distinct = new Map(forms.filter(({ length }) => length > 0).map((form) => [encodeHex(form), form]));
  return [...distinct.values()];
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return bytes.subarray(0, end);
}

function* base64Forms(bytes: Uint8Array): Generator<string> {
  const standard: string[] = [];
  for (const before of [0, 1, 2]) {
    // The characters that depend on the value alone, when it begins so many bytes into a group of three.
    const padded = new Uint8Array(before + bytes.length);
    padded.set(bytes, before);
    const first = Math.ceil(before * 8 / BASE64_BITS);
    const last = Math.floor(padded.length * 8 / BASE64_BITS);
    standard.push(encodeBase64(padded).slice(first, last));
  }
  const whole = encodeBase64(bytes);
  standard.push(whole, whole.replace(/=+$/, ""));
  for (const width of BASE64_WIDTHS) {
    const lines = whole.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
    if (lines.length > 1) standard.push(lines.join("\n"), lines.join("\r\n"));
  }
  for (const text of standard) {
    yield text;
    yield text.replaceAll("+", "-").replaceAll("/", "_");
  }
}

function percentForms(bytes: Uint8Array, unescaped: RegExp): readonly string[] {
  const upper: string[] = [];
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    upper.push(unescaped.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
  }
  const all = [upper, upper.map((part) => part.length === 3 ? part.toLowerCase() : part)];
  return all.flatMap((parts) => [parts.join(""), parts.map((part) => part === "%20" ? "+" : part).join("")]);
}

/** Forms of text: between the quotes of a JSON string as several libraries write it, and with line ends of Windows. */
function textForms(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const asciiOnly = escaped(json, /[\u007f-\uffff]/g);
  const forHtml = escaped(json, /[<>&\u2028\u2029]/g);
  const forms = [json, asciiOnly, forHtml, json.replaceAll("/", "\\/"), asciiOnly.replaceAll("/", "\\/")];
  const capitals = forms.map((form) => form.replace(/\\u([0-9a-f]{4})/g, (_, digits) => `\\u${digits.toUpperCase()}`));
  return [...forms, ...capitals, text.replace(/\r?\n/g, "\r\n"), text.replaceAll("\r\n", "\n")];
}

/** Lines of a text that has several, without the blanks around them: programs print them indented, or some alone. */
function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n|\r/).map((line) => line.trim());
  return lines.length < 2 ? [] : lines.filter(({ length }) => length >= MIN_LINE_LENGTH);
}

function escaped(text: string, which: RegExp): string {
  return text.replace(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function asText(bytes: Uint8Array): string | undefined {
  try {
    return decodeUtf8(bytes);
  } catch {
    return undefined;
  }
}
