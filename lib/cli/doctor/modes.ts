/**
 * Who may use the files of a vault: the vault, what stands beside it, and the folder.
 *
 * @module
 */
import { InsecurePermissionsError } from "../../errors.ts";
import { folderOf } from "../../storage/path_watch.ts";
import { checkPrivate, makePrivate, writersOfFolder } from "../../storage/permissions.ts";
import { isThere } from "../files.ts";
import type { Finding, Subject } from "./finding.ts";

/** Files that stand beside a vault, by what their name adds to its own. */
const BESIDE = { "anchor": ".anchor", "attempts": ".attempts" } as const;

/** Looks at the vault, at the files beside it that are there, and at their folder. */
export async function checkModes(subject: Subject): Promise<readonly Finding[]> {
  const findings = await checkFile(subject, "vault", subject.path);
  for (const [name, ending] of Object.entries(BESIDE)) {
    const path = `${subject.path}${ending}`;
    if (isThere(path)) findings.push(...await checkFile(subject, name, path));
  }
  return [...findings, ...checkFolder(subject)];
}

async function checkFile(subject: Subject, name: string, path: string): Promise<Finding[]> {
  const { system, allowInsecurePermissions } = subject;
  const privacy = await checkPrivate(path, system);
  switch (privacy.state) {
    case "open": {
      const { lets } = privacy;
      return [{
        id: `${name}-open`,
        severity: allowInsecurePermissions ? "warning" : "problem",
        code: "insecure-permissions",
        what: `Other users can use "${path}": it lets in ${whom(lets)}`,
        hint: new InsecurePermissionsError(path, lets).hint,
        fix: async () => {
          const after = await makePrivate(path, system);
          if (after.state === "open") throw new InsecurePermissionsError(path, after.lets);
        },
      }];
    }
    case "unenforced":
      return [{
        id: `${name}-unenforced`,
        severity: "warning",
        what: `Nothing is known to keep other users from "${path}": ${privacy.reason}`,
        hint: "Run deno with --allow-run=icacls on Windows; elsewhere keep it where only you can go",
      }];
    case "private":
      if (privacy.accounts.length < 2) return [];
      return [{
        id: `${name}-accounts`,
        severity: "note",
        what: `Several accounts may use "${path}": ${privacy.accounts.join(", ")}`,
        hint: "See that you know each of them; `icacls` takes one away",
      }];
  }
}

/** A folder is not mended: others may have good reason to write to it, and the vault a better place to be. */
function checkFolder({ path, system }: Subject): Finding[] {
  const folder = folderOf(path);
  const writers = writersOfFolder(folder, system);
  if (writers === "nobody") return [];
  if (writers === undefined) {
    return [{
      id: "folder-unknown",
      severity: "note",
      what: `Who may write to the folder "${folder}" was not looked at: it has no mode`,
      hint: "See that only you can: whoever can may put another file in place of the vault",
    }];
  }
  return [{
    id: "folder-open",
    severity: writers === "others" ? "problem" : "warning",
    code: "insecure-permissions",
    what:
      `${
        writers === "others" ? "Every user" : "The group"
      } of this machine can put another file in place of the vault: ` +
      `they may write to its folder "${folder}"`,
    hint: `Take that right away with \`chmod go-w "${folder}"\`, or move the vault`,
  }];
}

function whom(lets: number | readonly string[]): string {
  return typeof lets === "number" ? `others by its mode ${lets.toString(8).padStart(4, "0")}` : lets.join(", ");
}
