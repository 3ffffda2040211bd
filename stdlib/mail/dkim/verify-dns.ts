// What was learnt about a signature's key, from DNS or from the script's own function.

import { HslArray, ScriptFault, type Value } from '#lang';
import type { DnsAnswer } from '../../dns/resolver.js';

/** The texts of the key record, or that there is none for good (`permerror`) or for now (`temperror`). */
export type KeyAnswer =
  | { readonly kind: 'texts'; readonly texts: readonly string[] }
  | { readonly kind: 'permerror' | 'temperror'; readonly error: string };

/** More records of one name are not looked at; there should be one (RFC 6376 §3.6.2.2). */
const MOST_RECORDS = 8;

export function keyAnswerOfDns(answer: DnsAnswer): KeyAnswer {
  if (answer.kind === 'records') {
    const texts = answer.records.flatMap((record) => (record.type === 'txt' ? [record.text] : []));
    return { kind: 'texts', texts: texts.slice(0, MOST_RECORDS) };
  }
  switch (answer.error) {
    case 'NXDOMAIN':
    case 'NODATA':
      return { kind: 'permerror', error: 'there is no key record' };
    case 'BADNAME':
      return { kind: 'permerror', error: 'the name of the key record is no domain name' };
    default:
      return { kind: 'temperror', error: `the key record could not be looked up (${answer.error})` };
  }
}

/** @throws ScriptFault when the function did not keep to its contract */
export function keyAnswerOfFunction(value: Value): KeyAnswer {
  const fault = (found: string) =>
    new ScriptFault(
      `dns_function of verifyDKIM returned ${found}; expected an array with "result" (text of the TXT record) or "error" ("permerror" or "temperror")`,
    );
  if (!(value instanceof HslArray)) throw fault('no array');
  const result = value.get('result');
  if (typeof result === 'string') return { kind: 'texts', texts: [result] };
  const error = value.get('error');
  if (error === 'permerror') return { kind: 'permerror', error: 'there is no key record' };
  if (error === 'temperror') return { kind: 'temperror', error: 'the key record could not be looked up' };
  throw fault('an array without them');
}
