/**
 * HKDF-SHA256 (RFC 5869).
 *
 * @module
 */
import { type Bytes, encodeUtf8 } from "../bytes.ts";

/**
 * Derives 32 bytes from high-entropy key material.
 *
 * The label keeps purposes apart: keys under different labels tell nothing of each other. An empty salt is right where
 * the material is uniformly random already (RFC 5869, section 3.1).
 */
export async function hkdf(material: Bytes, salt: Uint8Array, label: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: salt as Bytes, info: encodeUtf8(label) },
      key,
      256,
    ),
  );
}
