/**
 * The data that is signed, from a file or from stdin.
 *
 * @module
 */
import { UsageError } from "../../errors.ts";
import { claimStdin, readFile, readStdin, STDIN } from "../files.ts";

/** Most data that is signed at once, in bytes: it is held in memory. */
const MAX_DATA_SIZE = 256 * 1024 * 1024;

/** Reads the data; stdin where no file is named. @throws {UsageError} when it is too large */
export async function readData(path: string | undefined): Promise<Uint8Array> {
  const fromStdin = path === undefined || path === STDIN;
  if (fromStdin) claimStdin("the data");
  const data = fromStdin ? await readStdin(MAX_DATA_SIZE) : (await readFile(path, "the data", MAX_DATA_SIZE)).bytes;
  if (data.length <= MAX_DATA_SIZE) return data;
  throw new UsageError("The data has more than 256 MiB", { hint: "Sign a digest of it" });
}
