/**
 * Files that killed processes left beside a vault.
 *
 * @module
 */
import { waitingFor } from "../../storage/anchor_file.ts";
import { isTemporaryOf } from "../../storage/create.ts";
import { folderOf } from "../../storage/path_watch.ts";
import { systemError } from "../../storage/system_errors.ts";
import { removeFile } from "../files.ts";
import { isLost, removeIfLost, temporariesIn } from "../private_file.ts";
import { lostPrivateFolders, removeIfLost as removeFolderIfLost } from "../private_folder.ts";
import type { Check, Finding, Subject } from "./finding.ts";

/** Making a vault takes seconds: a file of its that has not been written for so many milliseconds has lost its maker. */
const MAKING = 10 * 60_000;

/** Looks for temporary files in the vault's folder. */
// deno-lint-ignore require-await
export async function checkLeftovers({ path }: Subject): Promise<readonly Finding[]> {
  const folder = folderOf(path);
  const findings: Finding[] = [];
  try {
    for (const lost of temporariesIn(folder)) if (isLost(lost)) findings.push(leftSecret(lost));
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      if (isFile && isTemporaryOf(path, name)) findings.push(leftVault(folder === "." ? name : `${folder}${name}`));
    }
  } catch (error) {
    throw systemError(error, "list the folder of", path);
  }
  return findings;
}

/** Looks for private folders, in memory and among temporary files, whose `coffer run` or `coffer edit` is no more. */
// deno-lint-ignore require-await
export async function checkLeftFolders({ path }: Subject): Promise<readonly Finding[]> {
  return lostPrivateFolders(folderOf(path)).map((folder) => ({
    id: "left-folder",
    severity: "problem",
    what: `A process that was killed left "${folder}", with secrets in it`,
    hint: `Remove "${folder}"`,
    // deno-lint-ignore require-await
    fix: async () => removeFolderIfLost(folder),
  }));
}

/** Looks for anchors of vaults that never came to be, and for one that the vault has no more use for. */
export function checkLeftAnchors(anchor: string): Check {
  // deno-lint-ignore require-await
  return async ({ summary }) => {
    if (summary === undefined) return [];
    const folder = folderOf(anchor);
    const findings: Finding[] = [];
    try {
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      const settled = names.some((name) => anchor === (folder === "." ? name : `${folder}${name}`));
      for (const name of names) {
        const vault = waitingFor(anchor, name);
        // It is the vault's only one.
        if (vault === undefined || (summary.vaultId.startsWith(vault) && !settled)) continue;
        findings.push(leftAnchor(folder === "." ? name : `${folder}${name}`));
      }
    } catch (error) {
      throw systemError(error, "list the folder of", anchor);
    }
    return findings;
  };
}

function leftAnchor(path: string): Finding {
  return {
    id: "left-anchor",
    severity: "warning",
    what: `A process that was killed left "${path}", the anchor of a vault that did not come to be`,
    hint: `Remove "${path}"`,
    // deno-lint-ignore require-await
    fix: async () => removeFile(path),
  };
}

/** A file of a command that writes secrets; whoever still writes it holds a lock on it. */
function leftSecret(path: string): Finding {
  return {
    id: "left-secret",
    severity: "problem",
    what: `A process that was killed left "${path}", with a secret in it`,
    hint: `Remove "${path}"`,
    // deno-lint-ignore require-await
    fix: async () => removeIfLost(path),
  };
}

/** What a killed `init` leaves is sealed, and locked by nobody: only its age tells. */
function leftVault(path: string): Finding {
  const written = Deno.statSync(path).mtime?.getTime() ?? 0;
  if (Date.now() - written < MAKING) {
    return {
      id: "young-temporary",
      severity: "note",
      what: `"${path}" is of a vault that is being made, or was`,
      hint: "Look again in ten minutes",
    };
  }
  return {
    id: "left-vault",
    severity: "warning",
    what: `A process that was killed left "${path}", a vault that was not finished`,
    hint: `Remove "${path}"`,
    // deno-lint-ignore require-await
    fix: async () => removeFile(path),
  };
}
