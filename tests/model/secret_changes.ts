/**
 * What can be done to the secrets of a vault within a transaction, each beside what it does to the model.
 *
 * @module
 */
import type { ErrorCode } from "../../lib/error_table.ts";
import type { SecretMetadata } from "../../lib/state/metadata.ts";
import type { Transaction } from "../../lib/vault.ts";
import type { Draw } from "./draw.ts";
import type { Model, ModelMetadata } from "./model.ts";

/** A change to the secrets of a transaction and of a model; the code of the error that it must give. */
export type SecretChange = (model: Model, draw: Draw) => {
  readonly expected?: ErrorCode;
  readonly run: (secrets: Transaction["secrets"]) => void;
  readonly note: () => void;
};

/** Some of what a secret may be told beside its value; the same for the vault and for the model. */
function drawMetadata(draw: Draw): { readonly forVault: SecretMetadata; readonly forModel: ModelMetadata } {
  const note = draw.random() < 0.2 ? `note ${draw.below(100)}` : undefined;
  const tags = draw.random() < 0.2 ? ["b", draw.of(["a", "b", "c"])] : undefined;
  const type = draw.random() < 0.1 ? draw.of(["password", "pem"]) : undefined;
  const expires = draw.random() < 0.1 ? draw.below(4e12) : undefined;
  const shared = {
    ...(note === undefined ? {} : { note }),
    ...(tags === undefined ? {} : { tags }),
    ...(type === undefined ? {} : { type }),
  };
  return {
    forVault: { ...shared, ...(expires === undefined ? {} : { expiresAt: new Date(expires) }) },
    forModel: { ...shared, ...(expires === undefined ? {} : { expires }) },
  };
}

/** Sets a secret: always possible. */
export function set(model: Model, draw: Draw): ReturnType<SecretChange> {
  const [name, value, { forVault, forModel }] = [draw.name(), draw.value(), drawMetadata(draw)];
  return {
    run: (secrets) => void secrets.set(name, value, forVault),
    note: () => {
      model.set(name, value, forModel);
      model.noted("secret.set", name);
    },
  };
}

const remove: SecretChange = (model, draw) => {
  const name = draw.name();
  return {
    ...(model.secrets.has(name) ? {} : { expected: "secret-not-found" }),
    run: (secrets) => secrets.delete(name),
    note: () => {
      model.secrets.delete(name);
      model.noted("secret.delete", name);
    },
  };
};

const rename: SecretChange = (model, draw) => {
  const [from, to, overwrite] = [draw.name(), draw.name(), draw.random() < 0.5];
  const missing = !model.secrets.has(from);
  const taken = from !== to && model.secrets.has(to) && !overwrite;
  return {
    ...(missing ? { expected: "secret-not-found" } : taken ? { expected: "secret-exists" } : {}),
    run: (secrets) => void secrets.rename(from, to, { overwrite }),
    note: () => {
      model.rename(from, to);
      if (from !== to) model.noted("secret.rename", from, to);
    },
  };
};

const describe: SecretChange = (model, draw) => {
  const [name, note] = [draw.name(), draw.random() < 0.5 ? null : `note ${draw.below(100)}`];
  return {
    ...(model.secrets.has(name) ? {} : { expected: "secret-not-found" }),
    run: (secrets) => void secrets.describe(name, { note, tags: null, type: null, expiresAt: null }),
    note: () => {
      model.describe(name, { note: note ?? undefined, tags: [], type: undefined, expires: undefined });
      model.noted("secret.describe", name);
    },
  };
};

const restoreVersion: SecretChange = (model, draw) => {
  const name = draw.name();
  const secret = model.secrets.get(name);
  const version = draw.below((secret?.versions.at(-1)?.version ?? 0) + 2);
  const found = secret?.versions.find((one) => one.version === version);
  return {
    ...(secret === undefined
      ? { expected: "secret-not-found" }
      : found === undefined
      ? { expected: "version-not-found" }
      : {}),
    run: (secrets) => void secrets.restore(name, version),
    note: () => {
      model.set(name, found!.value);
      model.noted("secret.restore", name);
    },
  };
};

/** More values come than go. */
export const SECRET_CHANGES: readonly SecretChange[] = [set, set, set, set, remove, rename, describe, restoreVersion];
