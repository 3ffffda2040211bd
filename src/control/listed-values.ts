// What is known of a queued message, by the words of the control socket (control-api 4.1). Conditions, lists and sorting ask here, so
// that what a list shows is what a condition compares. Texts are bytes, as the queue has them.

import { isIPv6 } from 'node:net';
import type { Address } from '#hooks';
import { addressToLowerText, mailboxToText } from '#stdlib';
import { sourcesOf } from '../delivery/sources.js';
import type { SeenInQueue } from '../queue/message-queue.js';

/** An address as a text: empty for the null path. */
export function addressText(address: Address): string {
  return mailboxToText(address);
}

/** The same, for comparing without case. */
export function lowerAddressText(address: Address): string {
  return addressToLowerText(address);
}

/** The name of the next hop, once it is found. */
export function remoteMxOf({ trial }: SeenInQueue): string | undefined {
  return trial?.destination.remoteMx;
}

/** The address of the connection that it goes by; before there is one, the first of the next hop, once that is found. */
export function remoteIpOf({ trial, connection }: SeenInQueue): string | undefined {
  return connection?.remoteIp ?? trial?.destination.addresses[0]?.ip;
}

/** Addresses of ours that the attempt uses, or may use; empty where the system is to choose. */
export function localIpsOf(listed: SeenInQueue): readonly string[] {
  const { trial, source, connection } = listed;
  // A connection has its own address as soon as it stands.
  if (connection !== undefined && connection.localIp !== '') return [connection.localIp];
  if (source !== undefined) {
    // The attempt is being made: it is one of these, by the family of the address.
    const chosen = [source.ipv4?.ip, source.ipv6?.ip].filter((ip) => ip !== undefined);
    if (chosen.length > 0) return chosen;
  }
  if (trial === undefined) return [];
  const sources = sourcesOf(trial.transport, trial.options);
  const remoteIp = remoteIpOf(listed);
  const family = remoteIp !== undefined && isIPv6(remoteIp) ? sources.ipv6 : sources.ipv4;
  return typeof family === 'boolean' ? [] : [...new Set(family.map(({ ip }) => ip))];
}

/** Seconds with no more digits than mean something. */
export function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Seconds until the next try; undefined where no time says it. */
export function retryDelayOf({ message, state }: SeenInQueue, now: number): number | undefined {
  if (state === 'DEFER') return toMilliseconds(Math.max(0, message.nextTry - now));
  return state === 'ACTIVE' ? 0 : undefined;
}

/** What the policies hold a message back by: `concurrency of remotemx`. */
export function suspendedBy({ obstacle }: SeenInQueue): string | undefined {
  if (obstacle === undefined) return undefined;
  const { threshold = 'policy', entry = {} } = obstacle.facts ?? {};
  return `${threshold} of ${Object.keys(entry).join(', ')}`;
}

/** Unix seconds in ISO 8601. */
export function isoTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
