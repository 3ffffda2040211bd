import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { smtpServerOptions } from '../../../src/smtp/configured.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { serverCertificates } from '../../support/server-tls.js';

const made = serverCertificates();

interface Given {
  /** The server in smtpd.yaml and in smtpd-app.yaml; YAML takes JSON. */
  readonly start?: Readonly<Record<string, unknown>>;
  readonly server?: Readonly<Record<string, unknown>>;
  readonly pki?: unknown;
}

function folderWith({ start = {}, server = {}, pki }: Given): string {
  const { plain, exact, authority } = made();
  const keys = [plain, exact].map(({ keyFile, certFile }, index) => ({
    id: ['plain', 'exact'][index],
    privatekey: { path: keyFile },
    certificate: { path: certFile },
  }));
  const ours = {
    private: [...keys, { id: 'bare', privatekey: { path: plain.keyFile } }],
    ca: [{ id: 'ours', certificate: { path: authority.certFile } }],
  };
  return scratchFolder({
    'smtpd.yaml': JSON.stringify({
      version: '6.8',
      servers: [{ id: 'in', listeners: [{ address: '127.0.0.1', port: 0, id: 'a' }], ...start }],
    }),
    'smtpd-app.yaml': JSON.stringify({
      version: '6.8',
      servers: [{ id: 'in', ...server }],
      pki: pki ?? ours,
    }),
  });
}

function load(given: Given) {
  const folder = folderWith(given);
  const { running, warnings } = loadConfiguration(folder);
  const settings = running.servers[0]!;
  return { folder, settings, options: smtpServerOptions(settings, 'mx.test'), warnings };
}

/** What is wrong, without places. */
function problems(given: Given): string[] {
  try {
    loadConfiguration(folderWith(given));
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message
      .split('\n')
      .map((line) => line.replace(/^.*?: (?:error|warning): (?:[\w[\].]+: )?/, ''));
  }
  return [];
}

test('without settings there is no TLS, nobody is trusted, and everybody comes in', () => {
  const { options } = load({});
  expect(options.tls).toBeUndefined();
  expect(options.listeners).toMatchObject([{ address: '127.0.0.1', port: 0, id: 'a' }]);
  expect(options.listeners[0]!.proxies).toBeUndefined();
  expect(options.listeners[0]!.xclients).toBeUndefined();
  expect(options).toMatchObject({
    bannerDelaySeconds: 0,
    limits: {
      connections: 0,
      connectionsPerIp: 0,
      connectionsPerNetwork: 0,
      networks: [],
      ratePerIp: undefined,
    },
    timeouts: { handshakeSeconds: 30, proxyHeaderSeconds: 10 },
  });
});

