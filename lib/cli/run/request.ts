/**
 * What a command is to get, as the flags and the environment say it.
 *
 * @module
 */
import { encodeUtf8 } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { MalformedTemplateError, VariableCollisionError } from "../../exchange/errors.ts";
import { isReference, MAX_TEMPLATE_SIZE, namesIn, parseTemplate, type Template } from "../../exchange/template.ts";
import { assign, type Assignment, checkVariableName } from "../../exchange/variable_names.ts";
import { checkName } from "../../state/names.ts";
import { CREDENTIAL_VARIABLES } from "../credential.ts";
import { claimStdin, readFile, readStdin, STDIN } from "../files.ts";

/** The flags that say what a command is to get. */
export interface RequestFlags {
  /** Variables with values, as NAME=SECRET. */
  readonly env?: readonly string[];
  /** Paths below which every secret becomes a variable. */
  readonly allUnder?: readonly string[];
  /** What the names of these variables begin with. */
  readonly prefix?: string;
  /** Files of variables. */
  readonly envFile?: readonly string[];
  /** Whether it gets no other variables. */
  readonly cleanEnv: boolean;
  /** Secret whose value is stdin. */
  readonly stdin?: string;
  /** Variables with paths of files that hold values, as NAME=SECRET. */
  readonly file?: readonly string[];
}

/** What a command is to get. */
export interface Request {
  /** Variables with the value of one secret. */
  readonly variables: Assignment;
  /** Variables with the path of a file that holds the value of one secret. */
  readonly files: Assignment;
  /** Variables of templates: of files, and of the environment where it may be read. */
  readonly templates: ReadonlyMap<string, Template>;
  /** Paths; every secret below one becomes a variable. */
  readonly paths: readonly string[];
  /** What the names of those variables begin with. */
  readonly prefix: string;
  /** The secret whose value is stdin. */
  readonly stdin?: string;
}

/**
 * Reads the flags and the files they name.
 *
 * @throws {UsageError} @throws {VariableCollisionError} @throws {MalformedTemplateError} @throws {TemplateTooLargeError}
 * @throws {InvalidNameError} @throws {FileNotFoundError}
 */
export async function prepareRequest(flags: RequestFlags): Promise<Request> {
  const { env = [], file = [], allUnder = [], envFile = [], prefix, stdin } = flags;
  if (prefix !== undefined && allUnder.length === 0) throw new UsageError("--prefix needs --all-under");
  const variables = assignments(env, "--env");
  const files = assignments(file, "--file");
  for (const [variable, name] of files) {
    const other = variables.get(variable);
    // Even of one secret: a variable holds its value or the path of a file.
    if (other !== undefined) throw new VariableCollisionError(variable, [other, name]);
  }
  const paths = allUnder.map((path) => checkName(path.replace(/\/$/, "")));
  const templates = new Map(flags.cleanEnv ? [] : referencesInEnvironment());
  for (const path of envFile) {
    const { parseVariableFile } = await import("../../exchange/variable_file.ts");
    for (const [variable, template] of parseVariableFile(await read(path))) templates.set(variable, template);
  }
  // What a flag names more exactly wins, and what would not be used is not read either.
  for (const variable of [...variables.keys(), ...files.keys()]) templates.delete(variable);
  const request = {
    variables,
    files,
    templates,
    paths,
    prefix: prefix === undefined ? "" : checkVariableName(prefix),
    ...(stdin === undefined ? {} : { stdin: checkName(stdin) }),
  };
  const asked = env.length + file.length + paths.length + envFile.length + templates.size;
  if (asked === 0 && stdin === undefined) {
    throw new UsageError("Nothing of the vault was asked for", {
      hint: "Name secrets with --env, --all-under, --env-file, --stdin or --file; " +
        "references in variables are looked at with --allow-env",
    });
  }
  return request;
}

/** The names of the secrets that a request names itself, each once; those below its paths are the vault's to know. */
export function namesAsked({ variables, files, templates, stdin }: Request): readonly string[] {
  const names = [...variables.values(), ...files.values(), ...[...templates.values()].flatMap(namesIn)];
  return [...new Set(stdin === undefined ? names : [...names, stdin])];
}

function assignments(given: readonly string[], flag: string): Assignment {
  return assign(
    new Map(),
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 0) throw new UsageError(`${flag} takes NAME=SECRET`, { hint: `As in ${flag} DB_URL=app/db/url` });
      return { variable: checkVariableName(text.slice(0, at)), name: checkName(text.slice(at + 1)) };
    }),
  );
}

async function read(path: string): Promise<Uint8Array> {
  if (path !== STDIN) return (await readFile(path, "file of variables", MAX_TEMPLATE_SIZE)).bytes;
  claimStdin("--env-file");
  return await readStdin(MAX_TEMPLATE_SIZE);
}

/**
 * Variables that are nothing but a reference. Text around one stays what it is: a variable that others can set, such as
 * the title of a change in a build, must not become a way to read the vault by chance.
 */
function* referencesInEnvironment(): Generator<readonly [string, Template]> {
  // Without the permission for all variables nobody can tell which ones there are.
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return;
  for (const [variable, value] of Object.entries(Deno.env.toObject())) {
    if (!value.includes("coffer://") || CREDENTIAL_VARIABLES.includes(variable)) continue;
    const template = wholeReference(value);
    if (template !== undefined) yield [variable, template];
  }
}

function wholeReference(value: string): Template | undefined {
  try {
    const template = parseTemplate(encodeUtf8(value));
    return template.length === 1 && isReference(template[0]!) ? template : undefined;
  } catch (error) {
    if (error instanceof MalformedTemplateError) return undefined;
    throw error;
  }
}
