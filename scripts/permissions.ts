/**
 * What the command may do where it is installed for a person, or made one program: all that any of its commands needs.
 * Who wants less installs it with less; the README says what each command needs.
 *
 * @module
 */
export const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  // coffer run, edit, and gpg for imports.
  "--allow-run",
  "--allow-env",
  // How much room is left on the disk.
  "--allow-sys=statfs",
];
