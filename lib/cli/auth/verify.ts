/**
 * `coffer verify [FILE]`: whether a signature is one that the vault made.
 *
 * @module
 */
import { SignatureMismatchError } from "../../auth/errors.ts";
import { type Bytes, decodeHex } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { GlobalFlags } from "../flags.ts";
import { refuseBoth } from "../metadata.ts";
import { openVault, prepareOpening } from "../open.ts";
import { writeJson } from "../output.ts";
import { claim, readSecretText } from "./secret_input.ts";
import { readData } from "./signed_data.ts";

/** Flags of `verify`. */
export interface VerifyFlags extends GlobalFlags {
  /** The signature. */
  readonly signature?: string;
  /** File with the signature. */
  readonly signatureFile?: string;
}

const FORM = /^[0-9a-fA-F]{64}$/;

/** Checks a signature of a file or of stdin. */
export default async function verify(flags: VerifyFlags, path?: string): Promise<void> {
  const { signature, signatureFile } = flags;
  refuseBoth({ "--signature": signature, "--signature-file": signatureFile });
  const opening = prepareOpening(flags);
  claim(signatureFile, "--signature-file");
  const given = signature ??
    (signatureFile === undefined ? undefined : await readSecretText(signatureFile, "signature"));
  const wanted = parse(given);
  const data = await readData(path);
  await using vault = await openVault(opening);
  if (!await vault.keyPair.verify(data, wanted)) throw new SignatureMismatchError();
  if (flags.json) await writeJson({ verified: true });
}

function parse(text: string | undefined): Bytes {
  if (text === undefined) throw new UsageError("Give the signature with --signature or --signature-file");
  if (!FORM.test(text)) throw new UsageError("A signature is 64 hex digits");
  return decodeHex(text);
}
