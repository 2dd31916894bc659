/**
 * `coffer inject`: a text with the values of secrets in place of references.
 *
 * @module
 */
import { type Bytes, decodeUtf8, encodeBase64 } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { fillTemplate, MAX_TEMPLATE_SIZE, namesIn, parseTemplate } from "../exchange/template.ts";
import { checkMayCreate, checkMayWrite, claimStdin, readFile, readStdin, REPLACEABLE, STDIN } from "./files.ts";
import type { GlobalFlags } from "./flags.ts";
import { sameFile } from "./numbered.ts";
import { prepareOpening } from "./open.ts";
import { counted, note, writeJson, writeOut } from "./output.ts";
import { replaceFile, writeNewFile } from "./private_file.ts";
import { findSecrets, readSecrets, type Values } from "./read_secrets.ts";

/** Flags of `inject`. */
export interface InjectFlags extends GlobalFlags {
  /** File with the template. */
  readonly in?: string;
  /** File to write to. */
  readonly out?: string;
  /** Whether that file may exist. */
  readonly overwrite: boolean;
  /** Whether only to look what is missing. */
  readonly check: boolean;
}

/** Fills a template, or looks whether it could be filled. */
export default async function inject(flags: InjectFlags): Promise<void> {
  const { json, out, overwrite, check } = flags;
  if (check && out !== undefined) throw new UsageError("--check writes nothing, so it takes no --out");
  if (overwrite && out === undefined) throw new UsageError("--overwrite needs --out");
  if (out !== undefined && flags.in !== undefined && flags.in !== STDIN && sameFile(flags.in, out)) {
    throw new UsageError("--in and --out are the same file", { hint: "A template with values in it is no template" });
  }
  const opening = prepareOpening(flags);
  if (out !== undefined && overwrite) checkMayWrite(out, "write");
  else if (out !== undefined) checkMayCreate(out, REPLACEABLE);

  const template = parseTemplate(await readTemplate(flags.in));
  const names = namesIn(template);
  if (check) {
    if (names.length > 0) await findSecrets(opening, names);
    if (json) await writeJson({ references: names });
    else note(`${counted(names.length, "secret")}, none is missing`);
    return;
  }
  // A text without references needs no vault.
  const values: Values = names.length > 0 ? await readSecrets(opening, () => ({ names })) : new Map();
  const filled = fillTemplate(template, values);
  if (out !== undefined) {
    (overwrite ? replaceFile : writeNewFile)(out, filled);
    if (json) await writeJson({ references: names, out });
  } else if (json) await writeJson({ references: names, ...encoded(filled) });
  else await writeOut(filled);
}

async function readTemplate(path = STDIN): Promise<Bytes> {
  if (path !== STDIN) return (await readFile(path, "template", MAX_TEMPLATE_SIZE)).bytes;
  claimStdin("the template");
  if (Deno.stdin.isTerminal()) {
    throw new UsageError("No template was given, and stdin is a terminal", { hint: "Name its file with --in" });
  }
  return await readStdin(MAX_TEMPLATE_SIZE);
}

function encoded(bytes: Uint8Array): { readonly encoding: "utf8" | "base64"; readonly text: string } {
  try {
    return { encoding: "utf8", text: decodeUtf8(bytes) };
  } catch {
    return { encoding: "base64", text: encodeBase64(bytes) };
  }
}
