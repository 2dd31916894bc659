/**
 * A vault on a machine that can stop at any call of its disk, beside the model of what it should hold.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CofferError } from "../../lib/errors.ts";
import { FileMedium } from "../../lib/storage/file.ts";
import { Vault } from "../../lib/vault.ts";
import { gather, patterned } from "../helpers.ts";
import { MemoryAnchor } from "../memory_anchor.ts";
import { FaultyDisk, FaultyMachine, imageAfter } from "../storage/faulty_disk.ts";
import { Model } from "./model.ts";

/** What opens the vault. */
export const KEY = patterned(32, 3);

/** How often what happened. */
export const tally = { operations: 0, crashes: 0, openings: 0, kept: 0, lost: 0 };

/** The vault, its model, and the machine under it. */
export class World {
  model = new Model();
  anchor: MemoryAnchor;
  machine: FaultyMachine;
  #image: Uint8Array;
  #vault: Vault | undefined;
  readonly #random: () => number;

  private constructor(image: Uint8Array, anchor: Uint8Array, random: () => number) {
    this.#image = image;
    this.machine = new FaultyMachine(image);
    this.anchor = new MemoryAnchor(anchor);
    this.#random = random;
  }

  /** A new vault, read from the files of one that was made at a path. */
  static async begin(random: () => number): Promise<World> {
    const { file, anchor } = await first();
    return new World(file, anchor, random);
  }

  /** The vault, open. */
  async vault(): Promise<Vault> {
    return this.#vault ??= await this.#open(this.machine);
  }

  async #open(machine: FaultyMachine): Promise<Vault> {
    tally.openings++;
    const medium = new FileMedium(new FaultyDisk(machine));
    return await Vault.open(medium, { keyFile: KEY, anchor: this.anchor });
  }

  /** A second handle on the same file, as another process has one. */
  async other(): Promise<Vault> {
    return await this.#open(this.machine);
  }

  /** Closes the vault; the next operation opens it again. */
  async close(): Promise<void> {
    await this.#vault?.close();
    this.#vault = undefined;
  }

  /** The machine as it is, for files that are read or replaced from outside. */
  get file(): Uint8Array {
    return this.machine.file.bytes;
  }

  /** Starts anew on other files. */
  async replace(file: Uint8Array, anchor: Uint8Array): Promise<void> {
    await this.close();
    this.#image = new Uint8Array(file);
    this.machine = new FaultyMachine(this.#image);
    this.anchor = new MemoryAnchor(anchor);
  }

  /** Runs an operation while the machine stops somewhere in it, loses power, and starts again. */
  async crashing(run: (world: World) => Promise<void>): Promise<void> {
    const vault = await this.vault();
    await vault.secrets.list();
    const before = this.model.copy();
    const { machine } = this;
    this.#image = machine.file.bytes.slice();
    machine.log.length = 0;
    const call = machine.calls + Math.floor(this.#random() * 5);
    const kind = (["stop-before", "stop-after", "tear"] as const)[Math.floor(this.#random() * 3)]!;
    machine.fault = kind === "tear" ? { kind, call, bytes: Math.floor(this.#random() * 9) * 512 } : { kind, call };
    let acknowledged = false;
    try {
      await run(this);
      acknowledged = true;
    } catch (error) {
      if (!machine.stopped) throw error;
      assert.ok(error instanceof CofferError, String(error));
    }
    const after = this.model;
    // Nothing of the process is left, and of what was not synced only what chance leaves.
    this.#vault = undefined;
    try {
      await vault.close();
    } catch { /* The machine has stopped. */ }
    const survive = machine.log.map(() => this.#random() < 0.5);
    const image = imageAfter(this.#image, machine.log, { keeps: (index) => survive[index]! });
    this.#image = image;
    this.machine = new FaultyMachine(image);
    const found = await this.#settled(before, after);
    tally.crashes++;
    if (found === after) tally.kept++;
    else {
      assert.ok(!acknowledged, "what was acknowledged is lost");
      tally.lost++;
    }
    this.model = found;
  }

  /** Which of the two the vault holds; the one after counts where both are the same. */
  async #settled(before: Model, after: Model): Promise<Model> {
    const text = await this.seen();
    for (const one of [after, before]) if (text === one.toString()) return one;
    assert.fail(`after a crash the vault is neither as before nor as after:\n${text}\n${before}\n${after}`);
  }

  /** What the vault holds, in the form of the model. */
  async seen(vault?: Vault): Promise<string> {
    const open = vault ?? await this.vault();
    const seen = new Model();
    for (const { name, note, tags, type, expiresAt } of await open.secrets.list()) {
      const history = (await open.secrets.history(name)).toReversed();
      const versions = await Promise.all(history.map(async ({ version }) => ({
        version,
        value: await open.secrets.getText(name, { version }),
      })));
      seen.secrets.set(name, { versions, metadata: { note, tags, type, expires: expiresAt?.getTime() } });
    }
    for (const { user, role, enabled } of await open.users.list()) {
      const keys = await open.apiKeys.list({ owner: user });
      seen.users.set(user, { role, enabled, keys: new Map(keys.map(({ id, name }) => [id, { name }])) });
    }
    const policies = await open.policies.list();
    seen.maxAge = policies["max-secret-age"];
    seen.plaintextExport = policies["plaintext-export"];
    const { epoch, slots } = await open.status();
    seen.epoch = epoch;
    seen.slots = new Set(slots.map(({ id }) => id));
    const entries = await gather(open.audit.entries());
    // After some crashes an anchor is behind, or a commit is torn and its policies with it, and after others not.
    seen.log = entries.filter(({ operation }) => operation !== "anchor.move")
      .map(({ operation, name, to }) => operation === "vault.restore" ? [operation] : [operation, name, to])
      .map((entry) => entry.filter((one) => one !== undefined).join(" "));
    return seen.toString();
  }

  /** Fails unless the vault holds what the model says, and all of it is sound. */
  async assertEqual(whole: boolean): Promise<void> {
    const vault = await this.vault();
    assertSame(await this.seen(vault), this.model.toString(), "the vault is not as the model");
    if (!whole) return;
    const { problems, notes } = await vault.check({ deep: true });
    assert.deepEqual([problems, notes], [[], []]);
    await vault.audit.verify();
    await using other = await this.other();
    assertSame(await this.seen(other), this.model.toString(), "opened anew it is another");
  }
}

/** Fails with the place where two long texts part. */
function assertSame(seen: string, wanted: string, what: string): void {
  if (seen === wanted) return;
  let at = 0;
  while (seen[at] === wanted[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 100), at + 200);
  assert.fail(`${what}: at ${at}\n${around(seen)}\nwanted\n${around(wanted)}`);
}

let made: Promise<{ file: Uint8Array; anchor: Uint8Array }> | undefined;

function first(): NonNullable<typeof made> {
  return made ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "coffer-model-" });
    try {
      const path = `${folder}/a`;
      await (await Vault.create(path, { keyFile: KEY })).close();
      return { file: await Deno.readFile(path), anchor: await Deno.readFile(`${path}.anchor`) };
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  })();
}
