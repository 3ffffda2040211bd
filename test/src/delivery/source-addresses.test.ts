// Attempts that come from a certain address of ours (queue-and-config 1.4), on real sockets.

import { describe, expect, type TestContext, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { judge } from '../../../src/delivery/failure.js';
import { SmtpDeliverer } from '../../../src/delivery/smtp-deliverer.js';
import { type AttemptChanges, makeAttempt } from '../../support/delivery-attempt.js';
import { startPeer } from '../../support/scripted-peer.js';

async function deliver(
  t: TestContext,
  changes: AttemptChanges,
): Promise<{ report: AttemptReport; commands: readonly string[] }> {
  const peer = await startPeer(t, {});
  const deliverer = new SmtpDeliverer({ hostname: 'host.test' });
  t.onTestFinished(() => deliverer.close());
  const report = await deliverer.attempt(makeAttempt(peer.port, changes), new AbortController().signal);
  return { report, commands: peer.commands };
}

describe('an attempt', () => {
  test('leaves from its source, under the name that goes with it, and says so', async (t) => {
    const { report, commands } = await deliver(t, {
      source: { ipv4: { ip: '127.0.0.9', id: 'nine', helo: 'nine.test' } },
    });
    expect(judge(report)).toBe('delivered');
    expect(commands[0]).toBe('EHLO nine.test');
    expect(report.connection).toMatchObject({ localIp: '127.0.0.9', localIpId: 'nine', helo: 'nine.test' });
  });

  test('says the name that Try gives, wherever it comes from', async (t) => {
    const { commands } = await deliver(t, {
      source: { ipv4: { ip: '127.0.0.9', helo: 'nine.test' } },
      options: { helo: 'try.test' },
    });
    expect(commands[0]).toBe('EHLO try.test');
  });

  test('says the name of its transport where the source has none', async (t) => {
    const { report, commands } = await deliver(t, { source: { ipv4: { ip: '127.0.0.9' } } });
    expect(commands[0]).toBe('EHLO client.test');
    expect(report.connection!.localIpId).toBeUndefined();
  });

  test('takes the source of the family of the address it goes to', async (t) => {
    const { report } = await deliver(t, {
      source: { ipv6: { ip: '::1', id: 'six' }, ipv4: { ip: '127.0.0.8', id: 'four' } },
    });
    expect(report.connection).toMatchObject({ localIp: '127.0.0.8', localIpId: 'four' });
  });
});

test('an address that this machine does not have is a slip of ours, told plainly, and temporary', async (t) => {
  const { report, commands } = await deliver(t, { source: { ipv4: { ip: '192.0.2.77', id: 'x' } } });
  expect(report.error).toMatchObject({ type: 'config', temporary: true });
  expect(report.error!.message).toContain('cannot send from the address 192.0.2.77 (EADDRNOTAVAIL)');
  expect(report.error!.message).toContain('expected an address of this machine');
  expect(judge(report)).toBe('deferred');
  expect(commands).toEqual([]);
});

describe('an address that need not be of this machine', () => {
  test('is bound all the same', async (t) => {
    // All of 127/8 is local: what can be seen here is that mail goes out over such a socket.
    const { report } = await deliver(t, {
      source: { ipv4: { ip: '127.9.9.9', id: 'far' }, isNonlocal: true },
    });
    expect(judge(report)).toBe('delivered');
    expect(report.connection).toMatchObject({ localIp: '127.9.9.9', localIpId: 'far' });
  });

  test('that nothing comes back to ends with the time to connect', async (t) => {
    const { report } = await deliver(t, {
      source: { ipv4: { ip: '192.0.2.77' }, isNonlocal: true },
      transport: { connectTimeoutSeconds: 0.2 },
    });
    expect(report.error).toMatchObject({ temporary: true });
    expect(judge(report)).toBe('deferred');
  });
});
