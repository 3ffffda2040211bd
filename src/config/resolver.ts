// The resolver's settings (queue-and-config 8.4): servers and hosts are read here once, so that a slip is told with its
// line, and the resolver made of them later cannot fail.

import { textToBytes } from '#lang';
import {
  type HostRecords,
  hostTypes,
  isIpAddress,
  parseHostRecord,
  parseServerAddress,
  questionName,
  type ResolverSettings,
} from '#stdlib';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';
import { parseDuration } from './units.js';

const shapes = {
  a: 'an IPv4 address',
  aaaa: 'an IPv6 address',
  mx: 'a preference and a host name, such as "10 mx1.example.com"',
  txt: 'a text',
  ptr: 'a host name',
  tlsa: 'three numbers and hexadecimal data, such as "3 1 1 0123ab"',
} as const;

/** The settings with what is wrong in them put on the list; defaults are the resolver's own. */
export function collectResolver(app: ConfigDocument<AppFile>, problems: ConfigProblem[]): ResolverSettings {
  const { servers, trusted, timeout, retries, cache, hosts } = app.value.resolver ?? {};
  servers?.forEach((server, index) => {
    if (parseServerAddress(server) === undefined) {
      const message = `found "${server}"; expected "ip", "ip:port" or "[ipv6]:port" (a host name cannot be looked up without a server)`;
      problems.push(app.problemAt(['resolver', 'servers', index], message));
    }
  });
  trusted?.forEach((ip, index) => {
    if (!isIpAddress(ip))
      problems.push(app.problemAt(['resolver', 'trusted', index], `found "${ip}"; expected an IP address`));
  });
  const timeoutSeconds = parseDuration(timeout);
  if (timeoutSeconds === 0)
    problems.push(app.problemAt(['resolver', 'timeout'], 'found 0; expected a time above 0, such as 2s'));
  for (const [name, host] of Object.entries(hosts ?? {})) {
    if (questionName(textToBytes(name), 'a') === undefined)
      problems.push(app.problemAt(['resolver', 'hosts', name], `"${name}" is no domain name`));
    for (const type of hostTypes) {
      host[type]?.forEach((text, index) => {
        if (parseHostRecord(type, text) !== undefined) return;
        const at = ['resolver', 'hosts', name, type, index];
        problems.push(app.problemAt(at, `found "${text}"; expected ${shapes[type]}`));
      });
    }
  }
  return {
    ...(servers === undefined ? {} : { servers }),
    ...(trusted === undefined ? {} : { trusted }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(retries === undefined ? {} : { retries }),
    ...(cache?.size === undefined ? {} : { cacheSize: cache.size }),
    ...(hosts === undefined ? {} : { hosts: inBytes(hosts) }),
  };
}

/** The resolver's names and texts are bytes. */
function inBytes(hosts: Readonly<Record<string, HostRecords>>): Record<string, HostRecords> {
  return Object.fromEntries(
    Object.entries(hosts).map(([name, { txt, ...others }]) => [
      textToBytes(name),
      txt === undefined ? others : { ...others, txt: txt.map(textToBytes) },
    ]),
  );
}
