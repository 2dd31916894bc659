import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeBase64, encodeUtf8 } from "../../lib/bytes.ts";
import { ScramProtocolError, type ScramReason } from "../../lib/auth/errors.ts";
import { decoyVerifier, ScramServer, type ScramServerOptions } from "../../lib/auth/scram_server.ts";
import { newScramVerifier, type ScramVerifier, verifyScramPassword } from "../../lib/auth/scram_verifier.ts";
import { answer, type ClientOptions } from "./scram_client.ts";

/** RFC 7677, section 3. */
const RFC = {
  clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
  serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
  clientFinal: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
  serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

const PASSWORD = "pencil";
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const BARE = `n=user,r=${NONCE}`;
const verifier = await newScramVerifier(PASSWORD, {
  iterations: 4096,
  salt: decodeBase64("W22ZaJ0SNY7soEsUEjb6gQ=="),
});

/** Names that a message gives, and what they mean; null where they are refused. */
const NAMES: readonly (readonly [sent: string, username: string | null])[] = [
  ["user", "user"],
  ["a=2Cb=3Dc", "a,b=c"],
  ["=3D2C", "=2C"],
  ["=2C", ","],
  ["\u00aa", "a"],
  ["I\u00adX", "IX"],
  ["\u2168", "IX"],
  ["\u00a0", " "],
  ["j\u00fcrgen", "j\u00fcrgen"],
  ["ju\u0308rgen", "j\u00fcrgen"],
  ["\u{1f511}", "\u{1f511}"],
  ["", null],
  ["\u00ad", null],
  ["=", null],
  ["a=", null],
  ["=2c", null],
  ["=3d", null],
  ["=41", null],
  ["==3D", null],
  ["a\u0007", null],
  ["a\u007f", null],
  ["\u0627\u0031", null],
];

/** First messages that are refused, and why. */
const FIRST: readonly (readonly [message: string | Uint8Array, reason: ScramReason])[] = [
  ["", "syntax"],
  ["n", "syntax"],
  ["n,", "syntax"],
  ["n,,", "syntax"],
  ["x,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["N,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["nn,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  [" n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  [BARE, "syntax"],
  ["n,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["n,,r=rOprNGfwEbeRWgbNEkqO,n=user", "syntax"],
  ["n,,n=user", "syntax"],
  ["n,,user,rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,1=x", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,n=admin", "syntax"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,x=\0", "syntax"],
  ["n,,n=us\0er,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["n,,n=user,r=", "syntax"],
  ["n,x,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["p=,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["p=tls unique,,n=user,r=rOprNGfwEbeRWgbNEkqO", "syntax"],
  ["p=tls-unique,,n=user,r=rOprNGfwEbeRWgbNEkqO", "channel-binding"],
  ["p=tls-server-end-point,,n=user,r=rOprNGfwEbeRWgbNEkqO", "channel-binding"],
  ["n,,m=ext,n=user,r=rOprNGfwEbeRWgbNEkqO", "extension"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkqO,m=ext", "extension"],
  ["n,a=,n=user,r=rOprNGfwEbeRWgbNEkqO", "user-name"],
  ["n,a=b=,n=user,r=rOprNGfwEbeRWgbNEkqO", "user-name"],
  ["n,a=admin,n=user,r=rOprNGfwEbeRWgbNEkqO", "authorization"],
  ["n,a=User,n=user,r=rOprNGfwEbeRWgbNEkqO", "authorization"],
  ["n,,n=user,r=short12", "nonce"],
  [`n,,n=user,r=${"x".repeat(257)}`, "nonce"],
  ["n,,n=user,r=rOprNGfw EbeRWgbNEkqO", "nonce"],
  ["n,,n=user,r=rOprNGfw\u007fbeRWgbNEkqO", "nonce"],
  ["n,,n=user,r=rOprNGfwEbeRWgbNEkq\u00f6", "nonce"],
  [`n,,n=${"u".repeat(4096)},r=${NONCE}`, "size"],
  [`n,,n=${"\u20ac".repeat(1400)},r=${NONCE}`, "size"],
  [new Uint8Array(4097), "size"],
  [Uint8Array.of(0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff), "encoding"],
  [Uint8Array.of(0xed, 0xa0, 0x80), "encoding"],
  ["n,,n=\ud800,r=rOprNGfwEbeRWgbNEkqO", "encoding"],
];

/** First messages that are taken, and whom they are about. */
const TAKEN: readonly (readonly [header: string, bare: string])[] = [
  ["n,,", BARE],
  ["y,,", BARE],
  ["n,a=user,", BARE],
  ["y,a=user,", BARE],
  ["n,a=u\u00adser,", BARE],
  ["n,,", `n=user,r=${"x".repeat(8)}`],
  ["n,,", `n=user,r=${"~".repeat(256)}`],
  ["n,,", `n=user,r=!"#$%&'()*+-./:;<=>?@[\\]^_\`{|}~`],
  ["n,,", `${BARE},x=1`],
  ["n,,", `${BARE},X=a=b,z=\u20ac`],
];

function serve(options: Partial<ScramServerOptions> = {}, of: ScramVerifier = verifier, found = true): ScramServer {
  return new ScramServer({ lookup: () => Promise.resolve({ verifier: of, found }), ...options });
}

async function exchange(server: ScramServer, bare = BARE, password = PASSWORD, options: ClientOptions = {}) {
  const serverFirst = await server.first((options.gs2Header ?? "n,,") + bare);
  const client = answer(bare, serverFirst, password, options);
  return { client, outcome: await server.final(client.clientFinal) };
}

async function refuses(work: () => Promise<unknown>, reason: ScramReason): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ScramProtocolError, String(error));
    assert.equal(error.reason, reason);
    return true;
  });
}

Deno.test("ScramServer gives the exchange that RFC 7677 prints, byte for byte, of texts and of bytes", async () => {
  const asked: string[] = [];
  for (const form of [(text: string) => text, encodeUtf8]) {
    const server = serve({
      lookup: (username) => {
        asked.push(username);
        return Promise.resolve({ verifier, found: true });
      },
      nonce: () => "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    });
    assert.equal(await server.first(form(RFC.clientFirst)), RFC.serverFirst);
    const outcome = await server.final(form(RFC.clientFinal));
    assert.deepEqual(outcome, { serverFinal: RFC.serverFinal, username: "user", authenticated: true });
  }
  assert.deepEqual(asked, ["user", "user"]);
});

Deno.test("ScramServer lets in who knows the password, and proves itself", async () => {
  for (const [gs2Header, bare] of TAKEN) {
    const { client, outcome } = await exchange(serve(), bare, PASSWORD, { gs2Header });
    assert.deepEqual(outcome, { serverFinal: client.serverFinal, username: "user", authenticated: true }, bare);
  }
});

Deno.test("ScramServer says the same to a wrong password and about an unknown user", async () => {
  const decoy = await decoyVerifier(new Uint8Array(32), "user", 4096);
  const outcomes = [
    (await exchange(serve(), BARE, "pencils")).outcome,
    (await exchange(serve({}, decoy, false))).outcome,
    // Even a verifier that fits does not let in a user who was not found, one that is disabled say.
    (await exchange(serve({}, verifier, false))).outcome,
  ];
  for (const outcome of outcomes) {
    assert.deepEqual(outcome, { serverFinal: "e=invalid-proof", username: "user", authenticated: false });
  }
});

Deno.test("ScramServer decodes and prepares names, and refuses what is none", async () => {
  for (const [sent, expected] of NAMES) {
    const server = serve({
      lookup: (username) => {
        assert.equal(username, expected);
        return Promise.resolve({ verifier, found: true });
      },
    });
    const bare = `n=${sent},r=${NONCE}`;
    if (expected === null) await refuses(() => server.first(`n,,${bare}`), "user-name");
    else assert.equal((await exchange(server, bare)).outcome.username, expected);
  }
});

Deno.test("ScramServer passes the name in the message over when the protocol has named the user", async () => {
  for (const sent of ["", "*", "user", "other", "a=b", "\u0007"]) {
    const seen: string[] = [];
    const server = serve({
      username: "\u00aa",
      lookup: (username) => {
        seen.push(username);
        return Promise.resolve({ verifier, found: true });
      },
    });
    const { outcome } = await exchange(server, `n=${sent},r=${NONCE}`);
    assert.deepEqual([seen, outcome.username, outcome.authenticated], [["\u00aa"], "\u00aa", true]);
  }
  await refuses(() => serve({ username: "user" }).first(`n,a=other,n=other,r=${NONCE}`), "authorization");
});

Deno.test("ScramServer refuses malformed first messages before it looks anyone up", async () => {
  for (const [message, reason] of FIRST) {
    const server = serve({ lookup: () => assert.fail("looked up") });
    await refuses(() => server.first(message), reason);
    await refuses(() => server.first(RFC.clientFirst), "order");
  }
});

Deno.test("ScramServer refuses last messages that are not of this exchange", async () => {
  type Change = (final: string, parts: string[]) => string | Uint8Array;
  const changes: readonly (readonly [change: Change, reason: ScramReason])[] = [
    [() => "", "syntax"],
    [(final) => final.replace(/,p=.*/, ""), "syntax"],
    [(final) => `${final},x=1`, "syntax"],
    [(final) => `${final},`, "syntax"],
    [(final) => final.replace("c=", "b="), "syntax"],
    [(_, [c, r, p]) => [r, c, p].join(), "syntax"],
    [(_, [c, r, p]) => [c, p, r].join(), "syntax"],
    [(_, [c, r, p]) => [c, r, p, p].join(), "syntax"],
    [(_, [c, r, p]) => [c, r, "r=x", p].join(), "syntax"],
    [(_, [c, r, p]) => [c, r, "x", p].join(), "syntax"],
    [(_, [c, r, p]) => [c, r, "m=x", p].join(), "extension"],
    [(final) => final.replace(/=$/, ""), "syntax"],
    [(final) => final.replace(/p=.*/, "p="), "syntax"],
    [(final) => final.replace(/p=.*/, "p=AAAA"), "syntax"],
    [(final) => final.replace(/p=.*/, `p=${"A".repeat(44)}`), "syntax"],
    [(final) => final.replace(/p=/, "p= "), "syntax"],
    [(final) => final.replace(/p=...../, "p=-_-_-"), "syntax"],
    [(final) => final.replace("biws", "eSws"), "channel-binding"],
    [(final) => final.replace("biws", "biw"), "channel-binding"],
    [(final) => final.replace("biws", "biwsAAAA"), "channel-binding"],
    [(final) => final.replace("biws", "cD10bHMtdW5pcXVlLCw="), "channel-binding"],
    [(final) => final.replace(NONCE, NONCE.slice(1)), "nonce"],
    [(final) => final.replace(/r=[^,]*/, `r=${NONCE}`), "nonce"],
    [(final) => final.replace(/(r=[^,]*)/, "$1A"), "nonce"],
    [(final) => final.replace(/r=/, "r=A"), "nonce"],
    [(final) => final + "A".repeat(4096), "size"],
    [() => new Uint8Array(5000), "size"],
    [() => Uint8Array.of(0x63, 0x3d, 0xff), "encoding"],
  ];
  for (const [change, reason] of changes) {
    const server = serve();
    const { clientFinal } = answer(BARE, await server.first(`n,,${BARE}`), PASSWORD);
    await refuses(() => server.final(change(clientFinal, clientFinal.split(","))), reason);
    // The honest message comes too late: one mistake ends the exchange.
    await refuses(() => server.final(clientFinal), "order");
  }
});

Deno.test("ScramServer refuses a header that was changed on the way", async () => {
  // Who takes the client's "y" out of the first message wants it not to know that the server could bind the channel.
  const server = serve();
  const { clientFinal } = answer(BARE, await server.first(`n,,${BARE}`), PASSWORD, { gs2Header: "y,," });
  await refuses(() => server.final(clientFinal), "channel-binding");
});

Deno.test("ScramServer signs optional extensions of the last message, and passes them over", async () => {
  const { outcome } = await exchange(serve(), BARE, PASSWORD, { extensions: ",x=1,Y=a=b" });
  assert.ok(outcome.authenticated);
  const server = serve();
  const { clientFinal } = answer(BARE, await server.first(`n,,${BARE}`), PASSWORD, { extensions: ",x=1" });
  assert.ok(!(await server.final(clientFinal.replace("x=1", "x=2"))).authenticated);
});

Deno.test("ScramServer serves for one exchange, in order, and answers no message twice", async () => {
  await refuses(() => serve().final(RFC.clientFinal), "order");

  const twice = serve();
  await twice.first(RFC.clientFirst);
  await refuses(() => twice.first(RFC.clientFirst), "order");
  await refuses(() => twice.final(RFC.clientFinal), "order");

  const over = serve();
  const { client } = await exchange(over);
  await refuses(() => over.final(client.clientFinal), "order");
  await refuses(() => over.first(RFC.clientFirst), "order");

  // Two at the same time: one of them is served.
  const racing = serve();
  const results = await Promise.allSettled([racing.first(RFC.clientFirst), racing.first(RFC.clientFirst)]);
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("ScramServer draws a nonce of its own each time, so that an exchange cannot be replayed", async () => {
  const recorded = serve();
  const { client } = await exchange(recorded);
  const replayed = serve();
  await replayed.first(`n,,${BARE}`);
  await refuses(() => replayed.final(client.clientFinal), "nonce");
});

Deno.test("ScramServer passes on what a lookup throws, and is over then", async () => {
  const server = serve({ lookup: () => Promise.reject(new Error("no vault")) });
  await assert.rejects(() => server.first(RFC.clientFirst), /no vault/);
  await refuses(() => server.first(RFC.clientFirst), "order");
});

Deno.test("ScramServer neither crashes nor lets anyone in, whatever comes", async () => {
  const messages = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 100 }),
    fc.array(fc.constantFrom("n", "y", "p=", ",", "n=", "r=", "c=", "a=", "m=", "=", "=2C", NONCE, "biws", "\0"))
      .map((parts) => parts.join("")),
  );
  const settle = async (work: () => Promise<unknown>) => {
    try {
      return await work();
    } catch (error) {
      assert.ok(error instanceof ScramProtocolError, String(error));
      return undefined;
    }
  };
  await fc.assert(
    fc.asyncProperty(messages, messages, async (first, final) => {
      await settle(() => serve().first(first));
      const server = serve();
      await server.first(RFC.clientFirst);
      const outcome = await settle(() => server.final(final)) as { authenticated: boolean } | undefined;
      assert.ok(outcome === undefined || !outcome.authenticated);
    }),
    { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 20_000 : 300 },
  );
});

Deno.test("ScramServer lets nobody in by a message of which one character was changed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), async (place, character) => {
      const server = serve();
      const { clientFinal } = answer(BARE, await server.first(`n,,${BARE}`), PASSWORD);
      const index = place % clientFinal.length;
      const changed = clientFinal.slice(0, index) + character + clientFinal.slice(index + 1);
      fc.pre(changed !== clientFinal);
      const authenticated = await server.final(changed).then((outcome) => outcome.authenticated, () => false);
      assert.ok(!authenticated, changed);
    }),
    { numRuns: Deno.env.get("COFFER_DEEP") === "1" ? 5000 : 150 },
  );
});

Deno.test("decoyVerifier() is the same for a name each time, and looks like a real one", async () => {
  const secret = new Uint8Array(32).fill(7);
  const decoy = await decoyVerifier(secret, "acme/alice", 16_384);
  assert.deepEqual(await decoyVerifier(secret, "acme/alice", 16_384), decoy);
  const real = await newScramVerifier("password");
  assert.deepEqual(
    [decoy.salt.length, decoy.iterations, decoy.storedKey.length, decoy.serverKey.length],
    [real.salt.length, real.iterations, real.storedKey.length, real.serverKey.length],
  );
  assert.ok(!await verifyScramPassword("password", decoy));

  const others = [
    await decoyVerifier(secret, "acme/alicf", 16_384),
    await decoyVerifier(new Uint8Array(32), "acme/alice", 16_384),
  ];
  for (const other of others) {
    for (const part of ["salt", "storedKey", "serverKey"] as const) assert.notDeepEqual(other[part], decoy[part]);
  }
  assert.notDeepEqual(decoy.storedKey, decoy.serverKey);
});
