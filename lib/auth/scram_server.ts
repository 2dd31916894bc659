/**
 * The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), as a state machine without input or output of its own.
 *
 * @module
 */
import { type Bytes, concat, encodeBase64, encodeUtf8 } from "../bytes.ts";
import { constantTimeEqual } from "../crypto/constant_time.ts";
import { hmac, importHmacKey } from "../crypto/hmac.ts";
import { randomBytes, wipe } from "../crypto/random.ts";
import { sha256 } from "../crypto/sha256.ts";
import { ScramProtocolError } from "./errors.ts";
import {
  type ClientFirst,
  decodeMessage,
  decodeName,
  encodeChannelBinding,
  parseClientFinal,
  parseClientFirst,
} from "./scram_messages.ts";
import type { ScramVerifier } from "./scram_verifier.ts";

/** Random bytes of the server's part of a nonce; 24 characters in base64, as many as PostgreSQL's. */
const NONCE_SIZE = 18;
const DECOY_SALT_SIZE = 16;

/** What a client hears at the end that is not let in (RFC 5802, section 7). */
export const INVALID_PROOF = "e=invalid-proof";

/** What a lookup gives. */
export interface ScramLookup {
  /** The user's verifier; for one who does not exist, or may not log in, that of {@linkcode decoyVerifier}. */
  readonly verifier: ScramVerifier;
  /** Whether the verifier may let anyone in. */
  readonly found: boolean;
}

/** How an exchange is led. */
export interface ScramServerOptions {
  /** Finds the verifier of a user; it has to take as long for one that does not exist. */
  readonly lookup: (username: string) => Promise<ScramLookup>;
  /**
   * The user, where the protocol around the exchange has named it already, as PostgreSQL's has: what the client's message
   * says is then passed over. @default {the name in the client's message}
   */
  readonly username?: string;
  /** Draws the server's part of the nonce; for tests, which repeat an exchange. @default {18 random bytes in base64} */
  readonly nonce?: () => string;
}

/** How an exchange ended. */
export interface ScramOutcome {
  /** The last message to the client: the server's own proof, or `e=invalid-proof`. */
  readonly serverFinal: string;
  /** Who it was about, whether or not there is such a user. */
  readonly username: string;
  /** Whether the client has shown that it knows the password of a user who may log in. */
  readonly authenticated: boolean;
}

interface Challenge {
  readonly client: ClientFirst;
  readonly username: string;
  readonly found: ScramLookup;
  readonly nonce: string;
  readonly serverFirst: string;
}

/**
 * One exchange; an object serves for one only. A client that does not know the password and one whose user does not exist
 * get the same messages after the same work, as long as the lookup keeps to it.
 *
 * @example The exchange that RFC 7677 prints, without its nonce
 * ```ts
 * import { newScramVerifier } from "./scram_verifier.ts";
 * import { ScramServer } from "./scram_server.ts";
 *
 * const verifier = await newScramVerifier("pencil");
 * const server = new ScramServer({ lookup: () => Promise.resolve({ verifier, found: true }) });
 * const serverFirst = await server.first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
 * console.assert(serverFirst.startsWith("r=rOprNGfwEbeRWgbNEkqO"));
 * // The client's last message goes into server.final().
 * ```
 */
export class ScramServer {
  readonly #options: ScramServerOptions;
  #state: "first" | "final" | "over" = "first";
  #challenge: Challenge | undefined;

