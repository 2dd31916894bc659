/**
 * The version of this program, as in `deno.json`.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };

/** Version, as `coffer --version` prints it. */
export const VERSION: string = project.version;
