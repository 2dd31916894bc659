/**
 * Other programs that tests work with.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Whether a program is there. */
export function hasProgram(name: string): boolean {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a program that must succeed, and returns what it printed. */
export function runProgram(name: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { success, stdout, stderr } = new Deno.Command(name, { args: [...args], env, stdin: "null" }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
