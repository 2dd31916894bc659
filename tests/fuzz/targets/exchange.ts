/**
 * What is imported: files of other programs, and templates. One entry of the table each.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concat, encodeUtf8, equalBytes } from "../../../lib/bytes.ts";
import { formatCsvSecrets } from "../../../lib/exchange/csv_secrets.ts";
import { formatDotenv } from "../../../lib/exchange/dotenv.ts";
import type { ImportEntry } from "../../../lib/exchange/entry.ts";
import {
  ExchangeLimitError,
  ExportUnsuitedError,
  ImportEncryptedError,
  ImportNamesError,
  MalformedImportError,
  MalformedTemplateError,
  TemplateTooLargeError,
} from "../../../lib/exchange/errors.ts";
import type { ExportedSecret } from "../../../lib/exchange/exported.ts";
import { guessFormat, parseEntries, type TextFormat } from "../../../lib/exchange/formats.ts";
import { itemEntries } from "../../../lib/exchange/item.ts";
import { formatJson } from "../../../lib/exchange/json.ts";
import { parsePass } from "../../../lib/exchange/pass.ts";
import { fillTemplate, isReference, namesIn, parseTemplate, type Template } from "../../../lib/exchange/template.ts";
import { parseVariableFile } from "../../../lib/exchange/variable_file.ts";
import { isVariableName } from "../../../lib/exchange/variable_names.ts";
import { checkName } from "../../../lib/state/names.ts";
import { type Target, target } from "../target.ts";

const REFERENCES = [
  "coffer://",
  "{{coffer://a}}",
  "{{ coffer://a/b }}",
  "${coffer://a}",
  "\\coffer://a",
  "}}",
  "{{",
  "${",
];

/** Fills a template with values that are told from all else; what is no reference stays as it was. */
function filled(template: Template): Uint8Array {
  const value = encodeUtf8("<value>");
  for (const name of namesIn(template)) checkName(name);
  return fillTemplate(template, new Map(namesIn(template).map((name) => [name, value])));
}

const IMPORT_ERRORS = [MalformedImportError, ImportNamesError, ImportEncryptedError, ExchangeLimitError];
const TIME = new Date(1_700_000_000_000);

/** How formats that are read are written, too; what cannot be written is refused. */
const WRITERS: Partial<Record<TextFormat, (secrets: readonly ExportedSecret[]) => string>> = {
  dotenv: formatDotenv,
  json: formatJson,
  csv: formatCsvSecrets,
};

function exported({ name, value, metadata: { note, tags, expiresAt, type } = {} }: ImportEntry): ExportedSecret {
  return {
    name,
    value,
    version: 1,
    setAt: TIME,
    createdAt: TIME,
    updatedAt: TIME,
    tags: [...new Set(tags ?? [])].sort(),
    ...(note ? { note } : {}),
    ...(expiresAt ? { expiresAt } : {}),
    ...(type ? { type } : {}),
  };
}

/** The entries of a file, checked; written in the same format they are the same when they are read again. */
async function imported(format: TextFormat, input: Uint8Array): Promise<readonly ImportEntry[]> {
  const entries = (await parseEntries(format, input)).finish();
  for (const { name } of entries) assert.equal(checkName(name), name);
  const write = WRITERS[format];
  if (write === undefined) return entries;
  const secrets = entries.map(exported);
  try {
    const again = (await parseEntries(format, encodeUtf8(write(secrets)))).finish();
    assert.deepEqual(again.map(exported), secrets);
  } catch (error) {
    if (!(error instanceof ExportUnsuitedError)) throw error;
  }
  return entries;
}

const OTP = "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP";
const HISTORY = formatJson([{
  ...exported({ name: "a/b", value: encodeUtf8("v\n"), metadata: { note: "n", tags: ["t"], type: "pem" } }),
  version: 3,
  history: [{ version: 2, setAt: TIME, value: Uint8Array.of(255) }],
}]);

