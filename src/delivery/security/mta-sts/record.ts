// The TXT record that says a domain has an MTA-STS policy, and which (RFC 8461 3.1).
//
//   v=STSv1; id=20160831085700Z;

import { withoutBlanks } from './policy.js';

const VERSION = /^v=STSv1[ \t]*(?:;|$)/;
const ID = /^id=([A-Za-z0-9]{1,32})$/;
const EXTENSION = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/;

/** The policy's id as the TXT records of `_mta-sts.DOMAIN` have it; undefined when the domain has no policy. */
export function policyId(texts: readonly string[]): string | undefined {
  const records = texts.filter((text) => VERSION.test(text));
  // Several are none: nobody could say which counts.
  return records.length === 1 ? idOf(records[0]!) : undefined;
}

function idOf(record: string): string | undefined {
  const fields = record.split(';').map((field) => withoutBlanks(field));
  if (fields.at(-1) === '') fields.pop();
  const [, ...others] = fields;
  let id: string | undefined;
  for (const field of others) {
    const found = ID.exec(field)?.[1];
    if (found === undefined && !EXTENSION.test(field)) return undefined;
    id ??= found;
  }
  return id;
}
