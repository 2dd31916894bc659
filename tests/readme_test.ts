import assert from "node:assert/strict";
import { ERROR_TABLE } from "../lib/error_table.ts";

const ROOT = new URL("../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", ROOT));
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));

Deno.test("README names only tasks that deno.json has", () => {
  const named = [...readme.matchAll(/\btask ([a-z][a-z-]*)/g)].map((match) => match[1]!);
  assert.ok(named.includes("demo") && named.includes("test"));
  for (const task of named) assert.ok(task in config.tasks, `there is no task "${task}"`);
});

Deno.test("README gives a reason for every dependency, and for nothing else", () => {
  const section = readme.split("## Dependencies")[1]!.split("\n## ")[0]!;
  const listed = [...section.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!);
  const used = Object.values(config.imports as Record<string, string>)
    .filter((target) => target.startsWith("npm:"))
    .map((target) => /^npm:(@?[^@]+)@/.exec(target)![1]!);
  assert.deepEqual(listed.sort(), [...new Set(used)].sort());
});

Deno.test("README lists every exit code", () => {
  const section = readme.split("| exit code |")[1]!.split("\n\n")[0]!;
  const listed = [...section.matchAll(/^\| ([0-9]+) /gm)].map((match) => Number(match[1]));
  const used = Object.values(ERROR_TABLE).map(({ exit }) => exit);
  assert.deepEqual(listed.sort(), [...new Set([0, ...used])].sort());
});

Deno.test("README points at files that are there", async () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!);
  const paths = [...readme.matchAll(/`((?:lib|tests|bench|docs)\/[a-z_/]+(?:\.ts|\/)|mod\.ts|cli\.ts)`/g)];
  for (const path of [...links, ...paths.map((match) => match[1]!)]) await Deno.stat(new URL(path, ROOT));
});

Deno.test("README's way through the source names what is in the files", async () => {
  const section = readme.split("### Reading the source")[1]!.split("\n## ")[0]!;
  const pairs = [...section.matchAll(/`([A-Za-z.]+)`[^`;]*?\bin\s+`(lib\/[a-z_/]+\.ts)`/g)];
  assert.ok(pairs.length >= 10);
  for (const [, symbol, path] of pairs) {
    const source = await Deno.readTextFile(new URL(path!, ROOT));
    const name = symbol!.split(".").at(-1)!;
    assert.match(
      source,
      new RegExp(`(function|async|static|export class)?\\s\\*?${name}(<[^>]+>)?\\(`),
      `${symbol} is not in ${path}`,
    );
  }
});
