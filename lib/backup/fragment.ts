/**
 * What still opens of one segment: chunk by chunk, and of chunks that stand alone the whole lines in them.
 *
 * @module
 */
import type { Bytes } from "../bytes.ts";
import { open, OVERHEAD } from "../crypto/aes_gcm.ts";
import { CorruptVaultError } from "../errors.ts";
import {
  chunkAad,
  decodeHeader,
  encodeHeader,
  SEALED_CHUNK_SIZE,
  SEGMENT_HEADER_SIZE,
  type SegmentHeader,
} from "../sealed/segment.ts";
import { LineDecoder } from "../state/lines.ts";
import { type Changes, setChange } from "../state/records.ts";
import { PAYLOAD_SIZE } from "../storage/page.ts";
import type { Ring } from "./source.ts";

const LINE_FEED = 0x0a;
/** Where a header says what kind of segment it is, and the kinds whose lines are records. */
const KIND = { at: 5, ofRecords: [1, 2] } as const;

/** Something that did not open. */
export interface SalvageFailure {
  /** First page of the segment. */
  readonly segment: number;
  /** Number of the chunk in it, from 0; absent when it is about all of them. */
  readonly chunk?: number;
  /** The damaged page, where one is known. */
  readonly page?: number;
  /** Last generation of the segment, where it is known. */
  readonly generation?: number;
  /** How many bytes of the file could not be used. */
  readonly bytes: number;
  /** What is wrong; never what the bytes hold. */
  readonly what: string;
}

/** A segment to be tried. */
export interface SegmentCandidate {
  /** Its first page. */
  readonly first: number;
  /** Its length in bytes. */
  readonly length: number;
  /** The version of its table entry, when a meta page names it. */
  readonly version?: number;
  /** Whether its last chunk is not there at all, as behind a broken chain. */
  readonly cut?: boolean;
  /** Reads bytes of it. @throws {CorruptVaultError} that names the damaged page */
  read(offset: number, length: number): Promise<Bytes>;
}

/** What opened of a segment. */
export interface Fragment {
  /** The segment's own words, authenticated by at least one chunk. */
  readonly header: SegmentHeader;
  /** Whether a meta page names it. */
  readonly named: boolean;
  /** Whether all of it opened. */
  readonly whole: boolean;
  /** Its records: the new JSON text, or null for a removal. */
  readonly changes: Changes;
  /** Pieces of lines beside chunks that did not open. */
  readonly brokenLines: number;
}

/** What came of a segment. */
export interface Opened {
  /** What there is, when any chunk opened. */
  readonly fragment?: Fragment;
  /** Whether it is of a kind that holds no records, such as an audit segment. */
  readonly other: boolean;
  /** What did not open. */
  readonly failures: readonly SalvageFailure[];
}

/**
 * Opens whatever opens of a segment.
 *
 * @param guesses headers that it may have, for when its own can not be read
 */
export async function openFragment(
  candidate: SegmentCandidate,
  rings: readonly Ring[],
  guesses: readonly SegmentHeader[] = [],
): Promise<Opened> {
  const { first: segment, length, version } = candidate;
  const place = { segment, ...(version === undefined ? {} : { generation: version }) };
  const heads: Bytes[] = [];
  try {
    const head = await candidate.read(0, Math.min(length, SEGMENT_HEADER_SIZE));
    if (head.length === SEGMENT_HEADER_SIZE && !KIND.ofRecords.includes(head[KIND.at] as 1) && isNamed(head)) {
      return { other: true, failures: [] };
    }
    decodeHeader(head);
    heads.push(head);
  } catch (error) {
    if (!(error instanceof CorruptVaultError)) throw error;
    heads.push(...guesses.map(encodeHeader));
    if (heads.length === 0) return { other: false, failures: [failed({ ...place, bytes: length }, error)] };
  }
  let best: Opened | undefined;
  for (const head of heads) {
    const header = decodeHeader(head);
    const ring = rings.find(({ epoch }) => epoch === header.epoch);
    if (ring === undefined) {
      best ??= { other: false, failures: [{ ...place, bytes: length, what: "another vault key sealed the segment" }] };
      continue;
    }
    const tried = await openChunks(candidate, ring, head, header);
    if (tried.fragment !== undefined) return tried;
    best ??= tried;
  }
  return best!;
}

