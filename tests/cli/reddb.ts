/**
 * RedDB files for tests of the command line.
 *
 * @module
 */
import type { Sandbox } from "./coffer.ts";

/** A vector of `tests/vectors/reddb-v2/index.json`. */
export interface Vector {
  readonly file: string;
  readonly credential: { readonly passphrase?: string; readonly certificate?: string };
  readonly state?: unknown;
  readonly error?: string;
}

/** Where the vectors are. */
export const VECTORS = new URL("../vectors/reddb-v2/", import.meta.url);
/** All vectors. */
export const INDEX: readonly Vector[] = JSON.parse(await Deno.readTextFile(new URL("index.json", VECTORS)));

/** The vector's file, and the flag that opens it. */
export function copied(box: Sandbox, { file, credential }: Vector): { path: string; key: readonly string[] } {
  const path = box.file(file, Deno.readFileSync(new URL(file, VECTORS)));
  const { passphrase, certificate } = credential;
  if (certificate !== undefined) return { path, key: ["--certificate-file", box.file("cert", `${certificate}\n`)] };
  return { path, key: ["--passphrase-file", box.file("pass", `${passphrase}\n`)] };
}

/** A new vault; gives its path, and the flag with its certificate. */
export async function bootstrapped(box: Sandbox): Promise<{ path: string; key: readonly string[]; apiKey: string }> {
  const path = box.path("app.rdb");
  const flags = ["--user", "root", "--password-file", box.file("password", "a long password\n")];
  const { certificate, apiKey } = await box.json(["reddb", "bootstrap", path, ...flags]);
  return { path, key: ["--certificate-file", box.file("certificate", certificate)], apiKey };
}
