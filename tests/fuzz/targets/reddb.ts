/**
 * RedDB's formats: page files, headers, chains, lists of free pages, notes, payloads, exports.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bytes, concat, encodeHex, encodeUtf8, viewOf } from "../../../lib/bytes.ts";
import { importAesKey, seal } from "../../../lib/crypto/aes_gcm.ts";
import { sha256 } from "../../../lib/crypto/sha256.ts";
import { InvalidMetadataError } from "../../../lib/errors.ts";
import {
  RedDbCorruptError,
  RedDbDecryptionError,
  RedDbLegacyError,
  RedDbPageFileError,
  RedDbUnsupportedError,
} from "../../../lib/reddb/errors.ts";
import { readSealed } from "../../../lib/reddb/chain.ts";
import { checkRedDbFile } from "../../../lib/reddb/check.ts";
import { deriveKeyBytes, requireCredential } from "../../../lib/reddb/credential.ts";
import { assertVersion, decodeHeader, encodeHeader } from "../../../lib/reddb/header.ts";
import { unsealLogicalExport } from "../../../lib/reddb/logical_export.ts";
import { PageFile } from "../../../lib/reddb/page_file.ts";
import { RedDbVault } from "../../../lib/reddb/vault.ts";
import { decodeNote, encodeNote, NO_SIDECAR } from "../../../lib/reddb/sidecar.ts";
import { VaultState } from "../../../lib/reddb/state.ts";
import { readCommitted } from "../../../lib/reddb/committed.ts";
import { MemoryDisk, MemoryFile } from "../../../lib/storage/disk_memory.ts";
import { patterned } from "../../helpers.ts";
import { CREDENTIAL, shapeOf, stateOf, vectorBytes } from "../../reddb/helpers.ts";
import { type Target, target, textTarget } from "../target.ts";

const FILE_ERRORS = [RedDbPageFileError, RedDbCorruptError, RedDbLegacyError, RedDbUnsupportedError];
const PAGE = 4096;

function diskOf(bytes: Uint8Array): MemoryDisk {
  return new MemoryDisk(new MemoryFile(bytes), "fuzzed");
}

/** Reads a file as far as that goes without a key: the sealed payload, and what a check says of it. */
async function readFile(input: Bytes): Promise<number> {
  const disk = diskOf(input);
  const { problems } = await checkRedDbFile(disk, { sidecar: NO_SIDECAR });
  const harmful = problems.filter(({ harmless }) => !harmless);
  const file = await PageFile.read(disk);
  const { header } = await readCommitted(file, NO_SIDECAR);
  if (header === null) return 0;
  assertVersion(header);
  try {
    return (await readSealed(file, header)).length;
  } catch (error) {
    assert.ok(harmful.length > 0, "what cannot be read is found");
    throw error;
  }
}

async function fileSeeds(): Promise<Bytes[]> {
  const names = ["chain-scattered", "single-page", "boundary-4004", "no-vault", "version-1"];
  return await Promise.all(names.filter((name) => name !== "version-1").map((name) => vectorBytes(`${name}.rdb`)));
}

/** A file that RedDB's list of free pages has been used in. */
async function usedFile(): Promise<Bytes> {
  const file = new MemoryFile(PageFile.blank(PAGE));
  const vault = await RedDbVault.openWithoutEnvironment(new MemoryDisk(file), CREDENTIAL, { sidecar: NO_SIDECAR });
  for (const size of [40_000, 10, 20_000]) await vault.save(stateOf(size));
  await vault.close();
  return file.bytes;
}

const SEALED = concat(patterned(12), patterned(6000, 3));
const PAYLOAD = [
  `MASTER_SECRET:${encodeHex(patterned(32))}`,
  "SEALED:true",
  `USER:alice\targon2id$aa$bb\tadmin\ttrue\t1\t2\t${encodeHex(patterned(16))}:4096:${encodeHex(patterned(32))}:${
    encodeHex(patterned(32, 1))
  }\tacme`,
  "USER:bob\th\tread\tfalse\t3\t4\t",
  "KEY:alice\trk_1\tci\tread\t3\tacme",
  `KV:red.secret.greeting\t${encodeHex(encodeUtf8("hello"))}`,
  "UNKNOWN:kept",
  "",
].join("\n");

