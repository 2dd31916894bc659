/**
 * A program that logs in by the npm package `pg` once for each login of its argument, a JSON array of
 * `{"port", "user", "password"}`, asks who it is, and prints an array of the answers, or of the codes of the errors.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a program speaks to whoever runs it
import pg from "pg";

const logins = JSON.parse(Deno.args[0]!) as readonly { port: number; user: string; password: string }[];
console.log(JSON.stringify(
  await Promise.all(logins.map(async (login) => {
    const client = new pg.Client({ host: "127.0.0.1", database: "postgres", ssl: false, ...login });
    try {
      await client.connect();
      return (await client.query("SELECT current_user")).rows[0].current_user;
    } catch (error) {
      return (error as { readonly code?: string }).code ?? String(error);
    } finally {
      await client.end();
    }
  })),
));
