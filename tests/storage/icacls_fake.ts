/**
 * One file of a system with access lists, and the program that reads and sets them, as far as coffer uses it.
 *
 * @module
 */
import type { CommandOutput, Runner } from "../../lib/storage/icacls.ts";
import type { FileSystem } from "../../lib/storage/permissions.ts";

/** An entry: what the program prints of it, and the number of its account. */
export interface FakeEntry {
  readonly sid: string;
  readonly text: string;
}

const NUMBERS: Readonly<Record<string, string>> = {
  "Everyone": "S-1-1-0",
  "BUILTIN\\Users": "S-1-5-32-545",
  "NT AUTHORITY\\Authenticated Users": "S-1-5-11",
  "NT AUTHORITY\\SYSTEM": "S-1-5-18",
  "BUILTIN\\Administrators": "S-1-5-32-544",
};

/** Words at the end of every answer, in the system's language. */
const COUNTS = "1 Dateien erfolgreich verarbeitet, bei 0 Dateien ist ein Verarbeitungsfehler aufgetreten.";

/** A system of one file. */
export class FakeWindows implements FileSystem {
  readonly os = "windows";
  readonly calls: string[] = [];
  entries: FakeEntry[];

  /** @param entries each as it is printed, or with its number where the name does not tell it */
  constructor(readonly path: string, entries: readonly (string | FakeEntry)[], readonly ownerName = "OWNER RIGHTS") {
    this.entries = entries.map((entry) => typeof entry === "string" ? { sid: numberOf(entry), text: entry } : entry);
  }

  /** Runs `icacls`. */
  readonly run: Runner = (command, [path, action, ...rest]) => {
    if (command !== "icacls" || path !== this.path) return Promise.resolve(answer("", 2));
    this.calls.push([action ?? "list", ...rest].join(" "));
    return Promise.resolve(this.#answer(action, rest));
  };

  #answer(action: string | undefined, rest: readonly string[]): CommandOutput {
    switch (action) {
      case undefined: {
        const [first = "", ...others] = this.entries.map(({ text }) => text);
        const indent = " ".repeat(this.path.length + 1);
        return answer([`${this.path} ${first}`, ...others.map((text) => `${indent}${text}`), "", COUNTS].join("\r\n"));
      }
      case "/findsid": {
        const found = this.entries.some(({ sid }) => `*${sid}` === rest[0]);
        return answer(`${found ? `SID gefunden: ${this.path}.` : "Keine Dateien mit der SID."}\r\n${COUNTS}`);
      }
      case "/inheritance:r": {
        if (rest[0] !== "/grant:r" || rest[1] !== "*S-1-3-4:F") return answer("", 87);
        const kept = this.entries.filter(({ sid, text }) => !text.includes(":(I)") && sid !== "S-1-3-4");
        this.entries = [...kept, { sid: "S-1-3-4", text: `${this.ownerName}:(F)` }];
        return answer(COUNTS);
      }
      case "/remove:g": {
        const name = rest[0]!;
        if (name.includes("\ufffd")) return answer("", 1332);
        this.entries = this.entries.filter(({ sid, text }) => `*${sid}` !== name && !text.startsWith(`${name}:`));
        return answer(COUNTS);
      }
      default:
        return answer("", 87);
    }
  }
}

function numberOf(text: string): string {
  const name = text.slice(0, text.indexOf(":("));
  return NUMBERS[name] ?? (name.startsWith("S-1-") ? name : `S-1-5-21-1-2-3-${1000 + name.length}`);
}

function answer(stdout: string, code = 0): CommandOutput {
  return { code, stdout, stderr: "" };
}
