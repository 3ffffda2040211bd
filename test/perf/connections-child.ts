// A server in a process of its own, for bench connections: takes connections, and tells its memory when asked, after a
// collection of garbage. Started with --expose-gc.

import { certificatesInPem, privateKeyInPem } from '#stdlib';
import { ServerContexts } from '../../src/smtp/tls/server-contexts.js';
import { SmtpFixture } from '../support/smtp-fixture.js';

const [key, cert] = [process.env['BENCH_KEY'], process.env['BENCH_CERT']];
const tls =
  key === undefined || cert === undefined
    ? undefined
    : new ServerContexts({
        certificates: [
          { key: { key: privateKeyInPem(key)!, certificates: certificatesInPem(cert)! }, names: [] },
        ],
        protocols: undefined,
        ciphers: undefined,
        clientCertificate: 'none',
        authorities: [],
      });
const fixture = new SmtpFixture({
  listeners: [{ address: '127.0.0.1', port: 0, id: 'in', backlog: 4096 }],
  tls,
  ...(tls === undefined ? {} : { implicitTls: new Set(['in']) }),
});
await fixture.start();

process.on('message', () => {
  // Buffers are released in later turns.
  global.gc?.();
  setTimeout(() => {
    global.gc?.();
    const { heapUsed, rss, external } = process.memoryUsage();
    process.send!({ sessions: fixture.server.sessionCount, heapUsed, rss, external });
  }, 200);
});
process.on('disconnect', () => process.exit());
process.send!({ port: fixture.port });
