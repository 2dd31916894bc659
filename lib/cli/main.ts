/**
 * Parses, finds the command and runs it; answers with an exit code whatever happens.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import { arrange, wantsJson } from "./arguments.ts";
import { runCall } from "./call.ts";
import { COMMANDS } from "./commands.ts";
import { writeErr, writeJson, writeOut } from "./output.ts";
import { forbidTransients } from "./transient.ts";

/** Runs the command that the arguments ask for. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  if (wantsJson(args)) forbidTransients();
  try {
    const request = await arrange(args, COMMANDS);
    switch (request.kind) {
      case "version":
        await printVersion(wantsJson(args));
        break;
      case "help":
        await printHelp(request.inputs, wantsJson(args));
        break;
      case "incomplete":
        if (!wantsJson(args)) writeErr(`${await parse(request.inputs)}\n`);
        throw new UsageError("No command was given", { hint: "Run `coffer help`" });
      case "run":
        if (request.call === undefined || !await runCall(request.call)) await parse(request.inputs);
    }
    // What a command that was run for somebody ended with; 0 otherwise.
    return Deno.exitCode;
  } catch (error) {
    const { report } = await import("./report.ts");
    return report(error, wantsJson(args));
  }
}

async function printVersion(json: boolean): Promise<void> {
  const { VERSION } = await import("./version.ts");
  if (json) await writeJson({ version: VERSION });
  else await writeOut(`${VERSION}\n`);
}

async function printHelp(inputs: readonly string[], json: boolean): Promise<void> {
  // The parser is asked for JSON too: it knows which commands there are, and refuses the others.
  const text = await parse(inputs);
  if (!json) return await writeOut(text);
  const { helpDocument } = await import("./help.ts");
  await writeJson(await helpDocument(inputs.slice(0, -1)));
}

/** The parser is loaded where it has something to say. */
async function parse(inputs: readonly string[]): Promise<string> {
  return await (await import("./parser.ts")).parse(COMMANDS, inputs);
}
