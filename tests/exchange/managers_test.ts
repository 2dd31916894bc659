import assert from "node:assert/strict";
import { decodeUtf8, encodeUtf8 } from "../../lib/bytes.ts";
import { parseBitwarden } from "../../lib/exchange/bitwarden.ts";
import type { EntryList } from "../../lib/exchange/entry.ts";
import { parseBrowser } from "../../lib/exchange/browser.ts";
import { guessFormat } from "../../lib/exchange/formats.ts";
import { itemEntries } from "../../lib/exchange/item.ts";
import { parseKeepassxc } from "../../lib/exchange/keepassxc.ts";
import { parseOnepassword } from "../../lib/exchange/onepassword.ts";
import { parsePass } from "../../lib/exchange/pass.ts";
import { rejectsWith } from "../helpers.ts";

const OTP = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP";

/** Name, value, type and note. */
function rows(list: EntryList): (string | undefined)[][] {
  return list.finish().map(({ name, value, metadata }) => {
    const row = [name, decodeUtf8(value), metadata?.type ?? undefined, metadata?.note ?? undefined];
    while (row.at(-1) === undefined) row.pop();
    return row;
  });
}

const KEEPASSXC = `"Group","Title","Username","Password","URL","Notes","TOTP","Icon","Last Modified","Created"
"Root/Web","Mail","kim","p""w,1","https://mail.example","two
lines","${OTP}","0","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"
"Root","Bare","","pw2","","","","0","",""
"Root/Web","Mail","lee","pw3","","","","0","",""
"Root","Only note","","","","keep this","","0","",""
"Root","","kim","pw4","","","","0","",""
"Root","Empty","","","","","","0","",""
`;

Deno.test("parseKeepassxc puts what an entry has beside its password below its name", () => {
  assert.deepEqual(rows(parseKeepassxc(KEEPASSXC)), [
    ["Web/Mail", 'p"w,1', "password", "two\nlines"],
    ["Web/Mail/username", "kim"],
    ["Web/Mail/url", "https://mail.example", "url"],
    ["Web/Mail/otp", OTP, "otpauth"],
    ["Bare", "pw2", "password"],
    ["Web/Mail-2", "pw3", "password"],
    ["Web/Mail-2/username", "lee"],
    ["Only note", "keep this", "note"],
    ["untitled", "pw4", "password"],
    ["untitled/username", "kim"],
  ]);
});

Deno.test("parseOnepassword reads the columns by their names, old and new", () => {
  const text = `Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes
Mail,https://mail.example,kim,pw1,${OTP},true,false,"web;home",n
`;
  const list = parseOnepassword(text);
  assert.deepEqual(rows(list), [
    ["Mail", "pw1", "password", "n"],
    ["Mail/username", "kim"],
    ["Mail/url", "https://mail.example", "url"],
    ["Mail/otp", OTP, "otpauth"],
  ]);
  for (const { metadata } of list.finish()) assert.deepEqual(metadata?.tags, ["web", "home"]);
  const older = "Title,Website,Username,Password,OTPAuth,Notes\nMail,https://mail.example,,,,\n";
  assert.deepEqual(rows(parseOnepassword(older)), [["Mail/url", "https://mail.example", "url"]]);
});

Deno.test("parseBrowser reads what Chrome and Firefox export, and names what has no name by its host", () => {
  const chrome = `name,url,username,password,note
mail.example,https://mail.example/login,kim,pw1,n
mail.example,https://mail.example/login,lee,pw2,
,android://hash@org.example.app/,,pw3,
`;
  assert.deepEqual(rows(parseBrowser(chrome)), [
    ["mail.example", "pw1", "password", "n"],
    ["mail.example/username", "kim"],
    ["mail.example/url", "https://mail.example/login", "url"],
    ["mail.example-2", "pw2", "password"],
    ["mail.example-2/username", "lee"],
    ["mail.example-2/url", "https://mail.example/login", "url"],
    ["org.example.app", "pw3", "password"],
    ["org.example.app/url", "android://hash@org.example.app/", "url"],
  ]);
  const firefox = `"url","username","password","httpRealm","formActionOrigin","guid","timeCreated"
"https://a.example:8443","kim","pw1",,"https://a.example","{1}","1700000000000"
"no address","","pw2",,,"{2}","1700000000000"
`;
  assert.deepEqual(rows(parseBrowser(firefox)), [
    ["a.example", "pw1", "password"],
    ["a.example/username", "kim"],
    ["a.example/url", "https://a.example:8443", "url"],
    ["untitled", "pw2", "password"],
    ["untitled/url", "no address", "url"],
  ]);
});

const BITWARDEN = {
  encrypted: false,
  folders: [{ id: "f1", name: "Work/Web" }],
  items: [
    {
      type: 1,
      name: "Mail",
      folderId: "f1",
      notes: "n",
      login: {
        username: "kim",
        password: "pw1",
        totp: OTP,
        uris: [{ match: null, uri: "https://a.example" }, { uri: "https://b.example" }],
      },
      fields: [{ name: "PIN", value: "1234", type: 1 }, { name: "on", value: true, type: 2 }, {
        name: "none",
        value: null,
      }],
      passwordHistory: null,
    },
    { type: 2, name: "Note", folderId: null, notes: "text", secureNote: { type: 0 } },
    { type: 3, name: "Card", notes: null, card: { number: "4111", code: "999", brand: null, expMonth: 3 } },
    { type: 5, name: "Key", sshKey: { privateKey: "-----BEGIN", publicKey: "ssh-ed25519 A" } },
    { type: 1, name: "Token", notes: "x".repeat(5000), login: { username: null, password: "pw2", totp: null } },
  ],
};

