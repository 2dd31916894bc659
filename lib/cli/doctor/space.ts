/**
 * Room on the disk for the changes to come.
 *
 * @module
 */
import { statfsSync } from "node:fs";
import { folderOf } from "../../storage/path_watch.ts";
import { shownSize } from "../output.ts";
import type { Finding, Subject } from "./finding.ts";

/** Least room that is enough, in bytes; and as much as so many vaults of this size. */
const ENOUGH = { bytes: 16 * 1024 * 1024, vaults: 2 } as const;

/** How many bytes are free for this user at a path, or why that is not known. */
export type FreeSpace = (folder: string) => number | string;

/** Looks at the room beside the vault, by a function that tests replace. */
export function checkSpace(freeAt: FreeSpace = freeSpace): (subject: Subject) => Promise<readonly Finding[]> {
  // deno-lint-ignore require-await
  return async ({ path, summary }) => {
    const free = freeAt(folderOf(path));
    if (typeof free === "string") {
      return [{
        id: "space-unknown",
        severity: "note",
        what: `How much room the disk has was not looked at: ${free}`,
        hint: "Run deno with --allow-sys=statfs to have it looked at",
      }];
    }
    if (free >= Math.max(ENOUGH.bytes, (summary?.usage.total ?? 0) * ENOUGH.vaults)) return [];
    return [{
      id: "little-space",
      severity: "warning",
      code: "disk-full",
      what: `The disk has ${shownSize(free)} left, which may not do for the changes to come`,
      hint: "Free some space",
    }];
  };
}

function freeSpace(folder: string): number | string {
  // Deno's own list of what may be asked does not have it, its check does.
  const descriptor = { name: "sys", kind: "statfs" } as unknown as Deno.SysPermissionDescriptor;
  if (Deno.permissions.querySync(descriptor).state !== "granted") return "this process runs without --allow-sys=statfs";
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return "the system does not tell";
  }
}
