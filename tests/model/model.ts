/**
 * What a vault should hold, as plain maps: said anew, and as simply as can be.
 *
 * @module
 */

/** What a secret is told beside its value. */
export interface ModelMetadata {
  readonly note?: string | undefined;
  readonly tags?: readonly string[];
  readonly type?: string | undefined;
  /** In milliseconds since 1970. */
  readonly expires?: number | undefined;
}

/** A secret. */
export interface ModelSecret {
  /** Values by version, the newest last; ten at the most. */
  versions: { readonly version: number; readonly value: string }[];
  metadata: ModelMetadata;
}

/** A user. */
export interface ModelUser {
  role: string;
  enabled: boolean;
  /** Ids of the user's API keys. */
  keys: Map<string, { readonly name: string }>;
}

/** Everything. */
export class Model {
  secrets = new Map<string, ModelSecret>();
  users = new Map<string, ModelUser>();
  /** Numbers of the slots. */
  slots = new Set<number>([1]);
  nextSlot = 2;
  epoch = 1;
  /** Days, where values may not be older. */
  maxAge: number | null = null;
  plaintextExport: "allow" | "forbid" = "allow";
  /** The entries of the log: what was done, and to what. */
  log: string[] = ["vault.create"];

  copy(): Model {
    const copy = new Model();
    for (const [name, secret] of this.secrets) copy.secrets.set(name, { ...secret, versions: [...secret.versions] });
    for (const [name, user] of this.users) copy.users.set(name, { ...user, keys: new Map(user.keys) });
    copy.slots = new Set(this.slots);
    copy.nextSlot = this.nextSlot;
    copy.epoch = this.epoch;
    copy.maxAge = this.maxAge;
    copy.plaintextExport = this.plaintextExport;
    copy.log = [...this.log];
    return copy;
  }

  set(name: string, value: string, metadata: ModelMetadata = {}): void {
    const secret = this.secrets.get(name) ?? { versions: [], metadata: { tags: [] } };
    const version = (secret.versions.at(-1)?.version ?? 0) + 1;
    secret.versions = [...secret.versions, { version, value }].slice(-10);
    this.secrets.set(name, secret);
    this.describe(name, metadata);
  }

  describe(name: string, metadata: ModelMetadata): void {
    const secret = this.secrets.get(name)!;
    const tags = [...new Set(metadata.tags ?? secret.metadata.tags)].sort();
    secret.metadata = { ...secret.metadata, ...metadata, tags };
  }

  rename(from: string, to: string): void {
    const secret = this.secrets.get(from)!;
    if (from === to) return;
    this.secrets.delete(from);
    this.secrets.set(to, secret);
  }

  /** What the log says next. */
  noted(...entry: readonly (string | number)[]): void {
    this.log.push(entry.join(" "));
  }

  /** All of it as text: equal models have equal texts. */
  toString(): string {
    const secrets = [...this.secrets].sort(([a], [b]) => a < b ? -1 : 1)
      .map((
        [name, { versions, metadata: { note, tags, type, expires } }],
      ) => [name, versions, note, tags, type, expires]);
    const users = [...this.users].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, { role, enabled, keys }]) => [name, role, enabled, [...keys].sort()]);
    const slots = [...this.slots].sort((a, b) => a - b);
    return JSON.stringify([secrets, users, slots, this.epoch, this.maxAge, this.plaintextExport, this.log]);
  }
}