Deno.test("parseBitwarden reads logins, notes, cards and keys, with folders and fields of one's own", () => {
  assert.deepEqual(rows(parseBitwarden(JSON.stringify(BITWARDEN))), [
    ["Work/Web/Mail", "pw1", "password", "n"],
    ["Work/Web/Mail/username", "kim"],
    ["Work/Web/Mail/url", "https://a.example", "url"],
    ["Work/Web/Mail/url-2", "https://b.example", "url"],
    ["Work/Web/Mail/otp", OTP, "otpauth"],
    ["Work/Web/Mail/PIN", "1234"],
    ["Work/Web/Mail/on", "true"],
    ["Note", "text", "note"],
    ["Card/number", "4111"],
    ["Card/code", "999"],
    ["Card/expMonth", "3"],
    ["Key/privateKey", "-----BEGIN"],
    ["Key/publicKey", "ssh-ed25519 A"],
    ["Token", "pw2", "password"],
    ["Token/notes", "x".repeat(5000), "note"],
  ]);
  const organization = {
    encrypted: false,
    collections: [{ id: "c1", name: "Team" }],
    items: [{ name: "A", collectionIds: ["c1"], login: { password: "p" } }],
  };
  assert.deepEqual(rows(parseBitwarden(JSON.stringify(organization))), [["Team/A", "p", "password"]]);
});

Deno.test("parseBitwarden refuses encrypted exports by an error of its own, and says which item is broken", async () => {
  const encrypted = { encrypted: true, passwordProtected: true, salt: "x", data: "hunter2" };
  const refused = await rejectsWith(() => parseBitwarden(JSON.stringify(encrypted)), "import-encrypted");
  assert.match(refused.message, /Bitwarden export is encrypted/);
  const broken = { ...BITWARDEN, items: [BITWARDEN.items[0], { name: "x", login: { password: { hunter2: 1 } } }] };
  const error = await rejectsWith(() => parseBitwarden(JSON.stringify(broken)), "malformed-import");
  assert.equal(error.message, "Cannot read Bitwarden JSON, item 2: it is not of its form");
  await rejectsWith(() => parseBitwarden('{"encrypted":false,"items":7}'), "malformed-import");
});

Deno.test("parsePass takes the first line for the password, and tells fields, codes and notes apart", () => {
  const pass = (path: string, text: string | Uint8Array<ArrayBuffer>) =>
    rows(itemEntries("pass", [parsePass(path.split("/"), typeof text === "string" ? encodeUtf8(text) : text)]));
  assert.deepEqual(
    pass("web/mail", `pw 1\nlogin: kim\nurl: https://a.example\n${OTP}\nPIN: 12\n\nfree text\nhttp://x\n`),
    [
      ["web/mail", "pw 1", "password", "free text\nhttp://x"],
      ["web/mail/username", "kim"],
      ["web/mail/url", "https://a.example", "url"],
      ["web/mail/otp", OTP, "otpauth"],
      ["web/mail/PIN", "12"],
    ],
  );
  assert.deepEqual(pass("a", "pw"), [["a", "pw", "password"]]);
  assert.deepEqual(pass("a", `pw\r\ntotp: ${OTP}\r\n`), [["a", "pw", "password"], ["a/otp", OTP, "otpauth"]]);
  const key = "-----BEGIN PRIVATE KEY-----\nA: B\n-----END PRIVATE KEY-----\n";
  assert.deepEqual(pass("k", key), [["k", key, "pem"]]);
  const binary = Uint8Array.of(0xff, 0x0a, 0x31);
  const [entry] = itemEntries("pass", [parsePass(["b"], binary)]).finish();
  assert.deepEqual(entry!.value, binary);
});

Deno.test("itemEntries gives every item and every field a name of its own", () => {
  const item = (path: string, fields: readonly string[]) => ({
    path: [path],
    where: "item",
    password: "p",
    username: "u",
    fields: fields.map((name) => ({ name, value: "v" })),
  });
  const names = itemEntries("x", [
    item("a", ["username", "pin", "pin", " "]),
    item("a", []),
    item("a/pin", []),
    item("a-2", []),
  ])
    .finish().map(({ name }) => name);
  assert.deepEqual(names, [
    ...["a", "a/username", "a/username-2", "a/pin", "a/pin-2", "a/field"],
    ...["a-2", "a-2/username"],
    ...["a/pin-3", "a/pin/username"],
    ...["a-2-2", "a-2-2/username"],
  ]);
});

Deno.test("guessFormat tells formats apart where that is certain, and says nothing otherwise", async () => {
  const files: readonly (readonly [string, string, string | undefined])[] = [
    [".env", "A=1", "dotenv"],
    ["x/.env.local", "", "dotenv"],
    ["prod.env", "", "dotenv"],
    ["a.json", '{"a":1}', "json"],
    ["a.json", '{"coffer":"export"}', "json"],
    ["a.JSON", JSON.stringify(BITWARDEN), "bitwarden"],
    ["a.json", '{"encrypted":true}', "bitwarden"],
    ["a.csv", "name,value\n", "csv"],
    ["a.csv", KEEPASSXC, "keepassxc"],
    ["a.csv", "Title,Url,Username,Password,OTPAuth\n", "1password"],
    ["a.csv", "name,url,username,password\n", "browser-csv"],
    ["a.csv", "url,username,password,httpRealm,formActionOrigin,guid\n", "browser-csv"],
    ["a.csv", "url,username,password,totp,extra,name\n", undefined],
    ["a.csv", "user,pass\n", undefined],
    ["notes.txt", "A=1", undefined],
    ["-", "A=1", undefined],
  ];
  for (const [path, text, expected] of files) assert.equal(await guessFormat(path, encodeUtf8(text)), expected, path);
  await rejectsWith(() => guessFormat("a.json", Uint8Array.of(0xff)), "malformed-import");
});
