/**
 * Runs of commits of the file medium alone, as operations for crashes: segments of many sizes, kept and dropped.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { FileMedium } from "../../lib/storage/file.ts";
import { withLock } from "../../lib/storage/locking.ts";
import type { Committed } from "../../lib/storage/medium.ts";
import { PAYLOAD_SIZE } from "../../lib/storage/page.ts";
import { commitOf, contentsOf, filled } from "../storage/helpers.ts";
import type { Operation } from "./crash_points.ts";
import { ROOT } from "./files.ts";

const PATH = `${ROOT}/disk/medium.coffer`;

/** One commit of a run. */
interface Step {
  /** Which of two handles commits. */
  readonly handle?: 0 | 1;
  /** Lengths of the segments that are added. */
  readonly append: readonly number[];
  /** Which segments of the base stay, from `from` to `to` as in `slice`; all by default. */
  readonly retain?: readonly [from: number, to?: number];
}

const SMALL: readonly Step[] = [
  { append: [100] },
  { append: [PAYLOAD_SIZE] },
  { append: [PAYLOAD_SIZE + 1] },
  { append: [50], retain: [3] },
  { append: [] },
  { append: [20_000], handle: 1 },
  { append: [9_000], retain: [0, 0] },
  { append: [10, 5_000, 70_000] },
  { append: [1, 2, 3, 4, 5, 6, 7, 8, 9, 5_000] },
];

const LARGE: readonly Step[] = [
  { append: [300_000] },
  { append: [1_200_000], retain: [0, 0] },
  { append: [400_000, 1], handle: 1 },
  { append: [3_000], retain: [0, 0] },
  { append: [10] },
  { append: [10], handle: 1 },
  { append: [150_000] },
  { append: [190_000, 30], retain: [1] },
];

/** Commits a step on the newest version, as the handle sees it. */
async function commit(medium: FileMedium, { append, retain }: Step): Promise<void> {
  await withLock(medium, "exclusive", { timeout: 0 }, async () => {
    const { version, segments } = (await medium.read())!;
    const kept = retain === undefined ? segments : segments.slice(...retain);
    const added = append.map((length, index) => filled(length, (version + 1) * 20 + index));
    await medium.commit(version, commitOf(version + 1, added, kept));
  });
}

async function describe(committed: Committed): Promise<string> {
  const contents = await contentsOf(committed);
  return JSON.stringify([
    committed.version,
    crc32(committed.meta),
    contents.map((bytes) => [bytes.length, crc32(bytes)]),
  ]);
}

async function withMedium<T>(work: (medium: FileMedium) => Promise<T>): Promise<T> {
  const medium = await FileMedium.open(PATH);
  try {
    return await work(medium);
  } finally {
    medium.close();
  }
}

function operation(name: string, steps: readonly Step[]): Operation {
  return {
    name,
    answers: [],
    prepare: async () => (await FileMedium.create(PATH, commitOf(1, [filled(200, 20)]))).close(),
    run: async (acknowledged) => {
      const handles = [await FileMedium.open(PATH), await FileMedium.open(PATH)] as const;
      for (const step of steps) {
        await commit(handles[step.handle ?? 0], step);
        await acknowledged();
      }
      for (const handle of handles) handle.close();
    },
    observe: () =>
      withMedium((medium) => withLock(medium, "shared", {}, async () => await describe((await medium.read())!))),
    goOn: () => withMedium((medium) => commit(medium, { append: [5_000] })),
    gone: (found) => {
      const [version, , contents] = JSON.parse(found);
      const added = filled(5_000, (version + 1) * 20);
      return JSON.stringify([version + 1, crc32(filled(64, version + 1)), [...contents, [5_000, crc32(added)]]]);
    },
  };
}

export const STORAGE_OPERATIONS: readonly Operation[] = [
  operation("commits of few pages", SMALL),
  { ...operation("commits of many pages, which make the file grow and shrink", LARGE), makes: "truncate" },
];
