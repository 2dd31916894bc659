/**
 * How a child process ended.
 *
 * @module
 */

/**
 * Waits for a child to end. The runtime knows no real-time signals: of a child that died of such it tells in an error
 * alone. Its exit code is then 128 and the signal's number, as a shell has it.
 */
export async function statusOf(child: Deno.ChildProcess): Promise<Deno.CommandStatus> {
  try {
    return await child.status;
  } catch (error) {
    const signal = error instanceof TypeError ? /^Invalid signal: ([0-9]+)$/.exec(error.message)?.[1] : undefined;
    if (signal === undefined) throw error;
    return { success: false, code: 128 + Number(signal), signal: null };
  }
}
