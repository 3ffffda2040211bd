// Names and extensions as script values; X509 and X509CRL show them in the same way.

import { HslArray, type Value } from '#lang';
import { type Extension, extensionName } from './extensions.js';
import type { NamePart } from './names.js';

/** A distinguished name: a list of pairs. */
export const nameValue = (parts: readonly NamePart[]): HslArray =>
  HslArray.fromList(parts.map((part) => HslArray.fromList([...part])));

/** Extensions: a list of arrays; with `oid` only those that have it. */
export function extensionsValue(extensions: readonly Extension[], oid: string | undefined): HslArray {
  const chosen = extensions.filter((one) => oid === undefined || one.oid === oid);
  return HslArray.fromList(
    chosen.map(({ oid: id, critical, value }) =>
      HslArray.fromEntries([
        ['name', extensionName(id)],
        ['oid', id],
        ['value', value.toString('latin1')],
        ['critical', critical],
      ] satisfies [string, Value][]),
    ),
  );
}

/** The option of `extensions()`. */
export const extensionsOptions = {
  name: 'options',
  type: 'options',
  optional: true,
  keys: { oid: { type: 'string', doc: 'Only those with this object identifier, `2.5.29.17` for example.' } },
} as const;

/** The parameter of everything that gives DER or PEM. */
export const pemParam = {
  name: 'pem',
  type: 'boolean',
  default: false,
  doc: 'PEM text instead of DER bytes.',
} as const;

/** The options of `X509::String` and `X509CRL::String`. */
export const pemOption = { type: 'boolean', default: false, doc: 'The text is PEM, else DER.' } as const;
