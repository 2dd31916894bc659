import assert from "node:assert/strict";
import { grantOwnerOnly, IcaclsFailure, parseAccessList, type Runner, whoMayAccess } from "../../lib/storage/icacls.ts";
import { FakeWindows } from "./icacls_fake.ts";

const PATH = "C:\\Users\\me\\my vault (1)\\app.coffer";
const INDENT = " ".repeat(PATH.length + 1);
const END = "\r\n\r\nSuccessfully processed 1 files; Failed processing 0 files\r\n";

/** What the program prints behind the path, and what it means. */
const OUTPUTS: readonly (readonly [what: string, output: string, accounts: readonly string[], missing: boolean])[] = [
  ["one entry", `${PATH} PC\\me:(F)${END}`, ["PC\\me"], false],
  [
    "several lines, inherited",
    `${PATH} NT AUTHORITY\\SYSTEM:(I)(F)\r\n${INDENT}BUILTIN\\Administrators:(I)(F)\r\n${INDENT}PC\\me:(I)(F)${END}`,
    ["NT AUTHORITY\\SYSTEM", "BUILTIN\\Administrators", "PC\\me"],
    false,
  ],
  [
    "entries for what a folder holds",
    `${PATH} Everyone:(OI)(CI)(RX)\r\n${INDENT}CREATOR OWNER:(OI)(CI)(IO)(F)\r\n${INDENT}PC\\me:(I)(OI)(CI)(M)${END}`,
    ["Everyone", "PC\\me"],
    false,
  ],
  [
    "single rights",
    `${PATH} PC\\bob:(DENY)(W)\r\n${INDENT}PC\\bob:(R,W)\r\n${INDENT}A\\b:(N)${END}`,
    ["PC\\bob"],
    false,
  ],
  [
    "another language",
    `${PATH} VORDEFINIERT\\Benutzer:(I)(RX)\r\n${INDENT}NT-AUTORIT\ufffdT\\SYSTEM:(I)(F)\r\n\r\n` +
    "1 Dateien erfolgreich verarbeitet, bei 0 Dateien ist ein Verarbeitungsfehler aufgetreten.\r\n",
    ["VORDEFINIERT\\Benutzer", "NT-AUTORIT\ufffdT\\SYSTEM"],
    false,
  ],
  ["numbers of accounts that are gone", `${PATH} S-1-5-21-1-2-3-1001:(F)${END}`, ["S-1-5-21-1-2-3-1001"], false],
  ["an empty list", `${PATH}${END}`, [], false],
  ["an empty list without an empty line", `${PATH} ${END.replace("\r\n", "")}`, [], false],
  ["no list", `${PATH}  No permissions are set. All users have full control.${END.replace("\r\n", "")}`, [], true],
  ["a path in other letters", `${PATH.toUpperCase()} PC\\me:(F)${END}`, ["PC\\me"], false],
  ["a label of integrity", `${PATH} PC\\me:(F)\r\n${INDENT}Mandatory Label\\Low:(NW)${END}`, ["PC\\me"], false],
  ["what it does not understand", `${PATH} PC\\me:(F)\r\n${INDENT}PC\\bob [R]${END}`, ["PC\\me", "PC\\bob [R]"], false],
];

for (const [what, output, accounts, missing] of OUTPUTS) {
  Deno.test(`parseAccessList() reads ${what}`, () => {
    const list = parseAccessList(output, PATH);
    assert.deepEqual(list.entries.map(({ account }) => account), accounts);
    assert.equal(list.missing, missing);
  });
}

Deno.test("parseAccessList() tells what is inherited", () => {
  const { entries } = parseAccessList(`${PATH} A\\b:(I)(F)\r\n${INDENT}A\\c:(R)${END}`, PATH);
  assert.deepEqual(entries.map(({ inherited }) => inherited), [true, false]);
});

