/**
 * `coffer edit NAME`: a value in an editor.
 *
 * @module
 */
import { type Bytes, decodeUtf8, equalBytes } from "../../bytes.ts";
import {
  InterruptedError,
  MalformedTextError,
  MissingPermissionError,
  UsageError,
  ValueTooLargeError,
} from "../../errors.ts";
import type { SecretInfo } from "../../secrets.ts";
import { checkName } from "../../state/names.ts";
import { MAX_VALUE_SIZE } from "../../state/secret.ts";
import type { Vault } from "../../vault.ts";
import { withoutCredentials } from "../child_environment.ts";
import { statusOf } from "../child_status.ts";
import { environment } from "../environment.ts";
import { checkMayChange, readFile } from "../files.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { note, shown, writeJson } from "../output.ts";
import { PrivateFolder } from "../private_folder.ts";
import { folderOf } from "../../storage/path_watch.ts";
import { EditorFailedError, SecretChangedError } from "./errors.ts";
import { END_SIGNALS, untilSignal } from "../until_signal.ts";

/** Flags of `edit`. */
export interface EditFlags extends GlobalFlags {
  /** The editor. */
  readonly editor?: string;
}

/** What a value is while it is edited. */
interface Original {
  readonly value: Bytes;
  /** Undefined for a secret that is not there yet. */
  readonly info?: SecretInfo;
}

const LINE_FEED = 0x0a;
/** What a terminal sends to the editor as well; it knows what to do with it. */
const EDITORS_OWN: readonly Deno.Signal[] = ["SIGINT", "SIGQUIT"];

/** Lets the user edit a value, and keeps what became of it. */
export default async function edit(flags: EditFlags, name: string): Promise<void> {
  checkName(name);
  const command = findEditor(flags);
  const opening = prepareOpening(flags);
  checkMayChange(opening.path);
  await using vault = await openVault(opening);
  const original = await read(vault, name);
  const edited = await inEditor(command, original.value, opening.path);
  const value = withLineEndOf(original.value, edited);
  assertText(value, name);
  const changed = !equalBytes(value, original.value);
  const version = changed ? await keep(vault, name, original, value) : original.info?.version;
  if (flags.json) await writeJson({ name, ...(version === undefined ? {} : { version }), changed });
  else note(changed ? `Saved ${shown(name)}, version ${version}` : "Nothing was changed");
}

/** The words of the command. */
function findEditor({ editor }: EditFlags): readonly [string, ...string[]] {
  const command = editor ?? environment("VISUAL") ?? environment("EDITOR") ?? "";
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");
  const [program, ...args] = words;
  if (program === undefined || program === "") {
    throw new UsageError("No editor is set", {
      hint: "Set VISUAL or EDITOR, and run deno with --allow-env=VISUAL,EDITOR; or give it with --editor",
    });
  }
  if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") {
    throw new MissingPermissionError(`--allow-run=${program}`, "run the editor");
  }
  return [program, ...args];
}

async function read(vault: Vault, name: string): Promise<Original> {
  if (!await vault.secrets.has(name)) return { value: new Uint8Array(0) };
  const info = await vault.secrets.info(name);
  const value = await vault.secrets.get(name, { version: info.version });
  assertText(value, name);
  return { value, info };
}

/** Hands the value to the editor in a file, and takes it back; the file is gone afterwards, whatever happened. */
async function inEditor(command: readonly [string, ...string[]], value: Bytes, vault: string): Promise<Bytes> {
  return await untilSignal(async (ended) => {
    using folder = PrivateFolder.make(folderOf(vault));
    const path = folder.write("secret.txt", value);
    await run(command, path, ended);
    return await readBack(path);
  }, END_SIGNALS.filter((signal) => !EDITORS_OWN.includes(signal)));
}

async function run(
  [program, ...args]: readonly [string, ...string[]],
  path: string,
  ended: Promise<Deno.Signal>,
): Promise<void> {
  await untilSignal(async () => {
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args: [...args, path],
        env: withoutCredentials(),
        stdin: "inherit",
        stdout: "inherit",
        stderr: "inherit",
      })
        .spawn();
    } catch (error) {
      throw new EditorFailedError(`The editor "${program}" could not be run`, { cause: error });
    }
    const outcome = await Promise.race([statusOf(child), ended]);
    if (typeof outcome === "string") {
      // What it may still write finds no folder any more.
      child.kill(outcome);
      child.unref();
      throw new InterruptedError();
    }
    if (!outcome.success) throw new EditorFailedError(`The editor "${program}" ended with exit code ${outcome.code}`);
  }, EDITORS_OWN.filter((signal) => END_SIGNALS.includes(signal)));
}

async function readBack(path: string): Promise<Bytes> {
  const { bytes } = await readFile(path, "what the editor wrote to", MAX_VALUE_SIZE);
  if (bytes.length > MAX_VALUE_SIZE) throw new ValueTooLargeError(bytes.length, MAX_VALUE_SIZE);
  return bytes;
}

/** Editors end a text with a line end. Where the value had none, the last one that came is not the user's. */
function withLineEndOf(original: Bytes, edited: Bytes): Bytes {
  const had = original.at(-1) === LINE_FEED;
  return !had && edited.at(-1) === LINE_FEED ? edited.subarray(0, -1) : edited;
}

function assertText(value: Uint8Array, name: string): void {
  try {
    decodeUtf8(value);
  } catch {
    throw new MalformedTextError(name, {
      hint: "Only text can be edited: use `coffer get --out` and `coffer set --file`",
    });
  }
}

/** Keeps the value unless the secret is no longer what was edited. */
async function keep(vault: Vault, name: string, { info }: Original, value: Bytes): Promise<number> {
  return await vault.transaction(({ secrets }) => {
    const now = secrets.has(name) ? secrets.info(name) : undefined;
    const same = now?.version === info?.version && now?.createdAt.getTime() === info?.createdAt.getTime();
    if (!same) throw new SecretChangedError(name);
    return secrets.set(name, value).version;
  });
}
