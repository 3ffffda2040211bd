// Every message of the compiler and the linter, with its number. Numbers are never reused.
// HSL1xxx: reading (lexer, parser, names) · HSL2xxx: rules of placement and declaration · HSL3xxx: modules and data · HSL9xxx: warnings.

/** Placeholders are `{name}`. */
export const messages = {
  HSL1001: 'unexpected {found}; expected {expected}',
} as const;

export type MessageCode = keyof typeof messages;
