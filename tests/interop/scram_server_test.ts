import assert from "node:assert/strict";
import sasl from "pg/lib/crypto/sasl.js";
import { ScramServer } from "../../lib/auth/scram_server.ts";
import { encodePostgresVerifier, newScramVerifier, type ScramVerifier } from "../../lib/auth/scram_verifier.ts";
import { postgresMissing, psql } from "./postgres.ts";

const USERS: Readonly<Record<string, string>> = {
  alice: "correct horse battery staple",
  "j\u00fcrgen": "p\u00e4ssw\u00f6rd \u2168 I\u00adX \u00b2",
  "o'brien, =2C": "x".repeat(1000),
};

const verifiers = new Map<string, ScramVerifier>();
for (const [name, password] of Object.entries(USERS)) {
  verifiers.set(name, await newScramVerifier(password, { iterations: 4096 }));
}

Deno.test("ScramServer completes the exchange with the SCRAM of the package pg", async () => {
  const password = USERS.alice!;
  const verifier = verifiers.get("alice")!;
  // With a stream it says that it could bind the channel ("y"), without one that it could not ("n").
  for (const stream of [undefined, { getPeerCertificate: () => assert.fail("not asked for") }]) {
    for (const typed of [password, "wrong"]) {
      const server = new ScramServer({ lookup: () => Promise.resolve({ verifier, found: true }) });
      const session = sasl.startSession(["SCRAM-SHA-256"], stream);
      assert.match(session.response, stream ? /^y,,/ : /^n,,/);
      await sasl.continueSession(session, typed, await server.first(session.response), stream);
      const { authenticated, serverFinal } = await server.final(session.response);
      assert.equal(authenticated, typed === password);
      if (authenticated) sasl.finalizeSession(session, serverFinal);
      else assert.throws(() => sasl.finalizeSession(session, serverFinal), /invalid-proof/);
    }
  }
});

Deno.test("ScramServer lets the client of the package pg log in over a socket, and nobody else", async () => {
  await withListener(async (port) => {
    const logins = [
      ...Object.entries(USERS).map(([user, password]) => ({ port, user, password, expected: user })),
      ...Object.keys(USERS).map((user) => ({ port, user, password: "wrong", expected: "28P01" })),
      { port, user: "nobody", password: USERS.alice!, expected: "28P01" },
    ];
    const output = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-net=127.0.0.1",
        "--allow-env",
        "--allow-read",
        "--allow-sys",
        new URL("pg_client.ts", import.meta.url).pathname,
        JSON.stringify(logins.map(({ port, user, password }) => ({ port, user, password }))),
      ],
      stderr: "inherit",
    }).output();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(output.stdout)), logins.map(({ expected }) => expected));
  });
});

Deno.test({
  name: `ScramServer lets psql log in over a socket, and nobody else${postgresMissing ? " (SKIPPED)" : ""}`,
  ignore: postgresMissing !== undefined,
  fn: () =>
    withListener(async (port) => {
      for (const [user, password] of Object.entries(USERS)) {
        const right = await psql(port, user, password, "SELECT current_user");
        assert.deepEqual(right, { success: true, stdout: user, stderr: "" });
        const wrong = await psql(port, user, "wrong", "SELECT current_user");
        assert.ok(!wrong.success);
        // A name that nobody has meets the same words.
        assert.deepEqual(await psql(port, "nobody", password, "SELECT current_user"), wrong);
        assert.match(wrong.stderr, /password authentication failed/);
      }
    }),
});

/** Starts the listener, hands its port to a function, and ends it afterwards whatever happens. */
async function withListener(run: (port: number) => Promise<void>): Promise<void> {
  const users = Object.fromEntries([...verifiers].map(([name, verifier]) => [name, encodePostgresVerifier(verifier)]));
  const listener = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL("scram_listener.ts", import.meta.url).pathname,
      JSON.stringify(users),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = listener.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value } = await reader.read();
    await run(Number(value));
  } finally {
    await listener.stdin.close();
    await reader.cancel();
    await listener.status;
  }
}
