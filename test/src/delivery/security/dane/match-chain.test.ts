import { execFile } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matchChain } from '../../../../../src/delivery/security/dane/match-chain.js';
import { type TlsaRecord, tlsaText } from '../../../../../src/delivery/security/dane/tlsa.js';
import { peerChain } from '../../../../../src/delivery/security/peer-chain.js';
import { SeededRandom } from '../../../../fuzz/random.js';
import { cpuSeconds } from '../../../../support/cpu-time.js';
import { createDaneChains, type DaneChain, recordOf, showChain } from '../../../../support/dane-chains.js';

const HOST = 'mx.test';
/** The certificates are made while the test runs. */
const now = () => Date.now() / 1000;
let made: ReturnType<typeof createDaneChains>;
// Some two hundred runs of openssl.
beforeAll(() => {
  made = createDaneChains();
}, 120_000);
afterAll(() => made.close());

const chainOf = (name: string): DaneChain => made.chains.find((chain) => chain.name === name)!;
const sent = ({ server, others }: DaneChain) => [server, ...others].map(({ certificate }) => certificate);

/** What we say of a chain. */
async function ours(chain: readonly X509Certificate[], records: readonly TlsaRecord[], names = [HOST]) {
  const match = await matchChain(chain, records, names, now());
  return match.kind === 'matched' ? tlsaText(match.record) : match.failure;
}

/** The chain as it comes out of a handshake. */
function received(port: number): Promise<X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const chain = peerChain(socket);
      socket.destroy();
      resolve(chain);
    });
    socket.on('error', reject);
  });
}

/** What OpenSSL says of the chain that the port shows. */
function theirs(port: number, records: readonly TlsaRecord[]): Promise<boolean> {
  const args = [
    's_client',
    '-brief',
    '-connect',
    `127.0.0.1:${port}`,
    '-dane_tlsa_domain',
    HOST,
    '-dane_ee_no_namechecks',
    ...records.flatMap((record) => ['-dane_tlsa_rrdata', tlsaText(record)]),
  ];
  return new Promise((resolve, reject) => {
    execFile('openssl', args, { timeout: 20_000 }, (error, stdout, stderr) => {
      const said = /^Verification(?: error)?: (.*)$/m.exec(`${stdout}\n${stderr}`)?.[1];
      if (said === undefined) reject(new Error(`openssl said nothing: ${stderr}`, { cause: error }));
      else resolve(said === 'OK');
    });
  });
}

test('a chain comes out of a handshake as it was sent', async () => {
  for (const name of ['whole', 'out of order', 'with a stranger in it', 'signed by itself and sent twice']) {
    const chain = chainOf(name);
    const server = await showChain(chain);
    try {
      const got = await received(server.port);
      expect(got.map(({ fingerprint256 }) => fingerprint256)).toEqual(
        sent(chain).map(({ fingerprint256 }) => fingerprint256),
      );
    } finally {
      await server.close();
    }
  }
});

test('OpenSSL agrees over random chains and records', { timeout: 120_000 }, async () => {
  const random = new SeededRandom(7672);
  let matched = 0;
  for (const chain of made.chains) {
    const server = await showChain(chain);
    try {
      const certificates = await received(server.port);
      // What an authority may vouch for shows when it is the root that is named.
      const root = recordOf(chain.subjects[1]!, 2, 1, 1);
      expect(`${chain.name}: ${(await ours(certificates, [root])).includes(' ')}`).toBe(
        `${chain.name}: ${await theirs(server.port, [root])}`,
      );
      for (let round = chain.name.startsWith('constrained') ? 6 : 0; round < 8; round++) {
        const records = Array.from({ length: 1 + random.below(3) }, () => {
          const [selector, matchingType] = [random.below(2), random.below(3)];
          // A key in full with one bit changed is none that OpenSSL would read.
          const isWrong = random.chance(0.25) && (matchingType > 0 || selector === 0);
          return recordOf(random.pick(chain.subjects), random.pick([2, 3]), selector, matchingType, isWrong);
        });
        const [own, other] = [await ours(certificates, records), await theirs(server.port, records)];
        const isMatch = own.includes(' ');
        const shown = `${chain.name}: ${records.map((record) => tlsaText(record).slice(0, 20)).join(', ')}`;
        expect(`${shown}: ${isMatch ? 'OK' : own}`).toBe(`${shown}: ${other ? 'OK' : own}`);
        if (isMatch) matched++;
      }
    } finally {
      await server.close();
    }
  }
  expect(matched).toBeGreaterThan(20);
});

