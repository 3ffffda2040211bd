/**
 * How a builtin says that the script made a mistake: the VM turns it into an HSL `Exception` with file, line and
 * column. The message names the function, the argument and what was expected; it never holds a secret.
 */
export class ScriptFault extends Error {}
