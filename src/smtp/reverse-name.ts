// Who a client is by reverse DNS: the name its address leads to, if that name leads back to the address. A name that does
// not is whatever the owner of the address wrote there, and is shown to nobody but the connect script as the raw answer.

import type { ReverseNameFacts } from '#hooks';
import { addressToBytes, answerToValue, type DnsAnswer, type Resolver } from '#stdlib';
import { PendingRun } from '../scripting/smtp-hooks.js';

/** An address may have many names; the first few are asked about, at once. */
const mostNames = 3;
/** For each of the two rounds: a client waits for its greeting meanwhile (RFC 5321 §4.5.3.2 gives us five minutes). */
const timeoutSeconds = 5;

/** Looks a client up. Never rejects; a resolver that fails gives no name. */
export async function lookUpName(
  resolver: Resolver,
  ip: string,
  signal?: AbortSignal,
): Promise<ReverseNameFacts> {
  const reverse = await resolver.query({ name: ip, type: 'ptr', timeoutSeconds }, signal);
  const facts = { confirmed: undefined, reverse: answerToValue(reverse), forward: null };
  if (reverse.kind === 'failure') return facts;
  const names = reverse.records.flatMap((record) => (record.type === 'ptr' ? [record.hostname] : []));
  const type = ip.includes(':') ? 'aaaa' : 'a';
  const answers = await Promise.all(
    names.slice(0, mostNames).map((name) => resolver.query({ name, type, timeoutSeconds }, signal)),
  );
  const found = answers.findIndex((answer) => leadsTo(answer, ip));
  const forward = answers[Math.max(found, 0)];
  return {
    ...facts,
    confirmed: found === -1 ? undefined : names[found]!.toLowerCase(),
    forward: forward === undefined ? null : answerToValue(forward),
  };
}

/** The look-up as something a session waits for. */
export function nameLookUp(resolver: Resolver, ip: string): PendingRun<ReverseNameFacts> {
  const giveUp = new AbortController();
  return new PendingRun(lookUpName(resolver, ip, giveUp.signal), () => giveUp.abort());
}

function leadsTo(answer: DnsAnswer, ip: string): boolean {
  if (answer.kind === 'failure') return false;
  const wanted = addressToBytes(ip);
  return answer.records.some(
    (record) => (record.type === 'a' || record.type === 'aaaa') && addressToBytes(record.address) === wanted,
  );
}
