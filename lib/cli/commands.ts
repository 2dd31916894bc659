/**
 * The commands by name. How each is called is defined in `commands/` and the groups' own folders, and loaded when the
 * arguments name it; what it does is loaded when it runs.
 *
 * @module
 */
import { lazyRoutes } from "./define.ts";

const secrets = () => import("./commands/secrets.ts");
const vault = () => import("./commands/vault.ts");
const slots = () => import("./commands/slots.ts");
const backups = () => import("./commands/backup.ts");
const auth = () => import("./auth/commands.ts");
const run = () => import("./run/commands.ts");
const everyday = () => import("./everyday/commands.ts");
const exchange = () => import("./exchange/commands.ts");

/** All commands, in the order in which help lists them. */
export const COMMANDS = lazyRoutes(
  `Keep secrets in one encrypted file.

A credential comes from a flag, else from COFFER_PASSPHRASE[_FILE], COFFER_KEYFILE, COFFER_RECOVERY_FILE or
COFFER_CERTIFICATE[_FILE], else it is asked for. \`coffer help COMMAND\` says more; --version prints the version.`,
  {
    init: async () => (await vault()).init,
    set: async () => (await secrets()).set,
    get: async () => (await secrets()).get,
    ls: async () => (await secrets()).ls,
    rm: async () => (await secrets()).rm,
    mv: async () => (await secrets()).mv,
    history: async () => (await secrets()).history,
    "restore-version": async () => (await secrets()).restoreVersion,
    meta: async () => (await secrets()).meta,
    run: async () => (await run()).RUN_COMMANDS.run,
    inject: async () => (await run()).RUN_COMMANDS.inject,
    generate: async () => (await everyday()).generate,
    edit: async () => (await everyday()).edit,
    copy: async () => (await everyday()).copy,
    otp: async () => (await everyday()).otp,
    find: async () => (await everyday()).find,
    "audit-passwords": async () => (await everyday()).auditPasswords,
    export: async () => (await exchange()).exportCommand,
    import: async () => (await exchange()).importCommand,
    status: async () => (await vault()).status,
    check: async () => (await vault()).check,
    doctor: async () => (await vault()).doctor,
    repair: async () => (await vault()).repair,
    salvage: async () => (await vault()).salvage,
    passwd: async () => (await slots()).passwd,
    slot: async () => (await slots()).slot,
    rotate: async () => (await slots()).rotate,
    backup: async () => (await backups()).backup,
    restore: async () => (await backups()).restore,
    recovery: async () => (await import("./commands/recovery.ts")).recovery,
    anchor: async () => (await import("./commands/anchor.ts")).anchor,
    audit: async () => (await import("./commands/audit.ts")).audit,
    policy: async () => (await import("./commands/policies.ts")).policy,
    bootstrap: async () => (await auth()).bootstrap,
    user: async () => (await auth()).user,
    key: async () => (await auth()).key,
    login: async () => (await auth()).login,
    session: async () => (await auth()).session,
    sign: async () => (await auth()).sign,
    verify: async () => (await auth()).verify,
    certificate: async () => (await auth()).certificate,
    reddb: async () => (await import("./reddb/commands.ts")).REDDB_COMMANDS,
    completions: async () => (await import("./commands/completions.ts")).completions,
  },
);
