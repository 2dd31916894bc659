/**
 * The messages of a SCRAM client, taken apart (RFC 5802, section 7).
 *
 * @module
 */
import { type Bytes, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from "../bytes.ts";
import { HMAC_SIZE } from "../crypto/hmac.ts";
import { ScramProtocolError } from "./errors.ts";

/** Longest message, in bytes of UTF-8. */
export const MAX_SCRAM_MESSAGE_SIZE = 4096;
/** Fewest and most characters of a client's nonce. */
export const CLIENT_NONCE_SIZES = { least: 8, most: 256 } as const;

/** What a client begins with. */
export interface ClientFirst {
  /** All before the bare message: how it would bind the channel, and whom it would act for. */
  readonly gs2Header: string;
  /** The message without that header; part of what is signed. */
  readonly bare: string;
  /** Whom the client would act for; undefined for the user itself. */
  readonly authorization: string | undefined;
  /** The user as it was sent, for {@linkcode decodeName}. It may be empty, and is where PostgreSQL's clients speak. */
  readonly escapedName: string;
  /** The client's part of the nonce. */
  readonly nonce: string;
}

/** What a client ends with. */
export interface ClientFinal {
  /** The message up to the proof; part of what is signed. */
  readonly withoutProof: string;
  /** The header of the first message once more, in base64. */
  readonly channelBinding: string;
  /** Both parts of the nonce. */
  readonly nonce: string;
  /** 32 bytes. */
  readonly proof: Bytes;
}

/**
 * The text of a message. Its size is looked at before anything else.
 *
 * @throws {ScramProtocolError}
 */
export function decodeMessage(message: string | Uint8Array): string {
  if (message.length > MAX_SCRAM_MESSAGE_SIZE) throw new ScramProtocolError("size");
  if (typeof message !== "string") {
    try {
      return decodeUtf8(message);
    } catch (error) {
      if (error instanceof TypeError) throw new ScramProtocolError("encoding");
      throw error;
    }
  }
  if (!message.isWellFormed()) throw new ScramProtocolError("encoding");
  if (encodeUtf8(message).length > MAX_SCRAM_MESSAGE_SIZE) throw new ScramProtocolError("size");
  return message;
}

/** Takes a client's first message apart. @throws {ScramProtocolError} */
export function parseClientFirst(text: string): ClientFirst {
  const [flag, authorization, ...bare] = text.split(",");
  if (flag !== "n" && flag !== "y") {
    // There is no mechanism here that binds the channel, so a client that insists on it was misled.
    throw new ScramProtocolError(/^p=[A-Za-z0-9.-]+$/.test(flag!) ? "channel-binding" : "syntax");
  }
  if (authorization === undefined || (authorization !== "" && !authorization.startsWith("a="))) {
    throw new ScramProtocolError("syntax");
  }
  const [username, nonce, ...extensions] = attributes(bare);
  if (username?.name !== "n" || nonce?.name !== "r") throw new ScramProtocolError("syntax");
  checkExtensions(extensions);
  const { least, most } = CLIENT_NONCE_SIZES;
  if (nonce.value.length < least || nonce.value.length > most || !/^[!-~]+$/.test(nonce.value)) {
    throw new ScramProtocolError("nonce");
  }
  return {
    gs2Header: `${flag},${authorization},`,
    bare: bare.join(","),
    authorization: authorization === "" ? undefined : decodeName(authorization.slice(2)),
    escapedName: username.value,
    nonce: nonce.value,
  };
}

/** Takes a client's last message apart. @throws {ScramProtocolError} */
export function parseClientFinal(text: string): ClientFinal {
  const [channelBinding, nonce, ...rest] = attributes(text.split(","));
  const proof = rest.pop();
  if (channelBinding?.name !== "c" || nonce?.name !== "r" || proof?.name !== "p") {
    throw new ScramProtocolError("syntax");
  }
  checkExtensions(rest);
  return {
    withoutProof: text.slice(0, text.lastIndexOf(",")),
    channelBinding: channelBinding.value,
    nonce: nonce.value,
    proof: decodeProof(proof.value),
  };
}

/** How a client repeats its first header when it ends. */
export function encodeChannelBinding(gs2Header: string): string {
  return encodeBase64(encodeUtf8(gs2Header));
}

/**
 * Undoes the escapes of a name, in which commas and equals signs may not stand for themselves.
 *
 * @throws {ScramProtocolError} when it has another escape, or is empty
 */
export function decodeName(text: string): string {
  const escapes = text.match(/=(2C|3D)?/g) ?? [];
  if (text === "" || escapes.some((escape) => escape === "=")) throw new ScramProtocolError("user-name");
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

interface Attribute {
  readonly name: string;
  readonly value: string;
}

function attributes(parts: readonly string[]): Attribute[] {
  // Values have at least one character and no NUL. A user name may be empty here: PostgreSQL's clients send it so.
  if (!parts.every((part) => /^(n=|[A-Za-z]=[^\0])[^\0]*$/u.test(part))) throw new ScramProtocolError("syntax");
  const found = parts.map((part) => ({ name: part[0]!, value: part.slice(2) }));
  // What is mandatory to understand, and not understood, ends the exchange wherever it stands (RFC 5802, section 5.1).
  if (found.some(({ name }) => name === "m")) throw new ScramProtocolError("extension");
  return found;
}

/** Optional extensions may be passed over; an attribute with a meaning may not stand where one was not looked for. */
function checkExtensions(extensions: readonly Attribute[]): void {
  if (extensions.some(({ name }) => "anrcsipve".includes(name))) throw new ScramProtocolError("syntax");
}

function decodeProof(text: string): Bytes {
  try {
    const proof = decodeBase64(text);
    if (proof.length === HMAC_SIZE) return proof;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ScramProtocolError("syntax");
}