/** The magic and version of a segment. */
function isNamed(head: Bytes): boolean {
  return head[0] === 0x43 && head[1] === 0x46 && head[2] === 0x53 && head[3] === 0x47 && head[4] === 1;
}

async function openChunks(
  candidate: SegmentCandidate,
  ring: Ring,
  head: Bytes,
  header: SegmentHeader,
): Promise<Opened> {
  const { length, first: segment, version } = candidate;
  const count = Math.max(1, Math.ceil((length - SEGMENT_HEADER_SIZE) / SEALED_CHUNK_SIZE));
  const failures: SalvageFailure[] = [];
  const lines = new LineRuns(header.kind === "snapshot" ? "snapshot" : "delta");
  let opened = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    const offset = SEGMENT_HEADER_SIZE + chunk * SEALED_CHUNK_SIZE;
    const size = Math.min(SEALED_CHUNK_SIZE, length - offset);
    const last = chunk === count - 1 && !candidate.cut;
    const place = { segment, chunk, generation: header.last, bytes: size };
    try {
      if (size < OVERHEAD) throw new CorruptVaultError("a chunk is cut short");
      const sealed = await candidate.read(offset, size);
      const plain = await open(ring.keys.data, sealed, chunkAad(ring.vaultId, head, chunk, last));
      if (plain === null) {
        throw new CorruptVaultError("a chunk fails authentication", { page: pageOf(offset, candidate) });
      }
      opened++;
      lines.push(plain, last);
    } catch (error) {
      if (!(error instanceof CorruptVaultError)) throw error;
      failures.push(failed(place, error));
      lines.lose();
    }
  }
  if (opened === 0) return { other: false, failures };
  const whole = failures.length === 0 && lines.malformed === 0 && !candidate.cut;
  if (lines.malformed > 0) {
    failures.push({
      segment,
      generation: header.last,
      bytes: 0,
      what: "The vault is damaged: a record is not of its form",
    });
  }
  const named = version !== undefined;
  const { changes, broken } = lines;
  return { other: false, failures, fragment: { header, named, whole, changes, brokenLines: broken } };
}

/** The page at an offset, when the pages follow one another; a chunk that lies on many is named by its first. */
function pageOf(offset: number, { first }: SegmentCandidate): number {
  return first + Math.floor(offset / PAYLOAD_SIZE);
}

function failed(place: Omit<SalvageFailure, "what">, error: CorruptVaultError): SalvageFailure {
  return { ...place, ...(error.page === undefined ? {} : { page: error.page }), what: error.message };
}

/** The lines of runs of chunks; what a run begins or ends within is dropped and counted. */
class LineRuns {
  readonly changes: Changes = new Map();
  broken = 0;
  malformed = 0;
  readonly #kind: "snapshot" | "delta";
  #decoder: LineDecoder | undefined;
  /** Whether what comes next begins in the middle of a line, as far as can be known. */
  #inside = false;
  /** Whether bytes stand behind the last line end that was seen. */
  #open = false;

  constructor(kind: "snapshot" | "delta") {
    this.#kind = kind;
    this.#decoder = new LineDecoder(kind);
  }

  push(chunk: Bytes, last: boolean): void {
    let bytes: Bytes = chunk;
    if (this.#inside) {
      const end = bytes.indexOf(LINE_FEED);
      if (bytes.length > 0) this.broken++;
      if (end < 0) return;
      bytes = bytes.subarray(end + 1);
      this.#inside = false;
      this.#decoder = new LineDecoder(this.#kind);
    }
    if (bytes.length > 0) this.#open = bytes.at(-1) !== LINE_FEED;
    try {
      for (const [kind, key, json] of this.#decoder!.push(bytes)) setChange(this.changes, kind, key, json);
      if (last) this.#decoder!.end();
    } catch (error) {
      if (!(error instanceof CorruptVaultError)) throw error;
      this.malformed++;
      this.#inside = true;
      this.#open = false;
    }
  }

  /** A chunk did not open. */
  lose(): void {
    if (this.#open) this.broken++;
    this.#open = false;
    this.#inside = true;
  }
}
