// The words our schemas are made of. One schema gives the TypeScript type, the JSON Schema and the documents.

import Type, { type TSchema } from 'typebox';

/** A number of bytes, or text such as `50MiB` (`?(TiB|GiB|MiB|KiB|B)`). */
export const size = (description: string) => Type.Unsafe<number | string>({ unit: 'size', description });

/** A number of seconds, or text such as `1h30m` (`?d?h?m?s`). */
export const duration = (description: string) =>
  Type.Unsafe<number | string>({ unit: 'duration', description });

/** A documented key whose feature does not exist yet: refused with a message that says so, whatever its value. */
export const later = (feature: string) =>
  Type.Optional(Type.Unsafe<never>({ later: feature, description: `Not supported yet: ${feature}.` }));

/** A key that is accepted and has no effect here; `why` tells the operator. */
export const ignored = (why: string) =>
  Type.Optional(Type.Unsafe<unknown>({ description: `Accepted without effect: ${why}.` }));

/** An object that refuses keys it does not know. */
export const strict = <T extends Record<string, TSchema>>(properties: T, description?: string) =>
  Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });

export const text = (description: string) => Type.String({ description });
export const flag = (description: string) => Type.Boolean({ description });
export const count = (description: string, minimum = 0) => Type.Integer({ minimum, description });

/** Permissions as octal digits. */
export const octal = (description: string) =>
  Type.String({ pattern: '^0?[0-7]{3}$', form: 'octal digits in quotes, such as "0660"', description });

/** A name that is said in EHLO. */
export const heloName = (description: string) =>
  Type.String({
    pattern: '^[!-~]{1,255}$',
    form: 'a host name in ASCII, or an address such as [192.0.2.1]',
    description,
  });

/** The version every file carries: 5.0 to 6.8. Checked on its own first, so that the message names it. */
export const version = Type.String({
  description: 'Version of the format, major.minor, as a text: "5.0" to "6.8". Write "6.8".',
});
