/**
 * What is imported: files of other programs, and templates. One entry of the table each.
 *
 * @module
 */
import assert from "node:assert/strict";
import { concat, encodeUtf8, equalBytes } from "../../../lib/bytes.ts";
import { MalformedTemplateError, TemplateTooLargeError } from "../../../lib/exchange/errors.ts";
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
];
