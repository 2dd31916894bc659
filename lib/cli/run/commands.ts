/**
 * The commands that hand secrets to other programs: names, flags, arguments and help.
 *
 * @module
 */
import { command, none, proposing } from "../define.ts";
import { file, repeated, text, toggle } from "../flags.ts";

const run = command({
  brief: "Run a command with secrets in its environment",
  description:
    `Run a command that gets secrets in its environment. What is missing is named, all at once, before it starts; the
vault is closed by then. A value is a whole secret (--env, --all-under), or a line of --env-file with references in it,
as for \`coffer inject\`. With --allow-env, a variable that is nothing but a reference is replaced too.

Signals, exit code and a death by signal pass through; 126 and 127 are a command that cannot run, or is not there.
coffer's own credential variables never reach the command. Needs --allow-run=COMMAND.

JSON: only errors; stdout is the command's own`,
  examples: [
    ["coffer run --env DATABASE_URL=app/db/url -- deno task start"],
    ["coffer run --all-under app --prefix APP_ -- node server.js"],
    ["coffer run --env-file .env.template --redact -- ./deploy.sh"],
    ["coffer run --file TLS_KEY=app/tls/key --stdin app/config -- my-server --config -"],
  ],
  load: () => import("../run.ts"),
  flags: {
    env: repeated(text("NAME=SECRET", "A variable with the value of a secret")),
    allUnder: repeated(text("PATH", "A variable for every secret below a path: app/db/url is DB_URL for app")),
    prefix: text("TEXT", "What the names of these begin with"),
    envFile: repeated(file("Variables from a file of NAME=value, references replaced; - for stdin")),
    cleanEnv: toggle("Give no other variable but PATH, HOME and their like"),
    stdin: {
      ...text("SECRET", "Give the value of a secret as stdin; without it the command has that of coffer"),
      ...proposing("secrets"),
    },
    file: repeated(text("NAME=SECRET", "A variable with the path of a private file, gone when the command ends")),
    redact: toggle("Mask the values in what the command prints; it gets pipes then, no terminal"),
  },
  positional: {
    kind: "array",
    parameter: { brief: "The command and its arguments, behind --", placeholder: "COMMAND", parse: String },
    minimum: 1,
  },
});

const inject = command({
  brief: "Put secrets into a text",
  description: `Copy a text with the values of secrets in place of references: coffer://NAME for names of ASCII letters,
digits and _ - . /, or {{ coffer://NAME }} or \${coffer://NAME} for any. A backslash in front keeps a reference as it is.
What is no reference stays as it was, byte for byte. What is missing is named, all at once, and nothing is written.

JSON: references (an array of names), and with --out the file in out, with --check nothing else, otherwise encoding (utf8
or base64) and text`,
  examples: [["coffer inject -i app.conf.template -o app.conf"], [
    "coffer inject --check -i app.conf.template",
    "only whether every secret is there",
  ], ["echo 'password = coffer://db/password' | coffer inject"]],
  load: () => import("../inject.ts"),
  flags: {
    in: { ...file("The text, at most 16 MiB; stdin without it; also -i"), letter: "i" },
    out: { ...file("Write to a new file that only you can read; also -o"), letter: "o" },
    overwrite: toggle("Let --out replace a file"),
    check: toggle("Only look whether every secret is there; exit code 3 when not"),
  },
  positional: none(),
});

/** The commands, by name. */
export const RUN_COMMANDS = { run, inject } as const;
