/**
 * The variables of a command that is run.
 *
 * @module
 */
import { decodeUtf8 } from "../../bytes.ts";
import { MissingPermissionError } from "../../errors.ts";
import { UnfitForEnvironmentError } from "../../exchange/errors.ts";
import { fillTemplate, namesIn } from "../../exchange/template.ts";
import type { Assignment } from "../../exchange/variable_names.ts";
import { mayRead, withoutCredentials } from "../child_environment.ts";
import type { Values } from "../read_secrets.ts";
import type { Request } from "./request.ts";

/** What `--clean-env` lets through: where programs, homes and temporary files are, who it is, terminal and language. */
export const KEPT_VARIABLES: readonly string[] = Deno.build.os === "windows"
  ? ["PATH", "PATHEXT", "SYSTEMROOT", "WINDIR", "COMSPEC", "TEMP", "TMP", "USERPROFILE", "USERNAME", "LANG", "TZ"]
  : ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];

/** Variables, as the runtime takes them for a new process. */
export interface Environment {
  /** Variables to set. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it gets no others. */
  readonly clearEnv: boolean;
}

/**
 * The variables with values that were asked for.
 *
 * @param below variables for the secrets below the request's paths
 * @throws {UnfitForEnvironmentError} names a secret whose value is no text, or holds a NUL
 */
export function filledVariables(request: Request, below: Assignment, values: Values): ReadonlyMap<string, string> {
  const filled = new Map<string, string>();
  for (const [variable, template] of request.templates) {
    for (const name of namesIn(template)) textOf(name, values);
    filled.set(variable, decodeUtf8(fillTemplate(template, values)));
  }
  for (const assigned of [below, request.variables]) {
    for (const [variable, name] of assigned) filled.set(variable, textOf(name, values));
  }
  return filled;
}

/**
 * The whole environment of a command. coffer's own credential variables are not in it.
 *
 * @throws {MissingPermissionError} when the environment is to be clean, and what is to be kept may not be read
 */
export function environmentWith(given: ReadonlyMap<string, string>, clean: boolean): Environment {
  const base = clean ? keptVariables() : withoutCredentials();
  return { env: Object.assign(Object.create(null), base, Object.fromEntries(given)), clearEnv: clean };
}

function keptVariables(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const variable of KEPT_VARIABLES) {
    const value = Deno.env.get(variable);
    if (value !== undefined) kept[variable] = value;
  }
  return kept;
}

/** Refuses `--clean-env` without the permission for what it keeps, before other work is done. */
export function checkMayKeep(): void {
  if (KEPT_VARIABLES.every(mayRead)) return;
  throw new MissingPermissionError(`--allow-env=${KEPT_VARIABLES.join(",")}`, "keep these variables with --clean-env");
}

function textOf(name: string, values: Values): string {
  const bytes = values.get(name)!;
  if (bytes.includes(0)) throw new UnfitForEnvironmentError(name, "it holds a NUL");
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new UnfitForEnvironmentError(name, "it is not UTF-8 text");
  }
}
