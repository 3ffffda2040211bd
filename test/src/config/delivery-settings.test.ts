// smtpd-delivery.yaml, from the file to the transport of an attempt (queue-and-config 5).

import { expect, test } from 'vitest';
import type { DestinationFacts } from '../../../src/config/delivery-settings.js';
import { loadConfiguration } from '../../../src/config/load.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const smtpd = `version: "6.8"
servers: [{ id: in, listeners: [{ address: 127.0.0.1, port: 0 }] }]
`;
const app = `version: "6.8"
servers: [{ id: in, transport: out }]
lists: { remotemx: { big: ["*.google.test"] } }
transportgroups:
  - id: g
    retry: { count: 3, intervals: [60], during: 1d }
    transports:
      - id: out
        connection: { server: 127.0.0.1 }
        session: { tls: { mode: require_verify, sni: true } }
        dsn: { transport: out }
`;

const nowhere: DestinationFacts = {
  tenantid: '',
  jobid: '',
  transportid: 'out',
  localip: '',
  remoteip: '',
  remotemx: '',
  recipientdomain: '',
};

function load(delivery: string, others: Record<string, string> = {}) {
  const files = { 'smtpd.yaml': smtpd, 'smtpd-app.yaml': app, ...others };
  const folder = scratchFolder({ ...files, 'smtpd-delivery.yaml': `version: "6.8"\n${delivery}` });
  const { running } = loadConfiguration(folder);
  const transport = running.transports.get('out')!;
  return {
    transport,
    at: (facts: Partial<DestinationFacts>) =>
      running.delivery.settingsFor(transport, { ...nowhere, ...facts }),
  };
}

function problemOf(delivery: string): string {
  try {
    load(delivery);
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

test('a condition on the next hop changes the retry table there and nowhere else (5, 4)', () => {
  const { at, transport } = load(`delivery:
  conditions:
    - if: { remotemx: "*.a.test" }
      then: { retry: { intervals: [1] } }
`);
  expect(at({ remotemx: 'mx.a.test' }).retryIntervals).toEqual([{ seconds: 1, notify: false }]);
  expect(at({ remotemx: 'mx.b.test' })).toBe(transport);
  expect(transport.retryIntervals).toEqual([{ seconds: 60, notify: false }]);
  // What the table does not say stays as it was.
  expect(at({ remotemx: 'mx.a.test' })).toMatchObject({ retryCount: 3, retryDuringSeconds: 86_400 });
});

test('all that the file may say has its place, and the rest is of the transport', () => {
  const { at } = load(`delivery:
  conditions:
    - if: { remotemx: "@big", recipientdomain: [x.test, y.test] }
      then:
        tls: { mode: optional, protocols: "!TLSv1.2" }
        pooling: { enabled: true, transactions: 2, timeout: 1m, evictable: false }
        timeout: { connect: 7, smtp: { CONNECT: 1, EOD: 2m, STARTTLS: 3, AUTH: 4 } }
        retry: { count: 1, intervals: [5, { interval: 15m, notify: true }] }
`);
  const changed = at({ remotemx: 'mx.google.test', recipientdomain: 'y.test' });
  expect(changed).toMatchObject({
    tls: { mode: 'optional', protocols: '!TLSv1.2', sni: true },
    pooling: { enabled: true, transactions: 2, idleSeconds: 60, isEvictable: false },
    connectTimeoutSeconds: 7,
    timeouts: { BANNER: 1, EOD: 120, STARTTLS: 3, AUTH: 4 },
    retryCount: 1,
    retryIntervals: [
      { seconds: 5, notify: false },
      { seconds: 900, notify: true },
    ],
  });
  // All of a condition's fields must match.
  expect(at({ remotemx: 'mx.google.test', recipientdomain: 'z.test' }).pooling.enabled).toBe(false);
  expect(at({ recipientdomain: 'x.test' }).pooling.enabled).toBe(false);
});

test('the first condition that matches wins, and what it does not say is of the default', () => {
  const { at } = load(`delivery:
  default: { pooling: { enabled: true, timeout: 9 }, tls: { mode: require } }
  conditions:
    - if: { transportid: out, jobid: /^bulk/ }
      then: { pooling: { transactions: 3 } }
    - then: { pooling: { enabled: false } }
