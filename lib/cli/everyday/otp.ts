/**
 * `coffer otp NAME`: the one-time code of now.
 *
 * @module
 */
import { parseTotp, totpCode } from "../../passwords/totp.ts";
import { checkName, MAX_NAME_SIZE } from "../../state/names.ts";
import type { Vault } from "../../vault.ts";
import type { GlobalFlags } from "../flags.ts";
import { suggesting } from "../suggesting.ts";
import { openVault, prepareOpening } from "../open.ts";
import { counted, note, writeJson, writeOut } from "../output.ts";

/** What the secrets of one-time codes that imports bring are called, below the name of their item. */
const BELOW = "/otp";

/** Prints a code. */
export default async function otp(flags: GlobalFlags, name: string): Promise<void> {
  checkName(name);
  const opening = prepareOpening(flags);
  await using vault = await openVault(opening);
  const chosen = await choose(vault, name);
  const totp = parseTotp(await suggesting(vault, () => vault.secrets.getText(chosen)));
  const { code, secondsLeft } = await totpCode(totp, Date.now());
  totp.secret.fill(0);
  if (flags.json) return await writeJson({ name: chosen, code, secondsLeft, period: totp.period });
  await writeOut(`${code}\n`);
  note(`${counted(secondsLeft, "second")} left`);
}

/** The item's own secret is its password, unless its type says otherwise. */
async function choose(vault: Vault, name: string): Promise<string> {
  const other = `${name}${BELOW}`;
  if (other.length > MAX_NAME_SIZE || !await vault.secrets.has(other)) return name;
  const isOwn = await vault.secrets.has(name) && (await vault.secrets.info(name)).type === "otpauth";
  return isOwn ? name : other;
}
