/**
 * A program that speaks as much of PostgreSQL's protocol (version 3) as a client needs to log in by SCRAM and to ask for
 * one thing: it stands around {@linkcode ScramServer}, so that real clients meet it over a real socket.
 *
 * Takes users as JSON in its first argument, `{"name": "verifier as PostgreSQL writes it"}`. Prints its port, on 127.0.0.1,
 * and serves until its standard input ends.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program speaks to whoever runs it
import { concat, decodeUtf8, encodeUtf8, viewOf } from "../../lib/bytes.ts";
import { ScramProtocolError } from "../../lib/auth/errors.ts";
import { decoyVerifier, type ScramOutcome, ScramServer } from "../../lib/auth/scram_server.ts";
import { decodePostgresVerifier } from "../../lib/auth/scram_verifier.ts";

const MECHANISM = "SCRAM-SHA-256";
const MAX_MESSAGE_SIZE = 16 * 1024;
/** Codes that a client sends in place of a protocol version. */
const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const PROTOCOL_3 = 3 << 16;

async function main(): Promise<void> {
  const users = new Map(
    Object.entries(JSON.parse(Deno.args[0]!) as Record<string, string>)
      .map(([name, text]) => [name, decodePostgresVerifier(text)]),
  );
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const lookup = async (username: string) => {
    const verifier = users.get(username);
    return { verifier: verifier ?? await decoyVerifier(secret, username, 4096), found: verifier !== undefined };
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  (async () => {
    for await (const _ of Deno.stdin.readable);
    Deno.exit(0);
  })();
  for await (const connection of listener) {
    serve(connection, lookup).catch((error) => console.error(error)).finally(() => connection.close());
  }
}

async function serve(connection: Deno.Conn, lookup: ConstructorParameters<typeof ScramServer>[0]["lookup"]) {
  const stream = new Stream(connection);
  const username = await begin(stream);
  const outcome = await authenticate(stream, new ScramServer({ lookup, username }));
  if (!outcome?.authenticated) {
    return await stream.send("E", fields({ S: "FATAL", C: "28P01", M: `password authentication failed for user` }));
  }
  await stream.send("R", int32(12), encodeUtf8(outcome.serverFinal));
  await stream.send("R", int32(0));
  const parameters = { server_version: "15.0", client_encoding: "UTF8", standard_conforming_strings: "on" };
  for (const [name, value] of Object.entries(parameters)) await stream.send("S", text(name), text(value));
  await stream.send("Z", encodeUtf8("I"));
  // Whatever is asked, the answer is who asks.
  for (let message = await stream.receive(); message?.type === "Q"; message = await stream.receive()) {
    await stream.send(
      "T",
      int16(1),
      text("current_user"),
      int32(0),
      int16(0),
      int32(25),
      int16(-1),
      int32(-1),
      int16(0),
    );
    const name = encodeUtf8(outcome.username);
    await stream.send("D", int16(1), int32(name.length), name);
    await stream.send("C", text("SELECT 1"));
    await stream.send("Z", encodeUtf8("I"));
  }
}

/** The start of a session: encryption is declined, then the client names the user. */
async function begin(stream: Stream): Promise<string> {
  for (;;) {
    const message = (await stream.receiveUntyped())!;
    const code = viewOf(message).getInt32(0);
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      await stream.write(encodeUtf8("N"));
      continue;
    }
    if (code !== PROTOCOL_3) throw new Error(`Unknown protocol ${code}`);
    const words = decodeUtf8(message.subarray(4)).split("\0");
    return words[words.indexOf("user") + 1]!;
  }
}

async function authenticate(stream: Stream, server: ScramServer): Promise<ScramOutcome | undefined> {
  await stream.send("R", int32(10), text(MECHANISM), Uint8Array.of(0));
  try {
    const initial = await stream.receive();
    if (initial?.type !== "p") return undefined;
    const end = initial.body.indexOf(0);
    if (decodeUtf8(initial.body.subarray(0, end)) !== MECHANISM) return undefined;
    await stream.send("R", int32(11), encodeUtf8(await server.first(initial.body.subarray(end + 5))));
    const response = await stream.receive();
    return response?.type === "p" ? await server.final(response.body) : undefined;
  } catch (error) {
    if (error instanceof ScramProtocolError) return undefined;
    throw error;
  }
}

/** Messages over a connection: a type, a length that counts itself, a body. */
class Stream {
  readonly #connection: Deno.Conn;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  async receive(): Promise<{ readonly type: string; readonly body: Uint8Array } | undefined> {
    const type = await this.#read(1);
    const body = type && await this.receiveUntyped();
    return body && { type: String.fromCharCode(type[0]!), body };
  }

  async receiveUntyped(): Promise<Uint8Array | undefined> {
    const length = await this.#read(4);
    if (length === undefined) return undefined;
    const size = viewOf(length).getInt32(0) - 4;
    if (size < 0 || size > MAX_MESSAGE_SIZE) throw new RangeError(`A message of ${size} bytes`);
    return await this.#read(size);
  }

  async send(type: string, ...parts: readonly Uint8Array[]): Promise<void> {
    const body = concat(...parts);
    await this.write(concat(encodeUtf8(type), int32(body.length + 4), body));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length;) offset += await this.#connection.write(bytes.subarray(offset));
  }

  async #read(size: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(size);
    for (let offset = 0; offset < size;) {
      const read = await this.#connection.read(bytes.subarray(offset));
      if (read === null) return undefined;
      offset += read;
    }
    return bytes;
  }
}

function int16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  viewOf(bytes).setInt16(0, value);
  return bytes;
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value);
  return bytes;
}

function text(value: string): Uint8Array {
  return encodeUtf8(`${value}\0`);
}

function fields(values: Readonly<Record<string, string>>): Uint8Array {
  return concat(...Object.entries(values).map(([name, value]) => text(name + value)), Uint8Array.of(0));
}

if (import.meta.main) await main();