`);
  expect(at({ jobid: 'bulk-1' })).toMatchObject({
    pooling: { enabled: true, transactions: 3, idleSeconds: 9 },
    tls: { mode: 'require', sni: true },
  });
  expect(at({ jobid: 'x' }).pooling).toMatchObject({ enabled: false, idleSeconds: 9 });
});

test('the transport of a destination is one and the same, and knows whose it is', () => {
  const { at, transport } = load(`delivery: { conditions: [{ then: { retry: { count: 0 } } }] }`);
  expect(at({ jobid: 'a' })).toBe(at({ jobid: 'b' }));
  expect(at({}).base).toBe(transport);
});

test.each([
  ['{ if: { remotemx: "@nosuch" }, then: {} }', 'there is no list "nosuch" in lists.remotemx'],
  ['{ if: { remoteip: mx.test }, then: {} }', 'expected an address or a network'],
  ['{ if: { nosuch: x }, then: {} }', 'unknown key "nosuch"'],
  ['{ if: { remotemx: 7 }, then: {} }', 'expected a text, or a list of texts'],
  ['{ if: { remotemx: [] }, then: {} }', 'expected a text, or a list of texts'],
  ['{ if: { grouping: "&g" }, then: {} }', 'groupings is not supported yet'],
  ['{ if: { jobid: x } }', 'the key "then" is missing'],
  ['{ then: { retry: { during: 1d } } }', 'unknown key "during"'],
  ['{ then: { tls: { mode: dane } } }', 'expected one of "disabled"'],
  ['{ then: { tls: { protocols: "!SSLv9" } } }', 'SSLv9'],
  ['{ then: { retry: { intervals: [{ notify: true }] } } }', 'expected seconds, a text such as "1h30m"'],
  ['{ then: { timeout: { smtp: { NOSUCH: 1 } } } }', 'NOSUCH'],
  [
    '{ then: { timeout: { smtp: { AUTH-PLIAN: 1 } } } }',
    'unknown key "AUTH-PLIAN"; expected one of CONNECT, BANNER,',
  ],
])('the condition %s is refused', (condition, text) => {
  expect(problemOf(`delivery: { conditions: [${condition}] }`)).toContain(text);
});

test('source addresses of a transport are those that the file names', () => {
  const addresses = `addresses:
  - { id: a, address: 192.0.2.1, hostname: a.test }
  - { id: six, address: "2001:db8::1" }
`;
  const withSources = (sourceip: string) =>
    load('', {
      'smtpd-app.yaml': app
        .replace('connection: { server: 127.0.0.1 }', `connection: { sourceip: ${sourceip} }`)
        .concat(addresses),
    }).transport;
  const a = { ip: '192.0.2.1', id: 'a', helo: 'a.test' };
  expect(withSources('{ ipv4: [a, a], ipv6: [six] }').sources).toEqual({
    ipv4: [a, a],
    ipv6: [{ ip: '2001:db8::1', id: 'six', helo: undefined }],
  });
  expect(withSources('{ ipv4: [a], ipv6: false }')).toMatchObject({
    sources: { ipv4: [a], ipv6: false },
  });
  expect(() => withSources('{ ipv4: [six] }')).toThrow('of the other family');
  expect(() => withSources('{ ipv4: [b] }')).toThrow('there is no address "b" in addresses');
  expect(() => withSources('{ ipv4: [] }')).toThrow('is empty');
  expect(() => withSources('{ ipv4: 7 }')).toThrow('expected true, false, or a list of texts');
});