describe('servers[].tls', () => {
  test('makes contexts of certificates in pki.private, by server name', () => {
    const tls = {
      implicit: ['a'],
      certs: [{ cert: 'plain' }, { cert: 'pki:exact', sni: ['MX.example.test', '*.bücher.example'] }],
      protocols: '!SSLv2,!SSLv3,!TLSv1,!TLSv1.1,!TLSv1.2',
      ciphers: 'HIGH:MEDIUM',
      clientcert: 'verify',
    };
    const { options, settings } = load({ server: { tls, timeout: { handshake: '5s' } } });
    expect(options.implicitTls).toEqual(new Set(['a']));
    expect(options.timeouts.handshakeSeconds).toBe(5);
    expect(settings.edge.tls).toMatchObject({
      protocols: { minVersion: 'TLSv1.3' },
      clientCertificate: 'verify',
      certificates: [{ names: [] }, { names: ['mx.example.test', '*.xn--bcher-kva.example'] }],
    });
    expect(settings.edge.tls!.authorities).toHaveLength(1);
    expect(options.tls!.contextFor('mx.example.test')).toBeDefined();
    expect(options.tls!.contextFor('a.xn--bcher-kva.example')).toBeDefined();
    expect(options.tls!.contextFor('other.test')).toBeUndefined();
  });

  test('takes one certificate without a list', () => {
    const { settings } = load({ server: { tls: { certs: { cert: 'plain', sni: 'plain.test' } } } });
    expect(settings.edge.tls!.certificates).toMatchObject([{ names: ['plain.test'] }]);
  });

  test('is made once, however often it is asked for', () => {
    const { settings, options } = load({ server: { tls: { certs: { cert: 'plain' } } } });
    expect(smtpServerOptions(settings, 'mx.test').tls).toBe(options.tls);
  });

  test('that is not enabled offers nothing', () => {
    const { options } = load({
      server: { tls: { enabled: false, certs: { cert: 'plain' }, implicit: ['a'] } },
    });
    expect(options.tls).toBeUndefined();
    expect(options.implicitTls.size).toBe(0);
  });

  test.each([
    [{}, ['there is no certificate to show; name one in "certs"']],
    [{ certs: [] }, ['the list is empty; expected at least one item']],
    [{ certs: { cert: 'nobody' } }, ['there is no key "nobody" in pki.private']],
    [{ certs: [{ cert: 'bare' }] }, ['there is no certificate with the key "bare" in pki.private']],
    [{ certs: { name: 'plain' } }, [/the key "cert" is missing/, /unknown key "name"/]],
    [
      { certs: [{ cert: 'plain', sni: 'a b' }] },
      ['found "a b"; expected a server name, or "*." and a domain'],
    ],
    [{ certs: [{ cert: 'plain', sni: 'a.*.b' }] }, [/^found "a\.\*\.b"/]],
    [
      { certs: [{ cert: 'plain' }, { cert: 'exact' }] },
      ['there are two certificates without "sni" with keys of the same kind (ec)'],
    ],
    [
      { certs: { cert: 'plain' }, implicit: ['b'] },
      ['server "in" has no listener with the id "b" in smtpd.yaml'],
    ],
    [{ certs: { cert: 'plain' }, protocols: '!SSLv9' }, [/^protocols: "!SSLv9" is no protocol/]],
    [{ certs: { cert: 'plain' }, ciphers: 'FOO' }, [/^found "FOO"; expected OpenSSL's list of ciphers/]],
    [{ certs: { cert: 'plain' }, clientca: ['x'] }, ['there are no authorities with the id "x" in pki.ca']],
    [{ certs: { cert: 'plain' }, clientcert: 'maybe' }, [/^found "maybe"; expected one of "request"/]],
  ])('%j is refused', (tls, expected) => {
    const found = problems({ server: { tls } });
    expect(found).toHaveLength(expected.length);
    for (const one of expected)
      expect(found).toContainEqual(one instanceof RegExp ? expect.stringMatching(one) : one);
  });

  test('is needed by a server of type https', () => {
    const both = { type: 'https' };
    expect(problems({ start: both, server: both })).toEqual([
      expect.stringContaining('needs servers[].tls.certs'),
    ]);
    expect(problems({ start: both, server: { ...both, tls: { certs: { cert: 'plain' } } } })).toEqual([]);
  });

  test('shows nothing of a key in its messages', () => {
    const pki = { private: [{ id: 'k', privatekey: { data: made().plain.key } }] };
    expect(problems({ server: { tls: { certs: { cert: 'k' } } }, pki }).join()).not.toContain('PRIVATE');
  });
});

describe('listeners', () => {
  test('trust whom the server trusts, unless they say otherwise', () => {
    const { options } = load({
      start: {
        proxyprotocol: ['192.0.2.0/24', 'unix'],
        xclient: ['198.51.100.1-198.51.100.9'],
        listeners: [{ port: 0 }, { port: 0, proxyprotocol: [], xclient: ['127.0.0.1'] }],
      },
    });
    const [first, second] = options.listeners;
    expect(first!.proxies!.includes('192.0.2.7')).toBe(true);
    expect(first!.proxies!.includes('192.0.3.7')).toBe(false);
    expect(first!.proxies!.includesUnix).toBe(true);
    expect(first!.xclients!.includes('198.51.100.5')).toBe(true);
    expect(first!.xclients!.includesUnix).toBe(false);
    expect(second!.proxies).toBeUndefined();
    expect(second!.xclients!.includes('127.0.0.1')).toBe(true);
  });

  test('on UNIX sockets have a path, which begins at the folder, and permissions', () => {
    const { options, folder, warnings } = load({
      start: { listeners: [{ path: 'run/smtp', chmod: '0660' }] },
    });
    expect(options.listeners).toMatchObject([
      { path: path.join(folder, 'run/smtp'), mode: 0o660, port: undefined },
    ]);
    // Not beyond loopback: nobody needs to be warned.
    expect(warnings).toEqual([]);
  });

  test.each([
    [{ listeners: [{}] }, 'found neither "port" nor "path"; expected one of them'],
    [{ listeners: [{ port: 1, path: 'x' }] }, 'found both "port" and "path"; expected one of them'],
    [
      { listeners: [{ address: '::1', path: 'x' }] },
      'a UNIX socket has no address; remove "address" or "path"',
    ],
    [{ listeners: [{ port: 1, chmod: '0600' }] }, 'only UNIX sockets ("path") have permissions'],
    [{ listeners: [{ path: 'x', chmod: '888' }] }, /^found "888"/],
    [
      {
        listeners: [
          { port: 1, id: 'a' },
          { port: 2, id: 'a' },
        ],
      },
      'there are two listeners with the id "a"',
    ],
    [{ proxyprotocol: ['10.0.0.0/33'] }, /^found "10.0.0.0\/33"; expected an address, address\/bits/],
    [{ listeners: [{ port: 1, xclient: ['localhost'] }] }, /^found "localhost"; expected an address/],
  ])('%j is refused', (start, expected) => {
    expect(problems({ start })).toEqual([
      expected instanceof RegExp ? expect.stringMatching(expected) : expected,
    ]);
  });

  test('that trust everybody are warned of', () => {
    const { warnings } = load({ start: { proxyprotocol: ['0.0.0.0/0'] } });
    expect(warnings.map(({ message }) => message)).toEqual([
      '"proxyprotocol" trusts everybody: any client may say that it is another one',
    ]);
  });
});

describe('servers[].concurrency and banner', () => {
  test('limit clients by total, address, network and rate', () => {
    const concurrency = { total: 100, ip: 10, networks: 50, rate: '30/60' };
    expect(load({ server: { concurrency, banner: { delay: '5s' } } }).options).toMatchObject({
      bannerDelaySeconds: 5,
      limits: {
        connections: 100,
        connectionsPerIp: 10,
        connectionsPerNetwork: 50,
        networks: [],
        ratePerIp: { count: 30, seconds: 60 },
      },
    });
  });

  test('take a list of networks with limits of their own', () => {
    const networks = [{ network: '192.0.2.7' }, { network: '192.0.2.0/24', total: 20, ip: 2 }];
    expect(load({ server: { concurrency: { networks } } }).options.limits).toMatchObject({
      connectionsPerNetwork: 0,
      networks: [
        { network: '192.0.2.7', connections: 0, connectionsPerIp: 0 },
        { network: '192.0.2.0/24', connections: 20, connectionsPerIp: 2 },
      ],
    });
  });

  test.each([
    [{ networks: -1 }, 'found -1; the minimum is 0'],
    [{ networks: 'many' }, /^found "many"; expected a whole number/],
    [{ networks: [{ network: 'x' }] }, /^found "x"; expected an address/],
    [{ networks: [{ total: 1 }] }, 'the key "network" is missing'],
    [{ rate: '0/60' }, /^found "0\/60"/],
    [{ rate: 5 }, /^found 5; expected so many in so many seconds/],
  ])('%j is refused', (concurrency, expected) => {
    expect(problems({ server: { concurrency } })).toEqual([
      expected instanceof RegExp ? expect.stringMatching(expected) : expected,
    ]);
  });
});
