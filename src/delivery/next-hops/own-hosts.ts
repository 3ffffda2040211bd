// Who "we" are, for the rule that mail must not go in circles (RFC 5321 5.1): a host that is ourselves, and whatever is no better
// than it, is no next hop. This is the only place that knows.
//
// We are whatever bears our host name, and every address and port that we listen on. The port counts: another mail server on the
// same machine is somebody else. A listener on all addresses has those of the machine and of its loopback network.

import { networkInterfaces } from 'node:os';
import { addressToBytes } from '#stdlib';

/** Recognises ourselves. */
export interface OwnHosts {
  isName(host: string): boolean;
  isAddress(ip: string, port: number): boolean;
}

/** Where we take mail. */
export interface OwnListener {
  readonly address: string;
  readonly port: number;
}

/** For whoever may well talk to himself. */
export const nobody: OwnHosts = { isName: () => false, isAddress: () => false };

const UNSPECIFIED_4 = '\0'.repeat(4);
const UNSPECIFIED_6 = '\0'.repeat(16);
const LOOPBACK_6 = `${'\0'.repeat(15)}\x01`;
const MAPPED = `${'\0'.repeat(10)}\xff\xff`;
/** Addresses of the machine change now and then. */
const LOOK_AGAIN_MS = 30_000;

/** We as a daemon: our name and our listeners at the time of the question. */
export function ownHosts(
  hostname: string,
  listeners: () => readonly OwnListener[],
  machineAddresses: () => readonly string[] = addressesOfMachine,
): OwnHosts {
  const ownName = bareName(hostname);
  return {
    isName: (host) => bareName(host) === ownName,
    isAddress: (ip, port) => {
      const bytes = plainBytes(ip);
      if (bytes === undefined) return false;
      return listeners().some((listener) => {
        if (listener.port !== port) return false;
        const own = plainBytes(listener.address);
        if (own === bytes) return true;
        if (own === UNSPECIFIED_4) return bytes.length === 4 && isOfMachine(bytes, machineAddresses);
        // A listener on all IPv6 addresses takes IPv4 as well.
        return own === UNSPECIFIED_6 && isOfMachine(bytes, machineAddresses);
      });
    },
  };
}

function isOfMachine(bytes: string, machineAddresses: () => readonly string[]): boolean {
  if (bytes.length === 4 ? bytes.startsWith('\x7f') : bytes === LOOPBACK_6) return true;
  return machineAddresses().some((address) => plainBytes(address) === bytes);
}

let known: readonly string[] = [];
let knownUntilMs = Number.NEGATIVE_INFINITY;

function addressesOfMachine(): readonly string[] {
  const now = performance.now();
  if (now >= knownUntilMs) {
    knownUntilMs = now + LOOK_AGAIN_MS;
    known = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  }
  return known;
}

/** Whether an address means "any" or "this machine" and so is nobody's. */
export function isUnspecified(ip: string): boolean {
  const bytes = plainBytes(ip);
  return bytes === UNSPECIFIED_4 || bytes === UNSPECIFIED_6;
}

/** The bytes of an address, those of IPv4 in IPv6 as IPv4. */
function plainBytes(ip: string): string | undefined {
  const bytes = addressToBytes(ip.replace(/%.*$/, ''));
  return bytes?.length === 16 && bytes.startsWith(MAPPED) ? bytes.slice(12) : bytes;
}

function bareName(host: string): string {
  return host.replace(/\.$/, '').toLowerCase();
}
