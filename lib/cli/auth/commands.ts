/**
 * The commands for users, API keys, logins, sessions and signatures.
 *
 * @module
 */
import { isRole, type Role, ROLES } from "../../auth/role.ts";
import { UsageError } from "../../errors.ts";
import { command, none, proposing, routes } from "../define.ts";
import { choice, count, file, parsed, text, toggle } from "../flags.ts";

const USER = {
  brief: "tenant/name, or the name alone",
  placeholder: "USER",
  proposes: "users",
  parse: String,
} as const;
const DATA = {
  brief: "File with the data; stdin by default",
  placeholder: "FILE",
  proposes: "file",
  parse: String,
  optional: true,
} as const;

const USER_JSON =
  "user, tenant (null for none), name, role, enabled, createdAt, updatedAt, hasPassword, hasScram, hasForeignHash";
const KEY_JSON = "id, owner, name, role, createdAt, and where there is one expiresAt, lastUsedAt";

const ROLE_FLAG = choice("ROLE", ROLES, "read, write or admin");

const LOGIN_FLAGS = {
  newPasswordFile: file("File with the password, which is asked for on a terminal otherwise; - for stdin"),
  passwordHashFile: file("File with an Argon2id hash ($argon2id$v=19$m=…) in the place of a password"),
  scramFile: file("File with a SCRAM verifier as PostgreSQL writes it (SCRAM-SHA-256$…), with a hash or alone"),
} as const;

const CERTIFICATE_OUT = file("Write the certificate to a new file instead of stdout");

/** `coffer bootstrap`. */
export const bootstrap = command({
  brief: "Make the first admin and a certificate",
  description:
    `Make the first admin of the platform (admin, unless another NAME is given) and a certificate that opens the vault,
which is printed once. It works once, and only where there is no admin of the platform.

JSON: user, role, and certificate or certificateFile`,
  examples: [["coffer bootstrap"], ["coffer bootstrap root --new-password-file pass.txt --certificate-out app.cert"]],
  load: () => import("./bootstrap.ts"),
  flags: {
    newPasswordFile: LOGIN_FLAGS.newPasswordFile,
    certificateOut: CERTIFICATE_OUT,
    label: text("TEXT", "Label of the certificate's slot, at most 32 bytes"),
  },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "Name of the admin", placeholder: "NAME", parse: String, optional: true }],
  },
});

const userAdd = command({
  brief: "Add a user",
  description:
    `Add a user, of a tenant (tenant/name) or of the platform itself (the name alone). The password is asked for on a
terminal; a user without one can only be given API keys. A verifier from elsewhere may come with a hash, or alone.

JSON: ${USER_JSON}`,
  examples: [["coffer user add acme/alice --role write"], [
    "coffer user add acme/robot --role read --no-password",
    "for API keys alone",
  ], ["coffer user add acme/bob --role read --scram-file verifier.txt"]],
  load: () => import("./user_add.ts"),
  flags: {
    role: ROLE_FLAG,
    ...LOGIN_FLAGS,
    noPassword: toggle("Give the user no password"),
    disabled: toggle("Do not let the user log in for now"),
  },
  positional: { kind: "tuple", parameters: [USER] },
});

const userLs = command({
  brief: "List users",
  description: `List users, one per line: those of the platform first, then by tenant.

JSON: an array of ${USER_JSON}`,
  examples: [["coffer user ls --long"], ["coffer user ls --tenant acme"]],
  load: () => import("./user_ls.ts"),
  flags: {
    tenant: text("TENANT", "Only users of one tenant"),
    platform: toggle("Only users of the platform itself"),
    long: toggle("Show role, state, ways to log in and dates"),
  },
  positional: none(),
});

