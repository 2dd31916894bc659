import assert from "node:assert/strict";
import { encodeUtf8 } from "../../lib/bytes.ts";
import { changeLines, hasChanges, readChanges, readSnapshot } from "../../lib/state/changes.ts";
import { piecesOf, rejectsWith } from "../helpers.ts";

function text(...lines: string[]): AsyncGenerator<Uint8Array> {
  return piecesOf(encodeUtf8(lines.map((line) => `${line}\n`).join("")));
}

Deno.test("readChanges() gives back what changeLines() wrote, removals included", async () => {
  const changes = await readChanges(text("+secret\ta\t1", "-secret\tb", "+value\ta\t2"));
  assert.deepEqual([...changeLines(changes)], [["secret", "a", "1"], ["secret", "b", null], ["value", "a", "2"]]);
  assert.ok(hasChanges(changes));
  assert.ok(!hasChanges(await readChanges(text())));
});

Deno.test("readChanges() and readSnapshot() refuse a record that stands twice", async () => {
  const twice = ["+secret\ta\t1", "+secret\tb\t1", "+secret\ta\t2"];
  await rejectsWith(() => readChanges(text(...twice)), "corrupt-vault");
  await rejectsWith(() => readChanges(text("+secret\ta\t1", "-secret\ta")), "corrupt-vault");
  await rejectsWith(() => readSnapshot(text(...twice)), "corrupt-vault");
  assert.equal((await readSnapshot(text("+secret\ta\t1", "+value\ta\t2"))).size, 2, "kinds are apart");
});

Deno.test("readSnapshot() refuses a removal", async () => {
  await rejectsWith(() => readSnapshot(text("+secret\ta\t1", "-secret\tb")), "corrupt-vault");
});
