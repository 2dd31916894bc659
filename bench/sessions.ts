/**
 * How much slower is checking a session than checking its token with `jose` alone?
 *
 * @module
 */
import assert from "node:assert/strict";
import { jwtVerify } from "jose";
import { Vault } from "../mod.ts";
import { type Bench, interleaved, timed, withFolder } from "./harness.ts";

const CHECKS = 2_000;

/** The bench. */
export const bench: Bench = {
  name: "sessions",
  question: "sessions checked a second, against jose alone",
  run: () =>
    withFolder(async (folder) => {
      await using vault = await Vault.create(`${folder}/bench.coffer`, { keyFile: new Uint8Array(32).fill(7) });
      await vault.transaction((tx) => {
        for (let i = 0; i < 1000; i++) tx.users.create({ tenant: "acme", name: `user-${i}`, role: "write" });
      });
      const token = await vault.auth.createSession("acme/user-500");
      const { key: raw, issuer } = await vault.auth.exportSessionKey();
      const algorithm = { name: "HMAC", hash: "SHA-256" };
      const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["verify"]);
      const options = { algorithms: ["HS256"], audience: "coffer", issuer };
      assert.equal((await jwtVerify(token, key, options)).payload.sub, "acme/user-500");
      assert.equal((await vault.auth.verifySession(token)).user.user, "acme/user-500");
      const { ours, bare } = await interleaved(9, {
        ours: () => timed(() => vault.auth.verifySession(token), CHECKS),
        bare: () => timed(() => jwtVerify(token, key, options), CHECKS),
      });
      return [{
        name: "sessions a second / jose's",
        value: bare / ours,
        atLeast: 0.7,
        detail: `${(1000 / ours).toFixed(0)} / ${(1000 / bare).toFixed(0)} a second`,
      }];
    }),
};
