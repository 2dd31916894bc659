/**
 * What does one durable change cost in a vault of 100,000 secrets, against SQLite and against the disk itself?
 *
 * @module
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type Bench, type BenchVault, interleaved, ms, nameOf, newValue, timed, withSecrets } from "./harness.ts";

const COUNT = 100_000;
const ROUNDS = 40;
const PER_ROUND = 100;

/** The bench. */
export const bench: Bench = {
  name: "durable_change",
  question: "one durable upsert among 100,000 secrets, against SQLite and two page writes with a sync",
  run: () => withSecrets(COUNT, compare),
};

async function compare({ vault, path, folder, keyFile }: BenchVault): ReturnType<Bench["run"]> {
  const { Vault } = await import("../mod.ts");
  using database = openDatabase(`${folder}/peer.sqlite`);
  const upsert = database.prepare(
    "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  using file = Deno.openSync(`${folder}/floor`, { read: true, write: true, create: true });
  file.writeSync(new Uint8Array(1024 * 1024));
  file.syncSync();
  const page = new Uint8Array(4096);
  let turn = 0;
  const next = () => nameOf((turn++ * 7919) % COUNT);
  const change = () => vault.secrets.set(next(), newValue());
  const insert = () => upsert.run(next(), newValue());
  const floor = () => {
    crypto.getRandomValues(page);
    for (const offset of [turn++ % 2, 2 + turn % 200]) {
      file.seekSync(offset * page.length, Deno.SeekMode.Start);
      file.writeSync(page);
    }
    file.syncDataSync();
  };

  const probe = newValue();
  await vault.secrets.set(nameOf(5), probe);
  {
    await using other = await Vault.open(path, { keyFile });
    assert.equal(await other.secrets.getText(nameOf(5)), probe);
    assert.equal((await other.status()).secrets, COUNT);
  }
  upsert.run(nameOf(5), probe);
  assert.deepEqual({ ...database.prepare("SELECT value FROM secrets WHERE name = ?").get(nameOf(5)) }, {
    value: probe,
  });

  // A folder in which files came and went just now has a vault look its own path up at every lock; an application's
  // folder stands still.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await vault.secrets.set(nameOf(5), probe);

  const times = await interleaved(ROUNDS, {
    coffer: () => timed(change, PER_ROUND),
    sqlite: () => timed(insert, PER_ROUND),
    floor: () => timed(floor, PER_ROUND),
  });
  assert.deepEqual({ ...database.prepare("SELECT count(*) AS n FROM secrets").get() }, { n: COUNT });
  assert.deepEqual((await vault.check()).problems, []);
  const { coffer, sqlite } = times;
  return [
    { name: "change / SQLite", value: coffer / sqlite, atMost: 1.5, detail: `${ms(coffer)} / ${ms(sqlite)}` },
    { name: "change / floor", value: coffer / times.floor, detail: `${ms(coffer)} / ${ms(times.floor)}` },
  ];
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  // Two calls: in one, the second is not seen to take effect. Both are read back.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  assert.deepEqual({ ...database.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
  assert.deepEqual({ ...database.prepare("PRAGMA synchronous").get() }, { synchronous: 2 });
  database.exec("CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const insert = database.prepare("INSERT INTO secrets (name, value) VALUES (?, ?)");
  database.exec("BEGIN");
  for (let i = 0; i < COUNT; i++) insert.run(nameOf(i), newValue());
  database.exec("COMMIT");
  return database;
}
