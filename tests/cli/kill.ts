/**
 * Killing commands in the middle of what they do.
 *
 * @module
 */
import { finish, type Result, type Sandbox } from "./coffer.ts";

/** Runs a command and kills it after so many milliseconds, or shortly after something new shows in its folder. */
export async function killed(box: Sandbox, args: readonly string[], late: boolean, most = 150): Promise<Result> {
  const child = box.spawn(args);
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It was done before.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  if (!late) {
    const timer = setTimeout(kill, Math.random() * most);
    return await finish(child).finally(() => clearTimeout(timer));
  }
  const before = stateOf(box);
  let done = false;
  const result = finish(child).finally(() => done = true);
  const until = Math.random() * 4;
  while (!done && stateOf(box) === before) await new Promise((resolve) => setTimeout(resolve, 0));
  for (const start = performance.now(); performance.now() - start < until;);
  kill();
  return await result;
}

/** Takes away the hidden files that killed commands left. */
export function sweepTemporary(box: Sandbox): void {
  for (const { name } of Deno.readDirSync(box.folder)) {
    if (name.startsWith(".") && name.endsWith(".tmp")) Deno.removeSync(box.path(name));
  }
}

/** The names in the folder and the time of the last change of each file. */
function stateOf(box: Sandbox): string {
  const seen: string[] = [];
  for (const { name } of Deno.readDirSync(box.folder)) {
    try {
      seen.push(`${name} ${Deno.statSync(box.path(name)).mtime?.getTime()}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return seen.sort().join("\n");
}
