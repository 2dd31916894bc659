/**
 * Runs the benches, all or those whose names hold one of the words given: `deno task bench [WORD…] [--deep] [--json]`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script speaks to whoever runs it
import type { Bench, Figure } from "./harness.ts";

const NAMES = [
  "durable_change",
  "anchor_audit",
  "scaling",
  "open",
  "unlock",
  "get_process",
  "run_process",
  "dotenvx",
  "concurrency",
  "many_processes",
  "memory",
  "reddb",
  "audit_verify",
  "rotate",
  "backup",
  "api_keys",
  "sessions",
  "users",
  "password_check",
  "import_dotenv",
] as const;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const deep = args.includes("--deep") || Deno.env.get("COFFER_DEEP") === "1";
  const words = args.filter((arg) => !arg.startsWith("--"));
  const chosen = NAMES.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (chosen.length === 0) {
    console.error(`No bench of that name; there are ${NAMES.join(", ")}`);
    return 2;
  }
  if (!json) console.log(`Deno ${Deno.version.deno}, ${Deno.build.target}, ${navigator.hardwareConcurrency} threads\n`);
  let missed = 0;
  for (const name of chosen) {
    const { bench } = await import(`./${name}.ts`) as { readonly bench: Bench };
    if (!json) console.log(`${bench.name}: ${bench.question}`);
    const figures = await bench.run({ deep });
    if (typeof figures === "string") {
      if (json) console.log(JSON.stringify({ bench: name, skipped: figures }));
      else console.log(`  SKIPPED: ${figures}\n`);
      continue;
    }
    for (const figure of figures) {
      const met = isMet(figure);
      if (!met) missed++;
      if (json) console.log(JSON.stringify({ bench: name, ...figure, met }));
      else console.log(row(figure, met));
    }
    if (!json) console.log();
  }
  if (missed > 0) console.error(`${missed} missed`);
  return missed > 0 ? 1 : 0;
}

function isMet({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return value <= atMost && value >= atLeast;
}

function row({ name, value, atMost, atLeast, detail }: Figure, met: boolean): string {
  const target = atMost !== undefined ? `<= ${atMost}` : atLeast !== undefined ? `>= ${atLeast}` : "";
  const mark = target === "" ? "" : met ? "ok" : "MISSED";
  return `  ${name.padEnd(34)} ${value.toFixed(2).padStart(7)}  ${target.padEnd(7)} ${mark.padEnd(6)}  ${detail}`;
}
