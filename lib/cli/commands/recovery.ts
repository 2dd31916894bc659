/**
 * The commands for recovery codes.
 *
 * @module
 */
import { command, none, routes } from "../define.ts";
import { RECOVERY_OUT_FLAGS, SLOT_JSON } from "./shared.ts";

const recoveryNew = command({
  brief: "Make a new recovery code",
  description:
    `Make a new recovery code, shown once; older ones open the vault no more. The vault key stays: \`coffer rotate\`
is for a code that others may have seen.

JSON: ${SLOT_JSON}, removed, and recoveryCode or recoveryFile`,
  examples: [["coffer recovery new"], ["coffer recovery new --recovery-out code.txt"]],
  load: () => import("../recovery_new.ts"),
  flags: RECOVERY_OUT_FLAGS,
  positional: none(),
});

const recoveryVerify = command({
  brief: "See whether a recovery code opens the vault",
  description:
    `Ask for a recovery code, or read it with --recovery-file, and open the vault with it. Nothing of either is
shown. Ends with exit code 4 when it does not open.

JSON: ok`,
  examples: [["coffer recovery verify"], ["coffer recovery verify --recovery-file code.txt"]],
  load: () => import("../recovery_verify.ts"),
  flags: {},
  positional: none(),
});

/** `coffer recovery`. */
export const recovery = routes("Make and verify recovery codes", { new: recoveryNew, verify: recoveryVerify });
