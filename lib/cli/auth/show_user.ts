/**
 * How users are shown.
 *
 * @module
 */
import type { UserInfo } from "../../auth/user_reader.ts";
import { plain, shownDate } from "../output.ts";
import { table } from "../table.ts";

/** One line: who, and what the user may do. */
export function userLine({ user, role, enabled }: Pick<UserInfo, "user" | "role" | "enabled">): string {
  return `${plain(user)} (${role}${enabled ? "" : ", disabled"})\n`;
}

/** A table of users. */
export function userTable(users: readonly UserInfo[]): string {
  return table([
    ["USER", "ROLE", "STATE", "LOGIN", "CREATED", "UPDATED"],
    ...users.map((user) => [
      user.user,
      user.role,
      user.enabled ? "enabled" : "disabled",
      waysIn(user),
      shownDate(user.createdAt),
      shownDate(user.updatedAt),
    ]),
  ], ["USER", "LOGIN"]);
}

/** What the user can log in with. */
function waysIn({ hasPassword, hasScram, hasForeignHash }: UserInfo): string {
  const ways = [
    ...(hasPassword ? ["password"] : []),
    ...(hasScram ? ["scram"] : []),
    ...(hasForeignHash ? ["foreign hash"] : []),
  ];
  return ways.length > 0 ? ways.join("+") : "-";
}
