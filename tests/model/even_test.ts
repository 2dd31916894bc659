import { runSequences } from "./sequences.ts";

Deno.test(
  "Vault holds what a model of it holds, after every even sequence of operations, restarts and crashes",
  () => runSequences(0),
);
