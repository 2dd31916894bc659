/**
 * A process of its own that counts failed tries for a vault, so many times: `count_failures.ts PATH ID TIMES`.
 *
 * @module
 */
import { Attempts } from "../lib/attempts.ts";
import { decodeHex } from "../lib/bytes.ts";
import { WrongCredentialError } from "../lib/errors.ts";
import { AttemptsFile } from "../lib/storage/attempts_file.ts";

const [path, id, times] = Deno.args;
const attempts = new Attempts(new AttemptsFile(path!), decodeHex(id!));
for (let i = 0; i < Number(times); i++) {
  const error = await attempts.failed(new WrongCredentialError());
  if (error.cause !== undefined) throw error.cause;
}
