// A header field as a whole, `Name: value`, taken apart.

/** What follows the name and its colon; undefined when the text does not begin with a field's name (RFC 5322 §2.2). */
export function valueOfField(field: string): string | undefined {
  const name = /^[\x21-\x39\x3b-\x7e]+[ \t]*:/.exec(field);
  return name === null ? undefined : field.slice(name[0].length);
}