Deno.test("whoMayAccess() knows groups by name in English without asking for their numbers", async () => {
  const windows = new FakeWindows(PATH, ["NT AUTHORITY\\SYSTEM:(I)(F)", "Everyone:(R)", "BUILTIN\\Users:(I)(RX)"]);
  const who = await whoMayAccess(PATH, windows.run);
  assert.deepEqual(who, { everybody: ["Everyone", "BUILTIN\\Users"], accounts: [] });
  assert.deepEqual(windows.calls, ["list"]);
});

for (const sid of ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546", "S-1-5-4", "S-1-5-2", "S-1-5-7"]) {
  Deno.test(`whoMayAccess() finds ${sid} whatever its name, and as a number`, async () => {
    const named = new FakeWindows(PATH, ["PC\\me:(F)", { sid, text: "AUTORIT\ufffd\\X:(R)" }]);
    const [group, ...rest] = (await whoMayAccess(PATH, named.run)).everybody;
    assert.deepEqual([typeof group, rest], ["string", []]);
    const numbered = new FakeWindows(PATH, [`${sid}:(R)`]);
    assert.deepEqual((await whoMayAccess(PATH, numbered.run)).everybody, [group]);
  });
}

Deno.test("whoMayAccess() lets the owner and those above any list be, and names single accounts", async () => {
  const windows = new FakeWindows(PATH, ["nt authority\\system:(I)(F)", "PC\\me:(I)(F)", "PC\\bob:(R)"]);
  assert.deepEqual(await whoMayAccess(PATH, windows.run), { everybody: [], accounts: ["PC\\me", "PC\\bob"] });
  const own = new FakeWindows(PATH, [{ sid: "S-1-3-4", text: "EIGENT\ufffdMERRECHTE:(F)" }]);
  assert.deepEqual(await whoMayAccess(PATH, own.run), { everybody: [], accounts: [] });
  assert.equal(own.calls.length, 2);
});

Deno.test("whoMayAccess() knows the answer to a question for a group by the name of the file, however written", async () => {
  const windows = new FakeWindows(PATH, ["PC\\me:(F)", { sid: "S-1-1-0", text: "Jeder:(R)" }]);
  const run: Runner = async (command, args) => {
    const { code, stdout, stderr } = await windows.run(command, args);
    return { code, stdout: stdout.replace("app.coffer", "APP.coffer"), stderr };
  };
  assert.deepEqual((await whoMayAccess(PATH, run)).everybody, ["Everyone"]);
});

Deno.test("whoMayAccess() takes a file without a list for one that everyone may use", async () => {
  const run = () => Promise.resolve({ code: 0, stdout: `${PATH} Alles ist erlaubt.${END}`, stderr: "" });
  assert.deepEqual(await whoMayAccess(PATH, run), { everybody: ["Everyone"], accounts: [] });
});

Deno.test("grantOwnerOnly() cuts off what is inherited, grants the owner, takes off the others", async () => {
  const windows = new FakeWindows(PATH, [
    "BUILTIN\\Users:(I)(RX)",
    "PC\\bob:(R)",
    "S-1-5-21-9-9-9-1001:(R)",
    { sid: "S-1-1-0", text: "Jeder:(F)" },
    { sid: "S-1-5-11", text: "Authentifizierte\ufffd:(M)" },
  ]);
  await grantOwnerOnly(PATH, windows.run);
  assert.equal(windows.calls[0], "/inheritance:r /grant:r *S-1-3-4:F");
  assert.deepEqual(windows.entries.map(({ sid }) => sid), ["S-1-3-4"]);
});

Deno.test("grantOwnerOnly() needs two calls for a file that was made just now", async () => {
  const windows = new FakeWindows(PATH, ["BUILTIN\\Users:(I)(RX)", "PC\\me:(I)(F)"]);
  await grantOwnerOnly(PATH, windows.run);
  assert.equal(windows.calls.length, 2);
});

Deno.test("grantOwnerOnly() fails when the program does", async () => {
  const run = () => Promise.resolve({ code: 5, stdout: "", stderr: "Access is denied." });
  await assert.rejects(grantOwnerOnly(PATH, run), (error) => error instanceof IcaclsFailure && error.exitCode === 5);
});
