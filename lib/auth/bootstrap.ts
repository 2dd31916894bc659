/**
 * The first admin of a vault, as RedDB's `bootstrap` makes one.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { addCertificate } from "../slots.ts";
import type { RecordReader, RecordWriter } from "../state/records.ts";
import { AlreadyBootstrappedError } from "./errors.ts";
import { type LoginSecrets, withHashes } from "./login_secrets.ts";
import { AUTH } from "./secret.ts";
import { checkNewUser, TransactionUsers } from "./transaction_users.ts";
import { userOfKey } from "./user_id.ts";
import { readUser, USER } from "./user_record.ts";
import type { UserInfo } from "./user_reader.ts";

/** How to bootstrap. */
export interface BootstrapOptions extends LoginSecrets {
  /** Name of the admin, a user of the platform. */
  readonly name: string;
  /**
   * Gets the certificate, 64 hex digits, once, before anything is committed. When it throws, nothing is. The vault is
   * locked meanwhile, so it should not wait for a person.
   */
  readonly onCertificate: (certificate: string) => void | Promise<void>;
  /** Label of the certificate's slot, at most 32 bytes. @default {""} */
  readonly label?: string | undefined;
}

const BOOTSTRAPPED = "bootstrapped";

/** Whether a vault was bootstrapped. */
export function isBootstrapped(records: RecordReader): boolean {
  return records.get(AUTH, BOOTSTRAPPED) !== undefined;
}

/** Notes that a vault was bootstrapped. */
export function markBootstrapped(records: RecordWriter, now: number): void {
  records.put(AUTH, BOOTSTRAPPED, String(now));
}

/** Bootstraps a vault: see `Auth.bootstrap`. */
export async function bootstrap(engine: Engine, options: BootstrapOptions): Promise<UserInfo> {
  const { name, onCertificate, label = "", ...secrets } = options;
  const admin = { name, tenant: null, role: "admin" } as const;
  checkNewUser({ ...admin, ...secrets });
  await engine.refresh();
  // Before the password is hashed; and again below, when nobody else can do it in between.
  assertFirst(engine.committed.state);
  const ready = await withHashes(secrets);
  return await engine.transact(async (work) => {
    assertFirst(work.records);
    const user = new TransactionUsers(work).create({ ...admin, ...ready });
    markBootstrapped(work.records, work.now);
    work.audit({ operation: "vault.bootstrap", name: user.user });
    await addCertificate(engine, work, label, { onSecret: onCertificate });
    return user;
  });
}

function assertFirst(records: RecordReader): void {
  if (isBootstrapped(records)) throw new AlreadyBootstrappedError();
  for (const key of records.keys(USER)) {
    const id = userOfKey(key);
    if (id.tenant === null && readUser(records, id)!.role === "admin") throw new AlreadyBootstrappedError();
  }
}
