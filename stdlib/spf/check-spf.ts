// SPF for one message: whose policy is asked, within which time, and what came of it.

import { addressBytes, withoutMapping } from '../dns/addresses.js';
import type { Question, Resolver } from '../dns/resolver.js';
import { domainToAscii } from '../encodings/idna.js';
import { bytesToAddress } from '../network-values/ip-address.js';
import { checkHost } from './evaluate.js';
import { SpfLookUps } from './look-ups.js';
import { SpfError, type SpfResult } from './result.js';

/** Texts are bytes. */
export interface SpfRequest {
  /** The client's address. */
  readonly ip: string;
  /** What the client called itself. */
  readonly helo: string;
  /** The reverse-path, a domain alone, or '' for the null path: then the HELO identity is checked. */
  readonly sender: string;
}

export interface SpfOptions {
  /** For the whole evaluation; 20, as RFC 7208 §4.6.4 has it at the least. */
  readonly timeoutSeconds?: number;
  /** Whom to ask instead of the resolver's own servers. */
  readonly servers?: Pick<Question, 'servers' | 'port'>;
  readonly signal?: AbortSignal;
}

/** `invalid`: the client's address is none, nothing was checked. */
export interface SpfVerdict {
  readonly result: SpfResult | 'invalid';
  /** Whose policy it is. */
  readonly domain: string;
  /** The mechanism that decided, as written. */
  readonly mechanism?: string;
  /** Why it is an error, for people. */
  readonly problem?: string;
}

const DEFAULT_SECONDS = 20;
/** One question of many. */
const LONGEST_LOOK_UP_SECONDS = 5;

/** Evaluates the policy of the sender's domain. Never rejects. */
export async function checkSpf(
  request: SpfRequest,
  resolver: Resolver,
  options: SpfOptions = {},
): Promise<SpfVerdict> {
  const { local, domain } = senderOf(request);
  const address = addressBytes(request.ip);
  if (address === undefined) return { result: 'invalid', domain };
  const client = withoutMapping(address);
  const seconds = options.timeoutSeconds ?? DEFAULT_SECONDS;
  const patience = startPatience(seconds, options.signal);
  const lookUps = new SpfLookUps(
    (name, type) =>
      resolver.query(
        { name, type, timeoutSeconds: Math.min(seconds, LONGEST_LOOK_UP_SECONDS), ...options.servers },
        patience.signal,
      ),
    client,
  );
  const values = {
    s: `${local}@${domain}`,
    l: local,
    o: domain,
    i: client.length === 4 ? bytesToAddress(client)! : nibbles(client),
    v: client.length === 4 ? 'in-addr' : 'ip6',
    h: request.helo,
  };
  try {
    return { domain, ...(await checkHost(domain, { client, lookUps, values })) };
  } catch (error) {
    if (!(error instanceof SpfError)) throw error;
    return { result: error.result, domain, problem: error.message };
  } finally {
    patience.end();
  }
}

/** §2.4, §4.3: without a local part it is "postmaster", without any address it is the HELO name's. */
function senderOf({ sender, helo }: SpfRequest): { local: string; domain: string } {
  const bare = sender.startsWith('<') && sender.endsWith('>') ? sender.slice(1, -1) : sender;
  const at = bare.lastIndexOf('@');
  const domain = bare === '' ? helo : bare.slice(at + 1);
  // Policies are published and macros expanded in the ASCII form (RFC 8616 §4).
  const ascii = /[\x80-\xff]/.test(domain) ? (domainToAscii(domain) ?? domain) : domain;
  return { local: at > 0 ? bare.slice(0, at) : 'postmaster', domain: ascii.replace(/\.$/, '') };
}

/** A signal that aborts when time is up, or with the caller's. */
function startPatience(
  seconds: number,
  signal: AbortSignal | undefined,
): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const timer = setTimeout(stop, Math.min(seconds * 1000, 2 ** 31 - 1));
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    },
  };
}

/** The 32 hexadecimal digits of an IPv6 address, first to last (§7.3). */
function nibbles(address: string): string {
  return Array.from(address, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('')
    .split('')
    .join('.');
}
