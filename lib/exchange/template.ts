/**
 * Templates: text with references to secrets in it, and what becomes of it when their values stand there instead.
 *
 * What is no reference stays as it was, byte for byte; a value is put in as it is. Nothing is parsed a second time, so a
 * value that looks like a reference, a quote or a line end is only a value.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { TemplateTooLargeError } from "./errors.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";
import { findReferences } from "./references.ts";

/** Most bytes of a template. */
export const MAX_TEMPLATE_SIZE = 16 * 1024 * 1024;
/** Most bytes of a template with its values in it. */
const MAX_FILLED_SIZE = 256 * 1024 * 1024;

/** A reference in a template. */
export interface Reference {
  /** The secret it names. */
  readonly name: string;
  /** Its line, from 1. */
  readonly line: number;
}

/** Text, as bytes, and references in the order in which they stand. */
export type Template = readonly (Bytes | Reference)[];

/**
 * Reads a template.
 *
 * @throws {TemplateTooLargeError} @throws {MalformedTemplateError}
 */
export function parseTemplate(bytes: Uint8Array): Template {
  if (bytes.length > MAX_TEMPLATE_SIZE) throw new TemplateTooLargeError("The template", MAX_TEMPLATE_SIZE);
  const parts: (Bytes | Reference)[] = [];
  const keep = (text: Uint8Array) => {
    if (text.length > 0) parts.push(text.slice());
  };
  let done = 0;
  for (const { start, end, literal, name, line } of findReferences(toLatin1(bytes))) {
    keep(bytes.subarray(done, start));
    keep(fromLatin1(literal));
    if (name !== undefined) parts.push({ name, line });
    done = end;
  }
  keep(bytes.subarray(done));
  return parts;
}

/** The names that a template refers to, each once, in the order in which they first stand. */
export function namesIn(template: Template): readonly string[] {
  return [...new Set(template.filter(isReference).map(({ name }) => name))];
}

/**
 * The text with values in place of the references.
 *
 * @param values by name; all that the template refers to
 * @throws {TemplateTooLargeError} before anything of that size is made
 */
export function fillTemplate(template: Template, values: ReadonlyMap<string, Uint8Array>): Bytes {
  const parts = template.map((part) => isReference(part) ? values.get(part.name)! : part);
  let size = 0;
  for (const { length } of parts) size += length;
  if (size > MAX_FILLED_SIZE) throw new TemplateTooLargeError("The template with its values", MAX_FILLED_SIZE);
  // Not `concat`, whose arguments have to fit the stack: a template may have more parts than that.
  const filled = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    filled.set(part, at);
    at += part.length;
  }
  return filled;
}

/** Whether a part of a template is a reference. */
export function isReference(part: Bytes | Reference): part is Reference {
  return !(part instanceof Uint8Array);
}
