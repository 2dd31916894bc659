/**
 * `coffer meta NAME`: shows and changes what is noted about a secret.
 *
 * @module
 */
import type { SecretInfo } from "../secrets.ts";
import { checkMetadata, type SecretMetadata } from "../state/metadata.ts";
import { checkName } from "../state/names.ts";
import type { GlobalFlags } from "./flags.ts";
import { infoJson, isGiven, type MetadataFlags, metadataFrom, refuseBoth, shownExpiry } from "./metadata.ts";
import { suggesting } from "./suggesting.ts";
import { openVault, prepareOpening } from "./open.ts";
import { shown, shownDate, shownSize, writeJson, writeOut } from "./output.ts";

/** Flags of `meta`. */
export interface MetaFlags extends GlobalFlags, MetadataFlags {
  /** Whether the note goes. */
  readonly noNote: boolean;
  /** Whether all tags go. */
  readonly noTags: boolean;
  /** Tags to add. */
  readonly addTag?: readonly string[];
  /** Tags to take away. */
  readonly removeTag?: readonly string[];
  /** Whether the expiry goes. */
  readonly noExpires: boolean;
  /** Whether the type goes. */
  readonly noType: boolean;
}

/** Changes metadata when flags say so, and shows it otherwise. */
export default async function meta(flags: MetaFlags, name: string): Promise<void> {
  checkName(name);
  const { addTag = [], removeTag = [] } = flags;
  refuseBoth({ "--note": flags.note, "--no-note": flags.noNote });
  refuseBoth({ "--expires": flags.expires, "--no-expires": flags.noExpires });
  refuseBoth({ "--type": flags.type, "--no-type": flags.noType });
  refuseBoth({ "--tag": flags.tag, "--no-tags": flags.noTags, "--add-tag": addTag });
  refuseBoth({ "--tag": flags.tag, "--no-tags": flags.noTags, "--remove-tag": removeTag });
  checkMetadata({ tags: addTag });
  const fixed: SecretMetadata = {
    ...metadataFrom(flags),
    ...(flags.noNote ? { note: null } : {}),
    ...(flags.noTags ? { tags: null } : {}),
    ...(flags.noExpires ? { expiresAt: null } : {}),
    ...(flags.noType ? { type: null } : {}),
  };
  const opening = prepareOpening(flags);

  await using vault = await openVault(opening);
  if (Object.keys(fixed).length === 0 && !isGiven(addTag) && !isGiven(removeTag)) {
    return await show(await suggesting(vault, () => vault.secrets.info(name)), flags.json);
  }
  const info = await suggesting(vault, () =>
    vault.transaction(({ secrets }) => {
      if (!isGiven(addTag) && !isGiven(removeTag)) return secrets.describe(name, fixed);
      const tags = secrets.info(name).tags.filter((tag) => !removeTag.includes(tag));
      return secrets.describe(name, { ...fixed, tags: [...new Set([...tags, ...addTag])] });
    }));
  if (flags.json) await writeJson(infoJson(info));
}

async function show(info: SecretInfo, json: boolean): Promise<void> {
  if (json) return await writeJson(infoJson(info));
  const lines = [
    ["name", info.name],
    ["version", String(info.version)],
    ["size", shownSize(info.size)],
    ["type", info.type ?? "-"],
    ["tags", info.tags.join(",") || "-"],
    ["created", shownDate(info.createdAt)],
    ["updated", shownDate(info.updatedAt)],
    ["expires", shownExpiry(info)],
    ["note", info.note ?? "-"],
  ];
  await writeOut(lines.map(([key, value]) => `${`${key}:`.padEnd(9)}${shown(value!)}\n`).join(""));
}
