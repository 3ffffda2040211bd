// check_host() of RFC 7208 §4: one domain's record, the records it includes, the one it redirects to.

import { isIP } from 'node:net';
import { questionName } from '../dns/names.js';
import type { SpfLookUps } from './look-ups.js';
import { expandDomain, type MacroString, type MacroValues, usesValidatedName } from './macro-string.js';
import { isSpfRecord, type Mechanism, type PrefixLengths, parseRecord, type SpfRecord } from './record.js';
import { SpfError, type SpfResult } from './result.js';

/** What is the same for all domains of an evaluation. */
export interface SpfIdentity {
  /** Bytes of the client's address, IPv4 if it is one in any form. */
  readonly client: string;
  readonly lookUps: SpfLookUps;
  /** All macro values but the domain, which changes with include and redirect. */
  readonly values: Omit<MacroValues, 'd'>;
}

export interface SpfEvaluation {
  readonly result: SpfResult;
  /** The mechanism that decided, as its domain wrote it; undefined when none did. */
  readonly mechanism?: string;
}

/** Evaluates the record of `domain`. @throws SpfError temperror or permerror */
export async function checkHost(domain: string, identity: SpfIdentity): Promise<SpfEvaluation> {
  if (!isCheckable(domain)) return { result: 'none' };
  const record = await findRecord(domain, identity.lookUps);
  if (record === undefined) return { result: 'none' };
  for (const { mechanism, result, text } of record.directives) {
    if (await matches(mechanism, domain, identity)) return { result, mechanism: text };
  }
  if (record.redirect === undefined) return { result: 'neutral' };
  identity.lookUps.countTerm();
  const target = await targetName(record.redirect, domain, identity);
  const redirected = await checkHost(target, identity);
  if (redirected.result === 'none')
    throw new SpfError('permerror', `redirect of "${domain}" leads to "${target}", which has no SPF record`);
  return redirected;
}

/** §4.3: a name of at least two labels that can be asked for, and not an address in brackets. */
function isCheckable(domain: string): boolean {
  const name = questionName(domain, 'txt');
  return name?.includes('.') === true && isIP(name) === 0 && !name.startsWith('[');
}

async function findRecord(domain: string, lookUps: SpfLookUps): Promise<SpfRecord | undefined> {
  const texts = (await lookUps.texts(domain)).filter(isSpfRecord);
  if (texts.length > 1) throw new SpfError('permerror', `"${domain}" has ${texts.length} SPF records`);
  return texts[0] === undefined ? undefined : parseRecord(texts[0]);
}

async function matches(mechanism: Mechanism, domain: string, identity: SpfIdentity): Promise<boolean> {
  const { client, lookUps } = identity;
  switch (mechanism.kind) {
    case 'all':
      return true;
    case 'ip4':
    case 'ip6':
      return isInNetwork(client, mechanism.network, mechanism.prefixLength);
    default:
      lookUps.countTerm();
  }
  const target =
    mechanism.domain === undefined ? domain : await targetName(mechanism.domain, domain, identity);
  switch (mechanism.kind) {
    case 'include':
      return includes(target, domain, identity);
    case 'exists':
      // Always A, whatever the client's family (§5.7).
      return (await lookUps.addresses(target, 'a')).length > 0;
    case 'a':
      return isAmong(client, await lookUps.addresses(target), mechanism.prefixes);
    case 'mx':
      return isAmong(client, await lookUps.mailHostAddresses(target), mechanism.prefixes);
    case 'ptr': {
      const below = `.${target.toLowerCase()}`;
      const names = await lookUps.clientNames();
      return names.some((name) => `.${name.toLowerCase()}`.endsWith(below));
    }
  }
}

/** The table of §5.2; errors inside pass through. */
async function includes(target: string, domain: string, identity: SpfIdentity): Promise<boolean> {
  const { result } = await checkHost(target, identity);
  if (result === 'none')
    throw new SpfError('permerror', `"${domain}" includes "${target}", which has no SPF record`);
  return result === 'pass';
}

async function targetName(
  spec: MacroString,
  domain: string,
  { values, lookUps }: SpfIdentity,
): Promise<string> {
  const name = usesValidatedName(spec) ? await lookUps.validatedName(domain) : undefined;
  return expandDomain(spec, { ...values, d: domain }, name);
}

function isAmong(client: string, addresses: readonly string[], { ip4, ip6 }: PrefixLengths): boolean {
  const prefixLength = client.length === 4 ? ip4 : ip6;
  return addresses.some((address) => isInNetwork(client, address, prefixLength));
}

function isInNetwork(client: string, network: string, prefixLength: number): boolean {
  if (client.length !== network.length) return false;
  const whole = prefixLength >> 3;
  if (client.slice(0, whole) !== network.slice(0, whole)) return false;
  const bits = prefixLength & 7;
  return bits === 0 || (client.charCodeAt(whole) ^ network.charCodeAt(whole)) >> (8 - bits) === 0;
}
