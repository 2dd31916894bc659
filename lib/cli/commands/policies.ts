/**
 * The commands for policies.
 *
 * @module
 */
import { POLICY_NAMES, type PolicyName } from "../../state/policies.ts";
import { command, none, proposing, routes } from "../define.ts";
import { toggle } from "../flags.ts";

const policyLs = command({
  brief: "List policies",
  description: `List the policies of the vault, also those that were never set.

JSON: audit-reads, plaintext-export, require-reason, max-secret-age`,
  examples: [["coffer policy ls"]],
  load: () => import("../policy_ls.ts"),
  flags: {},
  positional: none(),
});

const policySet = command({
  brief: "Set a policy",
  description: `Set a policy: audit-reads on|off, plaintext-export allow|forbid, require-reason on|off,
max-secret-age none, or days (180, 180d, 26w, 1y). To take a restriction away the credential is read, or asked for, once more; on a terminal,
where none is asked for, there is a question instead.

JSON: name, value`,
  examples: [["coffer policy set require-reason on"], ["coffer policy set max-secret-age 180"]],
  load: () => import("../policy_set.ts"),
  flags: { yes: toggle("Do not ask before a restriction is taken away") },
  positional: {
    kind: "tuple",
    parameters: [
      {
        brief: "Name of the policy",
        placeholder: "NAME",
        ...proposing(POLICY_NAMES),
        parse: (word: string) => word as PolicyName,
      },
      { brief: "What it is set to", placeholder: "VALUE", parse: String },
    ],
  },
});

/** `coffer policy`. */
export const policy = routes("List and set policies", { ls: policyLs, set: policySet });
