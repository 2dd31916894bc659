/**
 * Looks over a RedDB file without any key.
 *
 * @module
 */
import { isZero } from "../bytes.ts";
import { CofferError } from "../errors.ts";
import { RedDbCorruptError, RedDbPageFileError } from "./errors.ts";
import type { Disk } from "../storage/disk.ts";
import { followSoundly, isDataPage, readSealed } from "./chain.ts";
import { type CommittedHeader, readCommitted } from "./committed.ts";
import { readFreelist } from "./freelist.ts";
import { assertVersion, isCurrent } from "./header.ts";
import { contentOf, FIRST_FREE_PAGE, PAGE_TYPE, pageId, pageType, VAULT_PAGE } from "./page.ts";
import { PageFile } from "./page_file.ts";
import type { Sidecar } from "./sidecar.ts";
import { openPlace, type WhereOptions } from "./where.ts";

/**
 * Where something is wrong. `file`: page 0, or a count in it that no save believes. `header`: page 2. `chain`: a page of the vault's chain. `freelist`: the list of
 * free pages. `orphan`: a page of the vault, or of the list, that nothing reaches. `tail`: pages that are counted and not
 * in the file, or not whole.
 */
export type RedDbProblemKind = "file" | "header" | "chain" | "freelist" | "orphan" | "tail";

/** One thing that is wrong. */
export interface RedDbProblem {
  /** Where it is. */
  readonly kind: RedDbProblemKind;
  /** What is wrong, in words. */
  readonly what: string;
  /** The page, where there is one. */
  readonly page: number | null;
  /** Whether the vault is whole all the same: a crash leaves orphans and a tail, which only take room. */
  readonly harmless: boolean;
}

/** What a check found. */
export interface RedDbCheckReport {
  /** Bytes in the file. */
  readonly fileSize: number;
  /** Bytes in a page; 0 when page 0 cannot be read. */
  readonly pageSize: number;
  /** Pages, as page 0 counts them. */
  readonly pageCount: number;
  /** Version of the vault's header; null when there is no vault. */
  readonly version: number | null;
  /** Pages of the vault's chain that can be followed, the header not counted. */
  readonly chainPages: number;
  /** Pages in the list of free pages, its trunks included. */
  readonly freePages: number;
  /** Pages of the vault or of the list of free pages that nothing reaches. */
  readonly orphanPages: number;
  /** Pages of RedDB's own, which are not looked into. */
  readonly otherPages: number;
  /** Whether a crash left a torn header and a note that mends it; the next load or save does so. */
  readonly interrupted: boolean;
  /** What is wrong; nothing, in a sound file. */
  readonly problems: readonly RedDbProblem[];
}

/** How many pages are read at once. */
const WINDOW = 256;

/**
 * Checks every vault page, the chain and the list of free pages. Changes nothing.
 *
 * @throws {VaultNotFoundError} and other errors of the disk; damage is in the report instead
 */
export async function checkRedDbFile(where: string | Disk, options: WhereOptions = {}): Promise<RedDbCheckReport> {
  const { disk, sidecar } = openPlace(where, options);
  try {
    const lock = await disk.lock("shared", options);
    try {
      return await new Checker(disk, sidecar).run();
    } finally {
      lock.release();
    }
  } finally {
    if (typeof where === "string") disk.close();
  }
}

class Checker {
  readonly #disk: Disk;
  readonly #sidecar: Sidecar;
  readonly #problems: RedDbProblem[] = [];

  constructor(disk: Disk, sidecar: Sidecar) {
    this.#disk = disk;
    this.#sidecar = sidecar;
  }

