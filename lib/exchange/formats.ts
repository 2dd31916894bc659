/**
 * The formats of imports: how each is read, and which one a file is of.
 *
 * @module
 */
import { decodeUtf8 } from "../bytes.ts";
import type { EntryList } from "./entry.ts";
import { MalformedImportError } from "./errors.ts";

/** A format whose files are text. */
export type TextFormat = "dotenv" | "json" | "csv" | "keepassxc" | "bitwarden" | "1password" | "browser-csv";

/**
 * Reads a file. The reader of a format is loaded when it is needed.
 *
 * @throws {MalformedImportError} @throws {ImportEncryptedError} @throws {ExchangeLimitError}
 */
export async function parseEntries(format: TextFormat, bytes: Uint8Array): Promise<EntryList> {
  const text = asText(format, bytes);
  switch (format) {
    case "dotenv":
      return (await import("./dotenv.ts")).parseDotenv(text);
    case "json":
      return (await import("./json.ts")).parseJson(text);
    case "csv":
      return (await import("./csv_secrets.ts")).parseCsvSecrets(text);
    case "keepassxc":
      return (await import("./keepassxc.ts")).parseKeepassxc(text);
    case "bitwarden":
      return (await import("./bitwarden.ts")).parseBitwarden(text);
    case "1password":
      return (await import("./onepassword.ts")).parseOnepassword(text);
    case "browser-csv":
      return (await import("./browser.ts")).parseBrowser(text);
  }
}

/**
 * The format of a file, by its name and what stands in it; undefined when that leaves room for doubt.
 *
 * @throws {MalformedImportError} when the name says JSON or CSV and it is none
 */
export async function guessFormat(path: string, bytes: Uint8Array): Promise<TextFormat | undefined> {
  const name = path.replace(/^.*[/\\]/, "").toLowerCase();
  if (/^\.env(\.[^.]+)*$|\.env$/.test(name)) return "dotenv";
  if (name.endsWith(".json")) {
    const [{ isBitwarden }, { parseDocument }] = await Promise.all([import("./bitwarden.ts"), import("./json.ts")]);
    return isBitwarden(parseDocument(asText("json", bytes), "JSON")) ? "bitwarden" : "json";
  }
  if (!name.endsWith(".csv")) return undefined;
  const [
    { isSecretsHeader },
    { parseCsv },
    { hasColumns },
    { KEEPASSXC_COLUMNS },
    { ONEPASSWORD_COLUMNS },
    { isBrowserHeader },
  ] = await Promise.all([
    import("./csv_secrets.ts"),
    import("./csv.ts"),
    import("./manager_csv.ts"),
    import("./keepassxc.ts"),
    import("./onepassword.ts"),
    import("./browser.ts"),
  ]);
  const { header } = parseCsv(asText("csv", bytes), "CSV");
  if (isSecretsHeader(header)) return "csv";
  if (hasColumns(header, KEEPASSXC_COLUMNS)) return "keepassxc";
  if (hasColumns(header, ONEPASSWORD_COLUMNS)) return "1password";
  if (isBrowserHeader(header)) return "browser-csv";
  return undefined;
}

function asText(format: TextFormat, bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new MalformedImportError(format, undefined, "it is not UTF-8 text", {
      hint: "Nothing was imported; save the file as UTF-8",
    });
  }
}
