/**
 * `coffer reddb check FILE`: looks for damage, without a key.
 *
 * @module
 */
import { RedDbCorruptError } from "../../reddb/errors.ts";
import type { RedDbCheckReport, RedDbProblem } from "../../reddb/mod.ts";
import type { GlobalFlags } from "../flags.ts";
import { counted, shown, shownSize, writeJson, writeOut } from "../output.ts";
import { reaching, redDbOptions } from "./open.ts";

/** Checks every page of the vault, its chain and the list of free pages. */
export default async function check(flags: GlobalFlags, path: string): Promise<void> {
  const { checkRedDbFile } = await import("../../reddb/mod.ts");
  const { problems, ...facts } = await reaching(() => checkRedDbFile(path, redDbOptions(flags, path)));
  const damage = problems.filter(({ harmless }) => !harmless);
  const ok = damage.length === 0;
  if (flags.json) await writeJson({ path, ok, problems, ...facts });
  else await writeOut(describe(facts, problems, ok));
  if (!ok) throw new RedDbCorruptError(`${counted(damage.length, "problem")} found`);
}

function describe(
  facts: Omit<RedDbCheckReport, "problems">,
  problems: readonly RedDbProblem[],
  ok: boolean,
): string {
  const lines = [
    `file: ${shownSize(facts.fileSize)}, ${counted(facts.pageCount, "page")} of ${facts.pageSize} bytes`,
    facts.version === null
      ? "vault: none yet"
      : `vault: version ${facts.version}, ${counted(facts.chainPages, "page")} behind its header`,
    `pages: ${facts.freePages} free, ${facts.orphanPages} that nothing reaches, ${facts.otherPages} of others`,
    ...(facts.interrupted ? ["a crash tore the header; the next load or save mends it"] : []),
    ...problems.map(({ what, page, harmless }) =>
      `${harmless ? "note" : "problem"}: ${what}${page === null ? "" : ` (page ${page})`}`
    ),
    ok ? "ok" : "damaged",
  ];
  return lines.map((line) => `${shown(line)}\n`).join("");
}