describe('DANE-EE', () => {
  test.each([
    ['expired', 'RFC 7671 5.1: dates do not count'],
    ['for another host', 'RFC 7671 5.1: names do not count'],
    ['for clients', 'RFC 7671 5.1: neither does what it is meant for'],
    ['without its issuer', 'it needs no chain'],
    ['signed by itself', 'nor anybody else'],
  ])('takes a certificate that is %s (%s)', async (name) => {
    const chain = chainOf(name);
    for (const selector of [0, 1])
      for (const matchingType of [0, 1, 2]) {
        const record = recordOf(chain.server, 3, selector, matchingType);
        expect(await ours(sent(chain), [record])).toBe(tlsaText(record));
      }
  });

  test('does not take the issuer for the server', async () => {
    const chain = chainOf('whole');
    expect(await ours(sent(chain), [recordOf(chain.others[0]!, 3, 1, 1)])).toBe('certificate-not-trusted');
  });
});

describe('DANE-TA', () => {
  test('finds the authority in the chain by its digest, however far up', async () => {
    const chain = chainOf('whole');
    for (const authority of chain.others) {
      const record = recordOf(authority, 2, 1, 1);
      expect(await ours(sent(chain), [record])).toBe(tlsaText(record));
    }
  });

  test('needs the authority in the chain when the record is a digest, and not when it is whole', async () => {
    const chain = chainOf('without its root');
    const root = chainOf('whole').others[1]!;
    expect(await ours(sent(chain), [recordOf(root, 2, 0, 1)])).toBe('certificate-not-trusted');
    expect(await ours(sent(chain), [recordOf(root, 2, 0, 0)])).toBe(tlsaText(recordOf(root, 2, 0, 0)));
    expect(await ours(sent(chain), [recordOf(root, 2, 1, 0)])).toBe(tlsaText(recordOf(root, 2, 1, 0)));
  });

  test('does not take the server for its own authority', async () => {
    for (const name of ['signed by itself', 'signed by itself and sent twice']) {
      const chain = chainOf(name);
      expect(await ours(sent(chain), [recordOf(chain.server, 2, 1, 1)])).toBe('certificate-not-trusted');
    }
  });

  test.each([
    ['for another host', 'certificate-host-mismatch'],
    ['expired', 'certificate-expired'],
    ['for clients', 'certificate-not-trusted'],
  ])('refuses a certificate that is %s', async (name, failure) => {
    const chain = chainOf(name);
    expect(await ours(sent(chain), [recordOf(chain.others[0]!, 2, 1, 1)])).toBe(failure);
  });

  test('takes the name of the domain as well as that of the host (RFC 7672 3.2.3)', async () => {
    const chain = chainOf('for another host');
    const record = recordOf(chain.others[0]!, 2, 1, 1);
    expect(await ours(sent(chain), [record], ['mx.test', 'other.test'])).toBe(tlsaText(record));
  });
});

test('a weaker digest beside a stronger one counts for nothing (RFC 7671 9)', async () => {
  const chain = chainOf('whole');
  const weak = recordOf(chain.server, 3, 1, 1);
  expect(await ours(sent(chain), [weak, recordOf(chain.server, 3, 1, 2, true)])).toBe(
    'certificate-not-trusted',
  );
  expect(await ours(sent(chain), [weak, recordOf(chain.server, 3, 0, 2, true)])).toBe(tlsaText(weak));
});

test('records and chains without end are not followed without end', async () => {
  const { server, subjects } = chainOf('whole');
  const strangers = Array.from({ length: 40 }, () => subjects[3]!.certificate);
  const keys = Array.from({ length: 300 }, () => recordOf(subjects[3]!, 2, 1, 0));
  const seconds = await cpuSeconds(async () => {
    expect(await ours([server.certificate, ...strangers], keys)).toBe('certificate-not-trusted');
  });
  expect(seconds).toBeLessThan(2);
});

test('a server without a certificate matches nothing', async () => {
  expect(await ours([], [recordOf(chainOf('whole').server, 3, 1, 1)])).toBe('validation-failure');
});