/** Sound files, and words of each format. */
const IMPORTS: Readonly<Record<TextFormat, readonly [seeds: readonly string[], words: readonly string[]]>> = {
  dotenv: [
    ["A=1\nexport B='two words' # c\n\nC=\"x\\ny\"\nD=`z`\r\n# end", "\ufeffA=a#b\nB=\n"],
    ["export ", "=", "'", '"', "`", "#", "\\n", "\\", "A=1"],
  ],
  json: [
    [HISTORY, '{"a":"1","b":{"c":2,"d":true}}', "{}"],
    ["coffer", "export", "secrets", "encoding", "utf8", "base64", "history", "version", "setAt", "1e400"],
  ],
  csv: [
    [
      'name,value,note,tags,expires,type\na,"v ""q""",n,"x,y",2030-01-01T00:00:00.000Z,pem\nb,"two\nlines",,,,\n',
      "name,value\na,1",
    ],
    ["name", "value", "note", "tags", "expires", "type", '"', '""', ",", ";", "\n"],
  ],
  keepassxc: [
    [`"Group","Title","Username","Password","URL","Notes","TOTP"\n"Root/Web","Mail","kim","p""w","https://a","x","${OTP}"\n`],
    ["Root/", '"', ",", "Title", "Group", "\n"],
  ],
  bitwarden: [
    [JSON.stringify({
      encrypted: false,
      folders: [{ id: "f", name: "Web" }],
      items: [{
        name: "Mail",
        folderId: "f",
        notes: "n",
        fields: [{ name: "pin", value: "1" }],
        login: { username: "kim", password: "p", totp: OTP, uris: [{ uri: "https://a" }] },
        card: { number: "4" },
        identity: {},
        sshKey: null,
      }],
    })],
    ["items", "folders", "encrypted", "login", "name", "fields", "uris", "card"],
  ],
  "1password": [
    [`Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nMail,https://a,kim,p,${OTP},true,false,"web;home",n\n`],
    ["Title", "Password", "OTPAuth", '"', ",", ";", "\n"],
  ],
  "browser-csv": [
    ['name,url,username,password,note\nMail,https://a/b,kim,p,n\n,android://h@a.b/,,"p""w",\n'],
    ["url", "password", "://", '"', ",", "\n"],
  ],
};

/** Targets of `lib/exchange`. */
export const EXCHANGE_TARGETS: readonly Target[] = [
  target({
    name: "template",
    seeds: ["url=coffer://db/url\n", "a {{ coffer://a b/é }} ${coffer://c}\\\\coffer://d \\{{coffer://e}}", "plain"]
      .map(encodeUtf8),
    decode: (input) => {
      const template = parseTemplate(input);
      const literal = template.filter((part) => !isReference(part)) as Uint8Array[];
      if (!new TextDecoder("latin1").decode(input).includes("coffer://")) {
        assert.ok(equalBytes(concat(...literal), input), "what refers to nothing stays as it is");
      }
      assert.ok(filled(template).length <= 8 * input.length);
      return template.length;
    },
    words: REFERENCES,
    allowed: [MalformedTemplateError, TemplateTooLargeError],
    most: 20_000,
  }),
  target({
    name: "variable-file",
    seeds: [
      "# a comment\nA=1\nexport B = 'two words'\nC=\"x\\ny\" # more\nD=`z`\n",
      "\ufeffURL=coffer://db/url\r\nE=a#b\rF={{coffer://a}}-{{coffer://b}}\n",
    ].map(encodeUtf8),
    decode: (input) => {
      const variables = parseVariableFile(input);
      for (const [name, template] of variables) {
        assert.ok(isVariableName(name));
        assert.ok(!filled(template).includes(0), "no variable holds a NUL");
      }
      return variables.size;
    },
    words: [...REFERENCES, "A=", "export ", "'", '"', "`", "#", "\\n", "\\", "\r", "\n"],
    allowed: [MalformedTemplateError, TemplateTooLargeError],
    most: 20_000,
  }),
  ...Object.entries(IMPORTS).map(([format, [seeds, words]]) =>
    target({
      name: `import-${format}`,
      seeds: seeds.map(encodeUtf8),
      decode: (input) => imported(format as TextFormat, input),
      words,
      allowed: IMPORT_ERRORS,
      most: 20_000,
    })
  ),
  target({
    name: "import-guess",
    seeds: Object.values(IMPORTS).flatMap(([seeds]) => seeds).map(encodeUtf8),
    decode: async (input) => {
      const found: (TextFormat | undefined)[] = [];
      for (const path of [".env", "a.json", "a.csv", "a"]) {
        try {
          found.push(await guessFormat(path, input));
        } catch (error) {
          if (!(error instanceof MalformedImportError)) throw error;
        }
      }
      return found;
    },
    words: Object.values(IMPORTS).flatMap(([, words]) => words),
    allowed: [],
    most: 20_000,
    cost: 2,
  }),
  target({
    name: "import-pass",
    seeds: [`pw\nlogin: kim\nurl: https://a\n${OTP}\npin: 1\nnote\n`, "-----BEGIN KEY-----\n"].map(encodeUtf8),
    decode: (input) => itemEntries("pass", [parsePass(["web", "mail"], input)]).finish(),
    words: ["login: ", "url: ", "user: ", "otpauth://", ": ", "\n"],
    allowed: IMPORT_ERRORS,
    most: 20_000,
  }),
];
