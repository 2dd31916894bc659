/**
 * `coffer copy NAME`: a value on the clipboard of the terminal, for a while.
 *
 * @module
 */
import { encodeBase64, encodeUtf8 } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { checkName } from "../../state/names.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { type Opening, openVault, prepareOpening } from "../open.ts";
import { note, shown, writeJson } from "../output.ts";
import { untilSignal } from "../until_signal.ts";

/** Flags of `copy`. */
export interface CopyFlags extends GlobalFlags {
  /** For how many seconds. */
  readonly for?: number;
}

const DEFAULT_SECONDS = 45;
/** Terminals cut longer sequences off, or drop them. */
const MAX_SIZE = 64 * 1024;

/** Copies a value, waits, and clears the clipboard. */
export default async function copy(flags: CopyFlags, name: string): Promise<void> {
  checkName(name);
  const seconds = flags.for ?? DEFAULT_SECONDS;
  const terminal = chooseTerminal();
  const opening = prepareOpening(flags);
  const value = await read(opening, name);
  try {
    await untilSignal(async (signalled) => {
      setClipboard(terminal, encodeBase64(value));
      value.fill(0);
      note(`Copied ${shown(name)}. The clipboard is cleared in ${seconds} s, or with Ctrl-C.`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([signalled, new Promise((resolve) => timer = setTimeout(resolve, seconds * 1000))]);
      clearTimeout(timer);
    });
  } finally {
    setClipboard(terminal, "");
  }
  if (flags.json) await writeJson({ name, seconds });
}

/** The vault is closed before the wait begins: what else is in it need not stay in memory. */
async function read(opening: Opening, name: string): Promise<Uint8Array> {
  await using vault = await openVault(opening);
  const { size } = await suggesting(vault, () => vault.secrets.info(name));
  if (size > MAX_SIZE) throw new UsageError(`The value has ${size} bytes, and terminals take at most ${MAX_SIZE}`);
  return await vault.secrets.get(name);
}

type Terminal = typeof Deno.stdout | typeof Deno.stderr;

function chooseTerminal(): Terminal {
  if (Deno.stdout.isTerminal()) return Deno.stdout;
  if (Deno.stderr.isTerminal()) return Deno.stderr;
  throw new UsageError("Neither stdout nor stderr is a terminal, whose clipboard could be used", {
    hint: "Run it on a terminal, or print the value with `coffer get`",
  });
}

/** OSC 52, of xterm's control sequences; an empty text empties the clipboard. */
function setClipboard(terminal: Terminal, base64: string): void {
  const sequence = encodeUtf8(`\x1b]52;c;${base64}\x07`);
  try {
    for (let done = 0; done < sequence.length;) done += terminal.writeSync(sequence.subarray(done));
  } catch {
    /* The terminal has gone away, and its clipboard with it. */
  } finally {
    sequence.fill(0);
  }
}
