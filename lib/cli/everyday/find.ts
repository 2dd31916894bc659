/**
 * `coffer find TEXT`: secrets by what is known of them beside their value.
 *
 * @module
 */
import { UsageError } from "../../errors.ts";
import type { SecretInfo } from "../../secrets.ts";
import type { GlobalFlags } from "../flags.ts";
import { openVault, prepareOpening } from "../open.ts";
import { plain, writeJson, writeOut } from "../output.ts";

/** Prints the names of secrets that hold a text in name, tags or note. */
export default async function find(flags: GlobalFlags, text: string): Promise<void> {
  if (text === "") throw new UsageError("There is nothing to look for");
  const opening = prepareOpening(flags);
  await using vault = await openVault(opening);
  const wanted = folded(text);
  const found = (await vault.secrets.list())
    .map((info) => ({ info, places: placesOf(info, wanted) }))
    .filter(({ places }) => places.length > 0);
  if (flags.json) {
    return await writeJson(found.map(({ info: { name, note, tags, expiresAt, type }, places }) => ({
      name,
      in: places,
      note,
      tags,
      expiresAt,
      type,
    })));
  }
  await writeOut(found.map(({ info: { name } }) => `${plain(name)}\n`).join(""));
}

function placesOf({ name, tags, note = "" }: SecretInfo, wanted: string): string[] {
  const places = { name: [name], tags, note: [note] };
  return Object.entries(places).filter(([, texts]) => texts.some((text) => folded(text).includes(wanted)))
    .map(([place]) => place);
}

/** Upper case first: it brings together what has two small letters, as the two of sigma, or none large, as sharp s. */
function folded(text: string): string {
  return text.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}
