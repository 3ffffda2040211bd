import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificatesInPem, parseTlsProtocols } from '#stdlib';
import type { TlsFacts } from '../../../../hooks/index.js';
import { beginHandshake } from '../../../../src/smtp/tls/handshake.js';
import { ServerContexts, type ServerTlsSettings } from '../../../../src/smtp/tls/server-contexts.js';
import { serverCertificates, serverTls } from '../../../support/server-tls.js';
import type { TestCertificate } from '../../../support/test-certificates.js';

const made = serverCertificates();
const settings = (changes: Partial<ServerTlsSettings> = {}) => serverTls(made(), changes);

interface Outcome {
  readonly facts?: TlsFacts;
  readonly error?: Error;
  readonly server?: TLSSocket;
}

/** Resolves however the connection ends. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** One handshake. */
async function shake(
  changes: Partial<ServerTlsSettings>,
  options: ConnectionOptions = {},
): Promise<{ readonly outcome: Outcome; readonly client: TLSSocket; readonly shown: string | undefined }> {
  const contexts = new ServerContexts(settings(changes));
  let outcome: Outcome = {};
  const listener: Server = createServer((plain) => {
    beginHandshake(plain, contexts, true, {
      secured: (server, facts) => {
        outcome = { facts, server };
        server.on('error', () => {});
        server.end();
        server.resume();
      },
      failed: (error) => {
        outcome = { error };
      },
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => void listener.close());
  const client = connect({
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    rejectUnauthorized: false,
    ...options,
  });
  let shown: string | undefined;
  client.on('secureConnect', () => {
    shown = client.getPeerX509Certificate()?.subject;
  });
  client.on('error', () => {});
  client.resume();
  await closed(client);
  await expect.poll(() => outcome.facts ?? outcome.error).toBeDefined();
  return { outcome, client, shown };
}

describe('the certificate', () => {
  test.each([
    [undefined, 'CN=plain.test'],
    ['mx.example.test', 'CN=mx.example.test'],
    ['MX.Example.Test', 'CN=mx.example.test'],
    ['other.example.test', 'CN=*.example.test'],
    ['example.test', 'CN=plain.test'],
    ['two.labels.example.test', 'CN=plain.test'],
    ['unknown.test', 'CN=plain.test'],
  ])('for the server name %s is that of %s', async (servername, subject) => {
    const { shown, outcome } = await shake({}, servername === undefined ? {} : { servername });
    expect(shown).toBe(subject);
    expect(outcome.facts?.sni).toBe(servername);
  });

  test('is the first one when none is without names', async () => {
    const [, exact, wild] = settings().certificates;
    const { shown } = await shake({ certificates: [exact!, wild!] }, { servername: 'unknown.test' });
    expect(shown).toBe('CN=mx.example.test');
  });
});

describe('protocols and ciphers', () => {
  test('are TLS 1.2 and 1.3 by default, with what was agreed on told', async () => {
    expect((await shake({}, { maxVersion: 'TLSv1.2' })).outcome.facts).toEqual({
      protocol: 'TLSv1.2',
      cipher: expect.stringMatching(/^ECDHE-ECDSA-/),
      keySize: expect.any(Number),
      sni: undefined,
      peerCertificate: undefined,
    });
    expect((await shake({})).outcome.facts).toMatchObject({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      keySize: 256,
    });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect((await shake({}, old)).outcome.error).toBeDefined();
  });

  test('are those of the configuration', async () => {
    const only13 = parseTlsProtocols('!TLSv1,!TLSv1.1,!TLSv1.2', 'tls')!;
    expect((await shake({ protocols: only13 }, { maxVersion: 'TLSv1.2' })).outcome.error).toBeDefined();
    expect((await shake({ protocols: only13 })).outcome.facts?.protocol).toBe('TLSv1.3');
    const chacha = { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' };
    expect((await shake(chacha, { maxVersion: 'TLSv1.2' })).outcome.facts?.cipher).toBe(
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    );
    // A list without names of TLS 1.3 says nothing about TLS 1.3.
    expect((await shake(chacha)).outcome.facts?.protocol).toBe('TLSv1.3');
    expect((await shake({ ciphers: 'HIGH:MEDIUM' })).outcome.facts?.protocol).toBe('TLSv1.3');
  });

  test('that OpenSSL does not know are an error', () => {
    expect(() => new ServerContexts(settings({ ciphers: 'NO-SUCH-CIPHER' }))).toThrow();
  });
});

describe('a client certificate', () => {
  const shown = () => ({ key: made().client.key, cert: `${made().client.cert}${made().authority.cert}` });
  const authorities = () => certificatesInPem(made().authority.cert)!;

  test('is not asked for by default', async () => {
    expect((await shake({}, shown())).outcome.facts?.peerCertificate).toBeUndefined();
  });

  test.each(['request', 'require', 'verify'] as const)(
    'may be missing in the handshake (%s)',
    async (policy) => {
      const { outcome } = await shake({ clientCertificate: policy, authorities: authorities() });
      expect(outcome.facts).toMatchObject({ protocol: 'TLSv1.3', peerCertificate: undefined });
    },
  );

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is told with its chain and what it is worth (%s)',
    async (version) => {
      const policy = { clientCertificate: 'request', authorities: authorities() } as const;
      const { outcome } = await shake(policy, { ...shown(), maxVersion: version });
      const { peerCertificate } = outcome.facts!;
      expect(peerCertificate).toMatchObject({
        x509: { type: 'X509Resource', payload: { subject: 'CN=client.test' } },
        chain: [{ payload: { subject: 'CN=Test authority' } }],
        error: 0,
      });
    },
  );

  test('that is not trusted is told as well, with the reason as OpenSSL counts them', async () => {
    const codeOf = async (own: TestCertificate, ours: readonly X509Certificate[]) =>
      (await shake({ clientCertificate: 'verify', authorities: ours }, { key: own.key, cert: own.cert }))
        .outcome.facts?.peerCertificate?.error;
    const expired = made().authority.issue('late.test', [], { isExpired: true });
    expect(await codeOf(made().client, [])).toBe(21); // X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
    expect(await codeOf(expired, authorities())).toBe(10); // X509_V_ERR_CERT_HAS_EXPIRED
  });
});

describe('a handshake', () => {
  test('that is garbage fails, and the socket is closed', async () => {
    const contexts = new ServerContexts(settings());
    for (const garbage of ['EHLO c\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(100), 'x'.repeat(100_000)]) {
      let failed: Error | undefined;
      const listener = createServer((plain) => {
        beginHandshake(plain, contexts, true, {
          secured: () => {},
          failed: (error) => {
            failed = error;
          },
        });
      });
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const client = dial((listener.address() as AddressInfo).port, '127.0.0.1');
      client.on('error', () => {});
      client.resume();
      client.end(Buffer.from(garbage, 'latin1'));
      await closed(client);
      await expect.poll(() => failed).toBeDefined();
      listener.close();
    }
  });

  test('cannot be repeated inside a session', async () => {
    const contexts = new ServerContexts(settings());
    const listener = createServer((plain) => {
      beginHandshake(plain, contexts, true, {
        secured: (server) => {
          server.on('error', () => {});
          server.resume();
        },
        failed: () => {},
      });
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    onTestFinished(() => void listener.close());
    const client = connect({
      host: '127.0.0.1',
      port: (listener.address() as AddressInfo).port,
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    });
    onTestFinished(() => void client.destroy());
    await once(client, 'secureConnect');
    client.renegotiate({}, () => {});
    const error = await new Promise((resolve) => client.once('error', resolve));
    expect(error).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
  });

  test('can be shortened by a ticket, unless client certificates are asked for', async () => {
    const reused = async (changes: Partial<ServerTlsSettings>): Promise<boolean> => {
      const contexts = new ServerContexts(settings(changes));
      const listener = createServer((plain) => {
        beginHandshake(plain, contexts, true, {
          secured: (server) => {
            server.on('error', () => {});
            server.end('220 hello\r\n');
            server.resume();
          },
          failed: () => {},
        });
      });
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const talk = async (session?: Buffer) => {
        const client = connect({
          host: '127.0.0.1',
          port: (listener.address() as AddressInfo).port,
          rejectUnauthorized: false,
          ...(session === undefined ? {} : { session }),
        });
        let ticket: Buffer | undefined;
        client.on('session', (given: Buffer) => {
          ticket = given;
        });
        let isReused = false;
        client.once('secureConnect', () => {
          isReused = client.isSessionReused();
        });
        client.resume();
        await closed(client);
        return { ticket, isReused };
      };
      const first = await talk();
      const second = await talk(first.ticket);
      listener.close();
      return second.isReused;
    };
    expect(await reused({})).toBe(true);
    expect(await reused({ clientCertificate: 'request' })).toBe(false);
  });
});