  /** Begins an exchange. */
  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  /**
   * Takes the client's first message and gives the server's.
   *
   * @throws {ScramProtocolError} whatever is looked up is thrown as it is; the exchange is over either way
   */
  async first(clientFirst: string | Uint8Array): Promise<string> {
    this.#step("first");
    const client = parseClientFirst(decodeMessage(clientFirst));
    const username = this.#options.username ?? await prepareName(decodeName(client.escapedName));
    if (client.authorization !== undefined && !await isSameName(client.authorization, username)) {
      throw new ScramProtocolError("authorization");
    }
    const found = await this.#options.lookup(username);
    const { nonce: draw = newNonce } = this.#options;
    const nonce = client.nonce + draw();
    const { salt, iterations } = found.verifier;
    const serverFirst = `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
    this.#challenge = { client, username, found, nonce, serverFirst };
    this.#state = "final";
    return serverFirst;
  }

  /**
   * Takes the client's last message and tells how the exchange ended.
   *
   * @throws {ScramProtocolError}
   */
  async final(clientFinal: string | Uint8Array): Promise<ScramOutcome> {
    this.#step("final");
    const { client, username, found, nonce, serverFirst } = this.#challenge!;
    this.#challenge = undefined;
    const message = parseClientFinal(decodeMessage(clientFinal));
    // The header is signed too, so whoever stands between can not have taken a binding out of it.
    if (message.channelBinding !== encodeChannelBinding(client.gs2Header)) {
      throw new ScramProtocolError("channel-binding");
    }
    if (message.nonce !== nonce) throw new ScramProtocolError("nonce");
    const signed = encodeUtf8(`${client.bare},${serverFirst},${message.withoutProof}`);
    const proven = await isProven(found.verifier, signed, message.proof);
    // Signed whether or not it is sent, so that both ends take the same work.
    const signature = await hmac(await importHmacKey(found.verifier.serverKey), signed);
    const authenticated = proven && found.found;
    return { serverFinal: authenticated ? `v=${encodeBase64(signature)}` : INVALID_PROOF, username, authenticated };
  }

  /** Goes on from the given state, and leaves the exchange over until the step has succeeded. */
  #step(state: "first" | "final"): void {
    const current = this.#state;
    this.#state = "over";
    if (current !== state) throw new ScramProtocolError("order");
  }
}

function newNonce(): string {
  return encodeBase64(randomBytes(NONCE_SIZE));
}

/** RFC 5802, section 3: a client that knows the password knows the key whose hash is kept. */
async function isProven({ storedKey }: ScramVerifier, signed: Bytes, proof: Bytes): Promise<boolean> {
  const clientKey = await hmac(await importHmacKey(storedKey), signed);
  for (let i = 0; i < clientKey.length; i++) clientKey[i]! ^= proof[i]!;
  const proven = constantTimeEqual(await sha256(clientKey), storedKey);
  wipe(clientKey);
  return proven;
}

/** RFC 5802, section 5.1: the name is prepared as one that is looked up, and must not be empty afterwards. */
async function prepareName(name: string): Promise<string> {
  // Imported here: most names are ASCII, but control characters have to be refused in them too.
  const prepared = /^[ -~]*$/.test(name)
    ? name
    : (await import("./saslprep.ts")).saslprep(name, { allowUnassigned: true });
  if (prepared === null || prepared === "") throw new ScramProtocolError("user-name");
  return prepared;
}

async function isSameName(authorization: string, username: string): Promise<boolean> {
  return authorization === username || await prepareName(authorization) === username;
}

/**
 * A verifier for a user who does not exist: the same for a name each time, so that asking again tells nothing, and fit
 * for no password.
 *
 * @param secret 32 bytes that nobody else knows, always the same ones
 * @param username the name as it was asked for, in the one spelling that lookups use, its tenant included
 * @param iterations as many as verifiers of real users have
 */
export async function decoyVerifier(
  secret: Uint8Array,
  username: string,
  iterations: number,
): Promise<ScramVerifier> {
  const key = await importHmacKey(secret as Bytes);
  const name = encodeUtf8(username);
  const [salt, storedKey, serverKey] = await Promise.all(
    ["salt", "stored key", "server key"].map((part) => hmac(key, concat(encodeUtf8(`scram decoy ${part}\0`), name))),
  ) as [Bytes, Bytes, Bytes];
  return { salt: salt.slice(0, DECOY_SALT_SIZE), iterations, storedKey, serverKey };
}