/** The key of exports that are mended: deriving it once takes as long as a thousand inputs. */
const EXPORT_SALT = patterned(16);
const EXPORT_AAD = encodeUtf8("reddb-vault-logical-export-v1");
const exportKey = deriveKeyBytes(requireCredential(CREDENTIAL), EXPORT_SALT).then((raw) => importAesKey(raw));

async function exportOf(payload: string): Promise<string> {
  const sealed = await seal(await exportKey, encodeUtf8(payload), EXPORT_AAD);
  return encodeHex(concat(encodeUtf8("RDVX"), Uint8Array.of(1), EXPORT_SALT, sealed));
}

/** Targets of `lib/reddb`. */
export const REDDB_TARGETS: readonly Target[] = [
  target({
    name: "reddb-page-file",
    seeds: [PageFile.blank(PAGE), PageFile.blank(16_384)],
    decode: async (input) => {
      const file = await PageFile.read(diskOf(input));
      file.assertCanGrow(1);
      assert.ok(file.end >= 3);
      return { pageSize: file.pageSize, pageCount: file.pageCount, head: file.freelistHead };
    },
    allowed: [RedDbPageFileError],
    unit: PAGE,
  }),
  target({
    name: "reddb-header",
    seeds: [encodeHeader(PAGE, patterned(16), SEALED, 7), encodeHeader(PAGE, patterned(16), patterned(500), 0)],
    decode: (input) => {
      const page = new Uint8Array(PAGE);
      page.set(input.subarray(0, PAGE));
      const header = decodeHeader(page);
      if (header === null) throw new RedDbCorruptError("no header");
      assertVersion(header);
      return header.payloadLength;
    },
    allowed: FILE_ERRORS,
    most: PAGE,
  }),
  target({
    name: "reddb-file",
    seeds: async () => [...await fileSeeds(), await usedFile()],
    decode: readFile,
    allowed: FILE_ERRORS,
    unit: PAGE,
    most: 64 * PAGE,
    cost: 4,
  }),
  target({
    name: "reddb-note",
    seeds: async () => [await encodeNote({ before: patterned(PAGE), after: patterned(PAGE, 5) })],
    decode: async (input) => {
      const note = await decodeNote(input, PAGE);
      if (note === null) throw new RedDbCorruptError("no note");
      return note;
    },
    encode: encodeNote,
    mend: async (input) => {
      if (input.length > 32) input.set(await sha256(input.subarray(0, -32)), input.length - 32);
      return input;
    },
    allowed: [RedDbCorruptError],
    most: 10_000,
    cost: 2,
  }),
  target({
    name: "reddb-payload",
    seeds: [encodeUtf8(PAYLOAD), encodeUtf8(PAYLOAD.replaceAll("\n", "\r\n")), new Uint8Array(0)],
    decode: (input) => {
      const state = VaultState.deserialize(input);
      const { kv, ...shape } = shapeOf(state) as { kv: unknown };
      // Of the lines that are kept only the text comes back: where they stood is for messages.
      return { ...shape, kv, kept: state.kept.map(({ text }) => text) };
    },
    encode: () => undefined,
    words: ["USER:", "KEY:", "KV:", "SEALED:true", "MASTER_SECRET:", "\t", "\n", "\r", "admin", "4095", "4096"],
    allowed: [RedDbCorruptError],
    most: 20_000,
  }),
  target({
    name: "reddb-payload-written",
    seeds: [encodeUtf8(PAYLOAD)],
    decode: (input) => {
      const state = VaultState.deserialize(input);
      const { kept, ...rest } = state;
      return { ...rest, kept: kept.map(({ text }) => text), written: state.serialize() };
    },
    again: ({ written }) => written,
    words: ["USER:", "KEY:", "KV:", "SEALED:true", "MASTER_SECRET:", "\t", "\n", "\r", "admin", "+4096", "+1"],
    allowed: [RedDbCorruptError, InvalidMetadataError],
    most: 20_000,
  }),
  textTarget({
    name: "reddb-export",
    seeds: [await exportOf(PAYLOAD), ` ${(await exportOf("")).toUpperCase()}\n`],
    decode: async (text) => shapeOf(await unsealLogicalExport(text, CREDENTIAL)),
    words: ["52445658", "01", "00", "zz"],
    allowed: [RedDbCorruptError, RedDbDecryptionError],
    most: 4000,
    cost: 25,
  }),
];

assert.ok(viewOf(SEALED).byteLength > PAGE);
