/**
 * Errors of what goes out of a vault and into it: references, templates, environments, and the commands that get them.
 *
 * Nothing here quotes a template, a file or a value: names of secrets and variables, numbers of lines and sizes only.
 *
 * @module
 */
import { CofferError, type CofferErrorOptions } from "../errors.ts";

// ---- References and templates ----

/** Thrown when secrets that were referred to are not in the vault. Nothing was read then, and nothing started. */
export class MissingReferencesError extends CofferError {
  /** Names all of them; `app/**` stands for a path with nothing below it. */
  constructor(readonly secrets: readonly string[], options: CofferErrorOptions = {}) {
    super("missing-references", `Not in the vault: ${secrets.map((name) => `"${name}"`).join(", ")}`, options);
  }
}

/** Thrown when a template, or a file of variables, cannot be read as one. */
export class MalformedTemplateError extends CofferError {
  /** Gives the number of the line, from 1, and what is wrong with it; never what it says. */
  constructor(readonly line: number, what: string, options: CofferErrorOptions = {}) {
    super("malformed-template", `Malformed template, line ${line}: ${what}`, options);
  }
}

/** Thrown when a template, or what would become of it, is larger than is allowed. */
export class TemplateTooLargeError extends CofferError {
  /** Says which of the two, and gives the limit in bytes. */
  constructor(what: string, readonly limit: number, options: CofferErrorOptions = {}) {
    super("template-too-large", `${what} has more than ${limit} bytes`, options);
  }
}

// ---- The environment of a command ----

/** Thrown when two secrets would go into one variable. */
export class VariableCollisionError extends CofferError {
  /** Names the variable and the secrets. */
  constructor(
    readonly variable: string,
    readonly secrets: readonly [string, string],
    options: CofferErrorOptions = {},
  ) {
    super("variable-collision", `Both "${secrets[0]}" and "${secrets[1]}" would be ${variable}`, options);
  }
}

/** Thrown when a value cannot be the text of a variable. */
export class UnfitForEnvironmentError extends CofferError {
  /** Names the secret, and says what its value holds or is not. */
  constructor(readonly secret: string, why: string, options: CofferErrorOptions = {}) {
    super("unfit-for-environment", `The value of "${secret}" cannot be in a variable: ${why}`, options);
  }
}

/** Thrown when the system takes no environment of that size. */
export class EnvironmentTooLargeError extends CofferError {
  /** Gives the size of all that was asked for, in bytes, and names the variable with the largest value. */
  constructor(readonly size: number, readonly largest: string, options: CofferErrorOptions = {}) {
    super(
      "environment-too-large",
      `The system refuses ${size} bytes of variables, of which ${largest} is the largest, and these arguments`,
      options,
    );
  }
}

/** Thrown when values are too large to be looked for in what a command prints. */
export class TooMuchToRedactError extends CofferError {
  /** Gives the size of all values, and the limit, in bytes. */
  constructor(readonly size: number, readonly limit: number, options: CofferErrorOptions = {}) {
    super("too-much-to-redact", `The values have ${size} bytes, and at most ${limit} can be masked`, options);
  }
}

// ---- The command itself ----

/** Thrown when there is no program of a name. */
export class CommandNotFoundError extends CofferError {
  /** Gives the name as it was written. */
  constructor(readonly command: string, options: CofferErrorOptions = {}) {
    super("command-not-found", `Cannot run "${command}": there is no such program`, options);
  }
}

/** Thrown when what has the name of a command is nothing that this system runs. */
export class CommandNotExecutableError extends CofferError {
  /** Gives the name as it was written. */
  constructor(readonly command: string, options: CofferErrorOptions = {}) {
    super("command-not-executable", `Cannot run "${command}": it is nothing that can be run`, options);
  }
}
