// Every message of the compiler and the linter, with its number. Numbers are never reused: what a message says may be
// reworded, what it is about may not change. The table stays whole; a new message is a new row in its range, and
// whoever reports it fills the `{placeholders}` (makeDiagnostic checks that none is missing).
//
//   HSL1xxx  reading: lexer (10xx), parser (11xx), what the language does not have (12xx)
//   HSL2xxx  rules of placement and declaration (resolver)
//   HSL3xxx  modules and data
//   HSL4xxx  bytecode and program size
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
  HSL1102: 'nested too deeply; the limit is {limit} levels of blocks and expressions',
  HSL1103: '{what} cannot be assigned to',
  HSL1104: '{what} cannot be a destructuring target',
  HSL1105: '{what} cannot be a loop variable of foreach',
  HSL1106: 'isset takes a variable, an element or a property; found {found}',
  HSL1107: 'unset takes a variable, an element, a property or a slice; found {found}',
  HSL1108: 'an empty subscript [] only stands left of =',
  HSL1109: '"{word}" is a keyword and cannot name {what}',
  HSL1110: 'the path after {keyword} must be a plain string without variables',
  HSL1111: 'a switch must begin with a case or default label',
  HSL1112: 'a comma is not allowed before {closing}',
  HSL1113: 'too many errors; reading stopped here',
  HSL1114: '"{modifier}" is given twice',
  HSL1115: '"{modifier}" does not apply to {what}',
  HSL1116: 'a class body holds variables, functions and a constructor; found {found}',
  HSL1117: 'cache takes one call of a named function, builtin or static function; found {found}',
  HSL1118: 'the point names of __debug are two plain strings',
  HSL1119: 'a class, function or import cannot stand here; expected a statement',
  HSL1120: '... may only stand before an argument, an array element or the last parameter',
  HSL1121: 'an import names functions and classes, or variables: {found} cannot be renamed to {local}',
  HSL1122: 'match has more than one default arm',
  HSL1123: 'switch has more than one default label',

  // --- HSL12xx: constructs of other languages --------------------------------------------------------------------
  HSL1200: 'HSL has no {what}',
} as const;

export type MessageCode = keyof typeof messages;

type PlaceholdersIn<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PlaceholdersIn<Rest>
  : never;

/** What a message needs to be filled in: one text or number per placeholder. */
export type MessageParams<C extends MessageCode> = {
  readonly [N in PlaceholdersIn<(typeof messages)[C]>]: string | number;
};
