/**
 * Environment variables, as far as this process may read them.
 *
 * @module
 */

const unread = new Set<string>();

/** The value of a variable. One that is empty, or may not be read, counts as not set; Deno's own prompt never shows. */
export function environment(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") {
    unread.add(variable);
    return undefined;
  }
  return Deno.env.get(variable) || undefined;
}

/** The variables that were wanted and may not be read. */
export function unreadVariables(): readonly string[] {
  return [...unread];
}
