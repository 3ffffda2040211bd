// Every message of the compiler and the linter, with its number. Numbers are never reused: what a message says may be
// reworded, what it is about may not change. The table stays whole; a new message is a new row in its range, and
// whoever reports it fills the `{placeholders}` (makeDiagnostic checks that none is missing).
//
//   HSL1xxx  reading: lexer (10xx), parser (11xx), what the language does not have (12xx)
//   HSL2xxx  rules of placement and declaration (resolver)
//   HSL3xxx  modules and data
//   HSL9xxx  warnings; every other range is an error

/** The table. Placeholders are `{name}`; a text is a sentence without its full stop. */
export const messages = {
  // --- HSL10xx: characters and tokens ---------------------------------------------------------------------------
  HSL1000: '{what} cannot stand here; outside strings, patterns and comments a script is plain ASCII',
  HSL1001: 'unexpected character {found}',
  HSL1002: 'this string never ends; expected a closing "',
  HSL1003: 'this raw string never ends; expected a closing {closing}',
  HSL1004: "this ' opens no raw string; expected another ' right after it or after a delimiter word",
  HSL1005: 'this comment never ends; expected */',
  HSL1006: 'this pattern never ends; expected a / on the same line',
  HSL1007: 'a pattern literal may not be empty',
  HSL1008: 'unknown pattern flag "{flag}"; the flags are i m s u x U X',
  HSL1009: '"{text}" is not a number: {why}',
  HSL1010: 'ambiguous concatenation: "{text}" may be read in two ways',
  HSL1011: 'the script is too large: {size} bytes, the limit is {limit}',

  // --- HSL11xx: grammar -----------------------------------------------------------------------------------------
  HSL1100: 'unexpected {found}; expected {expected}',
  HSL1101: 'unexpected {found}',
  HSL1102: 'nested too deeply; the limit is {limit} levels of {what}',
  HSL1103: '{what} cannot be assigned to',
  HSL1104: '{what} cannot be a target of a destructuring assignment',
  HSL1105: '{what} cannot be a loop variable of foreach',
  HSL1109: '"{word}" is a keyword and cannot be the name of {what}',
  HSL1110: 'the path after {keyword} must be a string without variables',
  HSL1111: 'a switch must begin with a case or default label; found {found}',
  HSL1112: 'expected {expected} before {found}',
  HSL1113: 'too many errors; reading stopped here',
  HSL1115: '"{modifier}" does not apply to {what}',
  HSL1117: 'cache takes one call of a named function, builtin or static function; found {found}',
  HSL1118: 'a debug point is named by two strings: __debug ["debug", "point"] statement',
  HSL1121: '{what} cannot be imported as {local}',

  // --- HSL12xx: constructs of other languages --------------------------------------------------------------------
  HSL1200: 'HSL has no {what}; {instead}',

  // --- HSL20xx: names -------------------------------------------------------------------------------------------
  HSL2001: 'the variable ${name} is read here but never set in {scope}',
  HSL2002: 'unknown function or class "{name}"',
  HSL2008: '"{name}" is already the name of {what}',
  HSL2018: '$this exists only in constructors and functions of an instance, and in closures that list it',
  HSL2019: '$this cannot be {what}',
  HSL2020: 'static:: only has a meaning inside a class',
  HSL2021: 'the class {owner} has no {what} {member}',
  HSL2022: '{owner}::{member} is not static; it is used on an object, {owner}() makes one',
  HSL2023: '{owner}::{member} is private to the class {owner}',
  HSL2027: 'there is no builtin "{name}"',
  HSL2041: '"{name}" is an imported namespace; expected one of its symbols, as in {name}::symbol',
  HSL2042: 'unknown class or namespace "{name}"',
  HSL2043: 'the module behind "{owner}" has no {what} {member}',

  // --- HSL20xx: placement ---------------------------------------------------------------------------------------
  HSL2003: '{keyword} stands outside a loop{orSwitch}',
  HSL2005: 'yield stands {where}; it only has a meaning in a function',
  HSL2006: 'global stands outside a function; at top level every variable is global already',
  HSL2007: 'an import must stand at the top level of a file, outside functions and conditions',

  // --- HSL20xx: declarations ------------------------------------------------------------------------------------
  HSL2009:
    'the variable ${name} is already used in this function, so it cannot be bound to the global one here',
  HSL2010: 'the parameter ${name} is there twice',
  HSL2011: 'the parameter ${name} has no default but follows one that has',
  HSL2012: 'nothing may follow the parameter ...${name}, which takes all that remains',
  HSL2013: '{what} must be a constant expression; found {found}',
  HSL2014: '{what} cannot be computed: {why}',
  HSL2024: 'the class {owner} already has {what} {name}',
  HSL2025: 'the class {owner} already has a constructor',
  HSL2026: 'the parameter ...${name} cannot have a default',
  HSL2034: 'closure lists ${name}, which is already {what}',

  // --- HSL20xx: assignments and calls ---------------------------------------------------------------------------
  HSL2015: '{callee} needs {expected}; found {found}',
  HSL2017: '${name} is read-only and cannot be {what}',
  HSL2028: '{what} cannot be assigned to',
  HSL2030: 'a destructuring list has either keys on all its targets or on none',
  HSL2031: 'nothing may follow the target ...{target}, which takes all that remains',
  HSL2032: '... only follows positional targets; it cannot stand in a list with keys',
  HSL2035: 'an element written with [] has no value yet and cannot be {what}',
  HSL2036: '{keyword} takes a path that begins at a variable; found {found}',
  HSL2038: 'bad pattern: {why}',
  HSL2039: 'cache takes one call of a named function, builtin or static function; found {found}',
  HSL2046: 'scripts cannot make a {name}; library functions return them',

  // --- HSL3xxx: modules and data --------------------------------------------------------------------------------
  HSL3001: 'cannot find "{path}": {why}',
  HSL3002: '"{path}" is included from itself: {chain}',
  HSL3003: '"{path}" is imported from itself: {chain}',
  HSL3004: 'the module "{module}" has no {what} {name}',
  HSL3005: '"{path}" is a script and has no value; its symbols are imported by name',
  HSL3006: 'unknown loader "{loader}"',
  HSL3007: 'the loader {loader} has no option "{option}"',
  HSL3008: 'the options of an import are an array of constant texts and values; found {found}',
  HSL3009: '"{path}" cannot be loaded as {loader}: {why}',
  HSL3010: 'too many includes: {found}; the limit is {limit}',

  // --- HSL9xxx: warnings ----------------------------------------------------------------------------------------
  HSL9001: 'this always fails: {why}',
  HSL9002: 'this is never reached',
  HSL9003: 'cache has no option "{option}"',
  HSL9004: 'the variable ${name} is set but never read',
  HSL9005: 'an assignment stands where a condition is expected',
  HSL9006: '{what} {name} takes the place of the builtin {name} in the whole script',
  HSL9007: '{place} must be {expected}; found {found}',
  HSL9008: '{callee} has no option "{option}"',
  HSL9009: '{what} "{name}" is an older name of "{replacement}"',
  HSL9010: '"{word}" is a word of other languages; it should not be the name of {what}',
  HSL9011: 'the variable ${name} may not be set when it is read here',
  HSL9012: '{what} is imported but never used',
} as const;

export type MessageCode = keyof typeof messages;

type PlaceholdersIn<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PlaceholdersIn<Rest>
  : never;

/** What a message needs to be filled in: one text or number per placeholder. */
export type MessageParams<C extends MessageCode> = {
  readonly [N in PlaceholdersIn<(typeof messages)[C]>]: string | number;
};
