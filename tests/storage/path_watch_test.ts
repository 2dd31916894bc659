import assert from "node:assert/strict";
import { PathWatch } from "../../lib/storage/path_watch.ts";
import { withFolder } from "../helpers.ts";

/** A file that is watched by its path, and another that may take its name. */
async function watched(folder: string): Promise<{ watch: PathWatch; replace: () => void }> {
  const [path, other] = [`${folder}/app.coffer`, `${folder}/other`];
  for (const one of [path, other]) await Deno.writeTextFile(one, "");
  return { watch: new PathWatch(path, Deno.statSync(path)), replace: () => Deno.renameSync(other, path) };
}

/** Lets the clock that watches look at go forward, for as long as the function takes. */
function later<T>(milliseconds: number, work: () => T): T {
  const { now } = performance;
  performance.now = () => now.call(performance) + milliseconds;
  try {
    return work();
  } finally {
    performance.now = now;
  }
}

/** A time of the folder that does not depend on how coarse the file system's clock is. */
const setTime = (folder: string, seconds: number) => Deno.utimeSync(folder, seconds, seconds);

Deno.test("PathWatch.isSame() sees that another file got the name, also long after it was looked at first", () =>
  withFolder(async (folder) => {
    const { watch, replace } = await watched(folder);
    setTime(folder, 1_000_000);
    assert.equal(watch.isSame(), true);
    assert.equal(later(3000, () => watch.isSame()), true);
    assert.equal(later(6000, () => watch.isSame()), true);
    replace();
    setTime(folder, 2_000_000);
    assert.equal(later(9000, () => watch.isSame()), false);
    assert.equal(later(9001, () => watch.isSame()), false);
  }));

Deno.test("PathWatch.isSame() trusts no time of the folder that is younger than the coarsest clock", () =>
  withFolder(async (folder) => {
    const { watch, replace } = await watched(folder);
    setTime(folder, 1_000_000);
    assert.equal(watch.isSame(), true);
    assert.equal(later(2000, () => watch.isSame()), true);
    // In the same tick of a coarse clock.
    replace();
    setTime(folder, 1_000_000);
    assert.equal(later(2001, () => watch.isSame()), false);
  }));

Deno.test("PathWatch.isSame() looks the file up again when the folder itself was replaced", () =>
  withFolder(async (folder) => {
    const inner = `${folder}/inner`;
    await Deno.mkdir(inner);
    const { watch } = await watched(inner);
    setTime(inner, 1_000_000);
    for (const time of [0, 3000, 6000]) assert.equal(later(time, () => watch.isSame()), true);
    await Deno.rename(inner, `${folder}/away`);
    await Deno.mkdir(inner);
    await Deno.writeTextFile(`${inner}/app.coffer`, "");
    setTime(inner, 1_000_000);
    assert.equal(later(9000, () => watch.isSame()), false);
  }));

Deno.test({
  name: "PathWatch.isSame() looks through a symbolic link each time, whose folder says nothing of the file",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const inner = `${folder}/inner`;
      await Deno.mkdir(inner);
      const { replace } = await watched(inner);
      const link = `${folder}/link`;
      await Deno.symlink(`${inner}/app.coffer`, link);
      const watch = new PathWatch(link, Deno.statSync(link));
      for (const time of [0, 3000, 6000]) assert.equal(later(time, () => watch.isSame()), true);
      replace();
      assert.equal(later(9000, () => watch.isSame()), false);
    }),
});
