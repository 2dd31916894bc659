/**
 * What of the environment goes on to programs that are run.
 *
 * @module
 */
import { CREDENTIAL_VARIABLES } from "./credential.ts";

/**
 * Variables to set for a program, so that it does not get coffer's own credentials: it is given some value, and not the
 * vault. Where this process may, it forgets them, and where it may not even look at them they are set to nothing.
 */
export function withoutCredentials(): Record<string, string> {
  const emptied: Record<string, string> = {};
  for (const variable of CREDENTIAL_VARIABLES) {
    if (mayRead(variable)) Deno.env.delete(variable);
    else emptied[variable] = "";
  }
  return emptied;
}

/** Whether this process may read a variable. */
export function mayRead(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
