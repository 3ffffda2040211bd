import { expect, test } from 'vitest';
import { ControlClient, UnreachableError } from '../../../src/control/client/control-client.js';
import type { Operation } from '../../../src/control/operation.js';
import { controlSettings, startedControl } from '../../support/control-socket.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { createAuthority } from '../../support/test-certificates.js';

const quota: Operation = { run: () => ({ quotas: [] }) };

test('over TCP with TLS only the certificate that is asked for lets a client in', async () => {
  const authority = createAuthority(scratchFolder());
  const stranger = createAuthority(scratchFolder());
  const server = authority.issue('ctl', ['IP:127.0.0.1']);
  const { place } = await startedControl(
    { I: quota },
    {
      settings: controlSettings({
        path: undefined,
        tls: {
          server: { certificate: server.cert, key: server.key },
          client: { certificate: authority.cert, verify: true, verifyName: 'admin.test' },
        },
      }),
    },
  );
  const asked = async (issuer: typeof authority | undefined, name = 'admin.test'): Promise<object> => {
    const shown = issuer?.issue('client', [`DNS:${name}`]);
    const client = await ControlClient.connect(place, {
      ca: Buffer.from(authority.cert),
      ...(shown && { cert: Buffer.from(shown.cert), key: Buffer.from(shown.key) }),
    });
    try {
      return await client.ask('I', {});
    } finally {
      client.close();
    }
  };
  expect(await asked(authority)).toEqual({ quotas: [] });
  await expect(asked(authority, 'other.test')).rejects.toThrow(UnreachableError);
  await expect(asked(stranger)).rejects.toThrow(UnreachableError);
  await expect(asked(undefined)).rejects.toThrow(UnreachableError);
  await expect(
    ControlClient.connect(place, { ca: Buffer.from(stranger.cert) }).then((client) => client.ask('I', {})),
  ).rejects.toThrow(UnreachableError);
});

test('over TCP without TLS the socket speaks as over UNIX', async () => {
  const { place } = await startedControl({ I: quota }, { settings: controlSettings({ path: undefined }) });
  const client = await ControlClient.connect(place);
  expect(await client.ask('I', {})).toEqual({ quotas: [] });
  client.close();
});
