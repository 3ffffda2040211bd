// Records as scripts see them: a text for each, or an array of its fields (stdlib 10).

import { HslArray, type Value } from '#lang';
import type { DnsAnswer, DnsRecord } from './resolver.js';

/**
 * A record as one text. What has a host name and a rank is the host name alone; what makes no sense by a single field is
 * written as in a zone file.
 */
export function recordText(record: DnsRecord): string {
  switch (record.type) {
    case 'a':
    case 'aaaa':
      return record.address;
    case 'mx':
    case 'cname':
    case 'ns':
    case 'ptr':
      return record.hostname;
    case 'txt':
      return record.text;
    case 'srv':
      return `${record.priority} ${record.weight} ${record.port} ${record.hostname}`;
    case 'soa': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record;
      return `${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'tlsa':
      return `${record.usage} ${record.selector} ${record.matchingType} ${record.data}`;
    case 'caa':
      return `${record.flags} ${record.tag} ${quoted(record.value)}`;
    case 'naptr': {
      const { order, preference, flags, services, regexp, replacement } = record;
      const texts = [flags, services, regexp].map(quoted).join(' ');
      return `${order} ${preference} ${texts} ${replacement === '' ? '.' : replacement}`;
    }
  }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** A record as an array: `ttl`, then the fields of its type. */
export function recordFields(record: DnsRecord): HslArray {
  const { ttlSeconds, type, ...fields } = record;
  const values: Record<string, Value> = { ttl: ttlSeconds, ...fields };
  if (type === 'tlsa') {
    // As the post-delivery hook calls it.
    const { ttl, usage, selector, matchingType, data } = values;
    return HslArray.fromRecord({
      ttl: ttl!,
      usage: usage!,
      selector: selector!,
      mtype: matchingType!,
      data: data!,
    });
  }
  return HslArray.fromRecord(values);
}

/** An answer as `dns_query` gives it; `extended`: each record as an array instead of a text. */
export function answerToValue(answer: DnsAnswer, extended = false): HslArray {
  if (answer.kind === 'failure') return HslArray.fromRecord({ error: answer.error, dnssec: answer.isSecure });
  const { records, isSecure } = answer;
  const result = HslArray.fromList(extended ? records.map(recordFields) : records.map(recordText));
  return HslArray.fromRecord({ result, dnssec: isSecure });
}

/** Roughly what the records take in a script's memory. */
export function recordsSize(records: readonly DnsRecord[]): number {
  let size = 0;
  for (const record of records) size += 64 + (record.type === 'txt' ? record.text.length : 64);
  return size;
}
