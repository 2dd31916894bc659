/**
 * A process of its own that adds one to a counter in a vault, so many times: `increment.ts PATH PASSPHRASE TIMES`.
 *
 * @module
 */
import { Vault } from "../lib/vault.ts";

const [path, passphrase, times] = Deno.args;
await using vault = await Vault.open(path!, { passphrase: passphrase! });
for (let i = 0; i < Number(times); i++) {
  await vault.transaction((tx) => {
    tx.secrets.set("counter", `${Number(tx.secrets.getText("counter")) + 1}`);
  });
}
