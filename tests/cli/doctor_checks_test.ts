import assert from "node:assert/strict";
import type { Finding, Subject } from "../../lib/cli/doctor/finding.ts";
import { checkModes } from "../../lib/cli/doctor/modes.ts";
import { checkSlots } from "../../lib/cli/doctor/slots.ts";
import { checkSpace } from "../../lib/cli/doctor/space.ts";
import { checkState } from "../../lib/cli/doctor/state.ts";
import type { VaultSummary } from "../../lib/vault.ts";
import { withFolder } from "../helpers.ts";
import { FakeWindows } from "../storage/icacls_fake.ts";

const SUMMARY: VaultSummary = {
  vaultId: "00",
  generation: 7,
  epoch: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  slots: [],
  seals: 7,
  usage: { total: 65_536, live: 8_192 },
  recovered: false,
  anchored: true,
  backup: false,
};

function subject(summary: Partial<VaultSummary> = {}, other: Partial<Subject> = {}): Subject {
  const system = { os: Deno.build.os };
  return { path: "vault", system, allowInsecurePermissions: false, summary: { ...SUMMARY, ...summary }, ...other };
}

function told(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ severity, id }) => `${severity} ${id}`);
}

const SEALS = [[2 ** 31 - 1, []], [2 ** 31, ["warning many-seals"]], [2 ** 32 - 1, ["problem many-seals"]]] as const;

for (const [seals, wanted] of SEALS) {
  Deno.test(`checkState() counts ${seals} seals`, async () => {
    assert.deepEqual(told(await checkState(subject({ seals }))), wanted);
  });
}

Deno.test("checkState() tells of a torn commit, and of a time that is yet to come", async () => {
  assert.deepEqual(told(await checkState(subject({ recovered: true }))), ["warning recovered"]);
  const inMinutes = (minutes: number) => subject({ updatedAt: new Date(Date.now() + minutes * 60_000) });
  assert.deepEqual(told(await checkState(inMinutes(2))), []);
  assert.deepEqual(told(await checkState(inMinutes(10))), ["warning clock"]);
});

Deno.test("checkSlots() holds each passphrase against today's default, in memory and in passes", async () => {
  const slot = (id: number, memory: number, passes: number) => {
    return { id, kind: "passphrase", label: "", createdAt: new Date(0), kdf: { memory, passes, lanes: 1 } } as const;
  };
  const slots = [slot(1, 262_144, 3), slot(2, 262_143, 64), slot(3, 2_097_152, 2), slot(4, 524_288, 4)];
  const findings = await checkSlots(subject({ slots }));
  assert.deepEqual(told(findings), ["warning weak-slot", "warning weak-slot", "note no-recovery"]);
  assert.match(findings[0]!.hint, /--slot 2 --kdf-memory 256 --kdf-passes 64/);
  assert.match(findings[1]!.hint, /--slot 3 --kdf-memory 2048 --kdf-passes 3/);
});

Deno.test("checkSpace() wants 16 MiB, or twice the vault, and says when it could not look", async () => {
  const mebibyte = 1024 * 1024;
  const large = { usage: { total: 20 * mebibyte, live: 0 } };
  assert.deepEqual(told(await checkSpace(() => 16 * mebibyte)(subject())), []);
  assert.deepEqual(told(await checkSpace(() => 16 * mebibyte - 1)(subject())), ["warning little-space"]);
  assert.deepEqual(told(await checkSpace(() => 40 * mebibyte)(subject(large))), []);
  assert.deepEqual(told(await checkSpace(() => 40 * mebibyte - 1)(subject(large))), ["warning little-space"]);
  const [finding] = await checkSpace(() => "it may not")(subject());
  assert.deepEqual([finding!.id, finding!.severity], ["space-unknown", "note"]);
  assert.match(finding!.what, /it may not/);
});

Deno.test("checkModes() looks at access lists, and its fix sets them", () =>
  withFolder(async (folder) => {
    const path = `${folder}/vault`;
    Deno.writeTextFileSync(path, "");
    const windows = new FakeWindows(path, ["BUILTIN\\Users:(I)(RX)", "PC\\me:(I)(F)"]);
    const look = async (system: Subject["system"]) => {
      const findings = await checkModes(subject({}, { path, system }));
      assert.deepEqual(told(findings.slice(-1)), ["note folder-unknown"]);
      return findings.slice(0, -1);
    };

    const [open] = await look(windows);
    assert.deepEqual(told([open!]), ["problem vault-open"]);
    assert.match(open!.what, /lets in BUILTIN\\Users$/);
    await open!.fix!();
    assert.deepEqual(await look(windows), []);

    windows.entries = [];
    windows.entries.push({ sid: "S-1-5-21-1", text: "PC\\me:(F)" }, { sid: "S-1-5-21-2", text: "PC\\bob:(R)" });
    assert.deepEqual(told(await look(windows)), ["note vault-accounts"]);

    const [unenforced] = await look({ os: "windows" });
    assert.deepEqual(told([unenforced!]), ["warning vault-unenforced"]);
    assert.match(unenforced!.what, /--allow-run=icacls/);
  }));
