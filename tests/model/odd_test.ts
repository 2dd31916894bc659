import { runSequences } from "./sequences.ts";

Deno.test(
  "Vault holds what a model of it holds, after every odd sequence of operations, restarts and crashes",
  () => runSequences(1),
);