  async run(): Promise<RedDbCheckReport> {
    const file = await this.#try("file", () => PageFile.read(this.#disk));
    const report = {
      fileSize: await this.#disk.size(),
      pageSize: file?.pageSize ?? 0,
      pageCount: file?.pageCount ?? 0,
      version: null as number | null,
      chainPages: 0,
      freePages: 0,
      orphanPages: 0,
      otherPages: 0,
      interrupted: false,
      problems: this.#problems,
    };
    if (file === undefined) return report;
    await this.#try("file", () => Promise.resolve(file.assertCanGrow(0)));
    this.#checkTail(file);
    const committed = await readCommitted(file, this.#sidecar);
    this.#checkHeader(file, committed);
    const { header, torn } = committed;
    if (header !== null && isCurrent(header)) await this.#try("chain", () => readSealed(file, header));
    const chain = new Set(await followSoundly(file, header));
    if (this.#problems.every(({ harmless }) => harmless) && chain.size !== (header?.chainCount ?? 0)) {
      this.#add("chain", "a page of the chain does not say that it is the vault's, at its place");
    }
    const free = (await this.#try("freelist", () => readFreelist(file)))?.pages;
    for (const id of chain) {
      if (free?.has(id)) this.#add("freelist", "a page of the chain counts as free", id);
    }
    const { orphanPages, otherPages } = await this.#scan(file, chain, free, header !== null && !isCurrent(header));
    return {
      ...report,
      version: header?.version ?? null,
      chainPages: chain.size,
      freePages: free?.size ?? 0,
      orphanPages,
      otherPages,
      interrupted: torn,
    };
  }

  #checkTail(file: PageFile): void {
    if (file.pageCount > file.filePages) {
      this.#add("tail", `${file.pageCount} pages are counted, ${file.filePages} are whole in the file`);
    } else if (file.fileSize % file.pageSize !== 0) {
      this.#add("tail", "the last page of the file is cut short", file.filePages);
    }
  }

  #checkHeader(file: PageFile, { page, header }: CommittedHeader): void {
    if (header === null) {
      const type = pageType(page);
      const empty = isZero(contentOf(page)) && (type === PAGE_TYPE.vault || type === PAGE_TYPE.free);
      if (!empty && (file.has(VAULT_PAGE) || !isZero(page))) {
        this.#add("header", "the page of the vault holds no header", VAULT_PAGE);
      }
      return;
    }
    if (pageType(page) !== PAGE_TYPE.vault || pageId(page) !== VAULT_PAGE) {
      this.#add("header", "the page does not say that it is the vault's", VAULT_PAGE);
    }
    try {
      assertVersion(header);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#add("header", error.message, VAULT_PAGE);
    }
  }

  /** Looks at every page from 3 on for what belongs to a vault, or to the list of free pages, and is not reached. */
  async #scan(
    file: PageFile,
    chain: ReadonlySet<number>,
    free: ReadonlySet<number> | undefined,
    otherVersion: boolean,
  ): Promise<{ orphanPages: number; otherPages: number }> {
    let orphanPages = 0;
    let otherPages = 0;
    const buffer = new Uint8Array(WINDOW * file.pageSize);
    for (let first = FIRST_FREE_PAGE; first < file.filePages; first += WINDOW) {
      const count = Math.min(WINDOW, file.filePages - first);
      await this.#disk.readAt(buffer.subarray(0, count * file.pageSize), first * file.pageSize);
      for (let id = first; id < first + count; id++) {
        const page = buffer.subarray((id - first) * file.pageSize, (id - first + 1) * file.pageSize);
        const type = pageType(page);
        if (chain.has(id) || free?.has(id) || type === PAGE_TYPE.free) continue;
        // Which pages are a vault's of another version, and which are trunks of a damaged list, is not known.
        const known = type === PAGE_TYPE.trunk ? free !== undefined : isDataPage(page) && !otherVersion;
        if (!known) otherPages++;
        else {
          orphanPages++;
          this.#add("orphan", "nothing reaches this page", id);
        }
      }
    }
    return { orphanPages, otherPages };
  }

  /** Runs a part; the damage that it throws is a problem of the given kind. */
  async #try<T>(kind: RedDbProblemKind, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RedDbPageFileError) {
        this.#add(kind, error.what, error.page);
      } else if (error instanceof RedDbCorruptError) {
        this.#add(error.page === VAULT_PAGE ? "header" : kind, error.what, error.page);
      } else throw error;
      return undefined;
    }
  }

  #add(kind: RedDbProblemKind, what: string, page?: number): void {
    this.#problems.push({ kind, what, page: page ?? null, harmless: kind === "orphan" || kind === "tail" });
  }
}
