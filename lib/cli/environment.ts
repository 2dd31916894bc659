/**
 * Environment variables, as far as this process may read them.
 *
 * @module
 */

/** The value of a variable. One that is empty, or may not be read, counts as not set; Deno's own prompt never shows. */
export function environment(variable: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable) || undefined;
}
