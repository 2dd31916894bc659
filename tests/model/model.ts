/**
 * What a vault should hold, as plain maps: said anew, and as simply as can be.
 *
 * @module
 */

/** A secret. */
export interface ModelSecret {
  /** Values by version, the newest last; ten at the most. */
  versions: { readonly version: number; readonly value: string }[];
  note: string | undefined;
  tags: readonly string[];
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
  /** The entries of the log: what was done, and to what. */
  log: string[] = ["vault.create"];

  copy(): Model {
    const copy = new Model();
    for (const [name, secret] of this.secrets) copy.secrets.set(name, { ...secret, versions: [...secret.versions] });
    for (const [name, user] of this.users) copy.users.set(name, { ...user, keys: new Map(user.keys) });
    copy.slots = new Set(this.slots);
    copy.nextSlot = this.nextSlot;
    copy.epoch = this.epoch;
    copy.log = [...this.log];
    return copy;
  }

  set(name: string, value: string, note?: string, tags?: readonly string[]): void {
    const secret = this.secrets.get(name) ?? { versions: [], note: undefined, tags: [] };
    const version = (secret.versions.at(-1)?.version ?? 0) + 1;
    secret.versions = [...secret.versions, { version, value }].slice(-10);
    if (note !== undefined) secret.note = note;
    if (tags !== undefined) secret.tags = [...new Set(tags)].sort();
    this.secrets.set(name, secret);
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
      .map(([name, { versions, note, tags }]) => [name, versions, note ?? null, tags]);
    const users = [...this.users].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([name, { role, enabled, keys }]) => [name, role, enabled, [...keys].sort()]);
    return JSON.stringify([secrets, users, [...this.slots].sort((a, b) => a - b), this.epoch, this.log]);
  }
}