const userShow = command({
  brief: "Show a user",
  description: `Show a user, and the user's API keys without what they are.

JSON: ${USER_JSON}, and apiKeys, an array of ${KEY_JSON}`,
  examples: [["coffer user show acme/alice"]],
  load: () => import("./user_show.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [USER] },
});

const userPasswd = command({
  brief: "Change a user's password",
  description: `Give a user another password. The user's sessions end; API keys go on.

JSON: ${USER_JSON}`,
  examples: [["coffer user passwd acme/alice"]],
  load: () => import("./user_passwd.ts"),
  flags: LOGIN_FLAGS,
  positional: { kind: "tuple", parameters: [USER] },
});

const userRole = command({
  brief: "Change a user's role",
  description:
    `Give a user another role. API keys allow no more than their owner may. The last enabled admin of the platform stays
one.

JSON: ${USER_JSON}`,
  examples: [["coffer user role acme/alice admin"]],
  load: () => import("./user_role.ts"),
  flags: {},
  positional: {
    kind: "tuple",
    parameters: [USER, { brief: "read, write or admin", placeholder: "ROLE", ...proposing(ROLES), parse: parseRole }],
  },
});

const userEnable = command({
  brief: "Let a user log in again",
  description: `Let a user log in again.

JSON: ${USER_JSON}`,
  examples: [["coffer user enable acme/alice"]],
  load: () => import("./user_enable.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [USER] },
});

const userDisable = command({
  brief: "Keep a user from logging in",
  description:
    `Keep a user from logging in. The user's API keys and sessions count no longer. The last enabled admin of the platform
stays enabled.

JSON: ${USER_JSON}`,
  examples: [["coffer user disable acme/alice --reason 'on leave'"]],
  load: () => import("./user_disable.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [USER] },
});

const userRm = command({
  brief: "Remove users",
  description:
    `Remove users with their API keys and sessions: all that are named, or none. Asks once on a terminal. The last enabled
admin of the platform stays.

JSON: removed, an array of users`,
  examples: [["coffer user rm acme/alice acme/bob"]],
  load: () => import("./user_rm.ts"),
  flags: { yes: toggle("Do not ask") },
  positional: { kind: "array", parameter: USER, minimum: 1 },
});

const userScram = command({
  brief: "Print a user's SCRAM verifier",
  description:
    `Print the verifier with which another server lets the user log in by SCRAM-SHA-256, as PostgreSQL or RedDB writes it.
Who has it can try passwords, and pass for the server: guard it like a hash.

JSON: user, format, verifier`,
  examples: [["coffer user scram acme/alice --format postgres"]],
  load: () => import("./user_scram.ts"),
  flags: { format: choice("FORMAT", ["postgres", "reddb"] as const, "postgres (the default) or reddb") },
  positional: { kind: "tuple", parameters: [USER] },
});

/** `coffer user`. */
export const user = routes("Users of an application that keeps them in the vault", {
  add: userAdd,
  ls: userLs,
  show: userShow,
  passwd: userPasswd,
  role: userRole,
  enable: userEnable,
  disable: userDisable,
  rm: userRm,
  scram: userScram,
});

const keyAdd = command({
  brief: "Make an API key",
  description:
    `Make an API key for a user, and print it once; the vault keeps a hash of it. Its role is read unless another one is
given, and not above the user's.

JSON: ${KEY_JSON}, and key or out`,
  examples: [["coffer key add acme/alice --name ci --expires 90d"], [
    "coffer key add acme/robot --role read --out ci.key",
  ]],
  load: () => import("./key_add.ts"),
  flags: {
    name: text("TEXT", "What people call it, at most 128 bytes"),
    role: ROLE_FLAG,
    expires: parsed(
      "WHEN",
      "Until when it is in force: 2027-01-31, 2027-01-31T12:00Z, or from now: 90m, 12h, 30d, 2w, 1y",
      parseWhen,
    ),
    out: file("Write the key to a new file instead of stdout"),
  },
  positional: { kind: "tuple", parameters: [USER] },
});

const keyLs = command({
  brief: "List API keys",
  description: `List API keys, all or those of one user, without what they are.

JSON: an array of ${KEY_JSON}`,
  examples: [["coffer key ls acme/alice"]],
  load: () => import("./key_ls.ts"),
  flags: {},
  positional: { kind: "tuple", parameters: [{ ...USER, optional: true }] },
});

const keyRevoke = command({
  brief: "Take an API key out of force",
  description: `Take the API key of an id, as in \`coffer key ls\`, out of force for good. Asks once on a terminal.

JSON: ${KEY_JSON}`,
  examples: [["coffer key revoke 1f0c9a2b3d4e5f60"]],
  load: () => import("./key_revoke.ts"),
  flags: { yes: toggle("Do not ask") },
  positional: {
    kind: "tuple",
    parameters: [{ brief: "16 hex digits", placeholder: "ID", ...proposing("keys"), parse: String }],
  },
});

const keyCheck = command({
  brief: "Say whose an API key is",
  description:
    `Read an API key from stdin, or --file, and say whose it is and what it allows. One that does not count ends with exit
code 4.

JSON: id, user, tenant, name, role`,
  examples: [["coffer key check --file ci.key"], ["coffer key check < ci.key"]],
  load: () => import("./key_check.ts"),
  flags: { file: file("File with the key; - for stdin") },
  positional: none(),
});

/** `coffer key`. */
export const key = routes("API keys of users", { add: keyAdd, ls: keyLs, revoke: keyRevoke, check: keyCheck });

/** `coffer login`. */
export const login = command({
  brief: "Check a user's password",
  description:
    `Check a user's password, which is asked for on a terminal. A wrong one ends with exit code 4, whether or not there is
such a user; after five in a row each further one has to wait (exit code 9). With --session a token is printed.

JSON: ${USER_JSON}, and token`,
  examples: [["coffer login acme/alice"], [
    "coffer login acme/alice --session --lifetime 15m --audience shop --source 203.0.113.7",
  ]],
  load: () => import("./login.ts"),
  flags: {
    passwordFile: file("File with the password; - for stdin"),
    session: toggle("Print a session token"),
    audience: parsed("TEXT", "For whom the token is (coffer)", parseAudience),
    lifetime: parsed("TIME", "How long the token counts: seconds, or 15m, 12h, 30d (1h)", parseLifetime),
    source: text("TEXT", "Where the login comes from, such as an address: failures count under it too"),
  },
  positional: { kind: "tuple", parameters: [USER] },
});

const sessionVerify = command({
  brief: "Say whom a session token is of",
  description:
    `Read a session token from stdin, or --file, and say whom it is of. One that does not count ends with exit code 4.

JSON: user, role, issuedAt, expiresAt`,
  examples: [["coffer session verify --file token.txt --audience shop"]],
  load: () => import("./session_verify.ts"),
  flags: {
    file: file("File with the token; - for stdin"),
    audience: parsed("TEXT", "For whom the token must be (coffer)", parseAudience),
  },
  positional: none(),
});

const sessionRevoke = command({
  brief: "End sessions",
  description: `End every session of a user, or with --all of all users, that was begun up to now.

JSON: user, or all`,
  examples: [["coffer session revoke acme/alice"], ["coffer session revoke --all"]],
  load: () => import("./session_revoke.ts"),
  flags: { all: toggle("End the sessions of all users") },
  positional: { kind: "tuple", parameters: [{ ...USER, optional: true }] },
});

/** `coffer session`. */
export const session = routes("Sessions of users", { verify: sessionVerify, revoke: sessionRevoke });

/** `coffer sign`. */
export const sign = command({
  brief: "Sign data",
  description:
    `Sign a file, or stdin, of at most 256 MiB with the vault's master secret, and print 64 hex digits. Who can check a
signature can make one: it is for whoever has the vault.

JSON: signature, out`,
  examples: [["coffer sign release.tar"], ["tar c dist | coffer sign --out dist.sig"]],
  load: () => import("./sign.ts"),
  flags: { out: file("Write the signature to a new file instead of stdout") },
  positional: { kind: "tuple", parameters: [DATA] },
});

/** `coffer verify`. */
export const verify = command({
  brief: "Check a signature",
  description:
    `Check that a signature is one that this vault made of a file, or of stdin. One that is not ends with exit code 4.

JSON: verified`,
  examples: [["coffer verify release.tar --signature-file release.sig"]],
  load: () => import("./verify.ts"),
  flags: {
    signature: text("HEX", "The signature, 64 hex digits"),
    signatureFile: file("File with the signature; - for stdin"),
  },
  positional: { kind: "tuple", parameters: [DATA] },
});

const certificateRotate = command({
  brief: "Put a new certificate in the place of the old one",
  description:
    `Make a new certificate in the place of an old one, and print it once. The old one opens older copies of the vault only.

JSON: slot, and certificate or certificateFile`,
  examples: [["coffer certificate rotate --certificate-out app.cert"]],
  load: () => import("./certificate_rotate.ts"),
  flags: {
    slot: { ...count("ID", "Which certificate, where there are several"), ...proposing("slots") },
    certificateOut: CERTIFICATE_OUT,
  },
  positional: none(),
});

/** `coffer certificate`. */
export const certificate = routes("Certificates that open the vault", { rotate: certificateRotate });

function parseRole(input: string): Role {
  if (!isRole(input)) throw new UsageError(`ROLE must be one of ${ROLES.join(", ")}`);
  return input;
}

async function parseWhen(input: string): Promise<Date> {
  const { parseExpiry } = await import("../expiry.ts");
  const when = parseExpiry(input);
  if (when.getTime() <= Date.now()) throw new UsageError("The expiry is past");
  return when;
}

async function parseAudience(input: string): Promise<string> {
  const { isAudience, MAX_AUDIENCE_SIZE } = await import("../../auth/audience.ts");
  if (!isAudience(input)) throw new UsageError(`An audience has 1 to ${MAX_AUDIENCE_SIZE} characters`);
  return input;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds. */
function parseLifetime(input: string): number {
  const match = /^([0-9]{1,9})([smhd]?)$/.exec(input);
  const seconds = match === null ? 0 : Number(match[1]) * UNITS[match[2] || "s"]!;
  if (seconds < 1 || seconds > 30 * 86_400) {
    throw new UsageError("TIME must be seconds, or 15m, 12h, 30d: 30 days at most");
  }
  return seconds;
}
