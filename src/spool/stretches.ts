// Columns grow by stretches of rows, each allocated once: one large array would have to be copied as a whole to grow, which takes a
// tenth of a second with a million messages, and nothing else happens meanwhile. Row `n` is in stretch `n >>> STRETCH_BITS`, at
// `n & IN_STRETCH`. A table has a class for its stretch, with one array for each column, so that every access is of one kind.

/** How many bits of a row's number are its place within its stretch. */
export const STRETCH_BITS = 13;

/** Rows of a stretch. */
export const STRETCH_ROWS = 1 << STRETCH_BITS;

/** The bits of a row's number that are its place within its stretch. */
export const IN_STRETCH = STRETCH_ROWS - 1;
