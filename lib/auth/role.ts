/**
 * Roles: what a user or an API key may do.
 *
 * @module
 */

/** What a user, or an API key, may do; each role includes the one before it. */
export type Role = "read" | "write" | "admin";

/** All roles, from the least to the most. */
export const ROLES: readonly Role[] = ["read", "write", "admin"];

/** Whether a role allows what another one allows. */
export function includesRole(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

/** The lesser of two roles. */
export function lesserRole(a: Role, b: Role): Role {
  return includesRole(a, b) ? b : a;
}

/** Whether a value is the name of a role. */
export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

/** @throws {TypeError} when a value is no role */
export function checkRole(value: Role): Role {
  if (!isRole(value)) throw new TypeError(`A role is one of ${ROLES.join(", ")}`);
  return value;
}
