/**
 * Programs that scripts run to their end.
 *
 * @module
 */

/** Runs a program, and gives what it printed. @throws {Deno.errors.NotFound} when it is not there */
export async function run(
  program: string,
  args: readonly string[],
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
