import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ListenError } from '../../../src/smtp/edge/listeners.js';
import { SmtpFixture } from '../../support/smtp-fixture.js';

let mta: SmtpFixture | undefined;

afterEach(async () => {
  await mta?.stop();
  mta = undefined;
});

test('a port that is in use is an error that says so, and no listener stays open', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const fixture = new SmtpFixture({
    listeners: [
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.1', port },
    ],
  });
  await expect(fixture.server.start()).rejects.toThrow(
    `server "test" cannot listen on 127.0.0.1 port ${port}: another program has it. Stop that program`,
  );
  await expect(fixture.server.start()).rejects.toThrow(ListenError);
  expect(fixture.server.addresses).toEqual([]);
  other.close();
});

test('an address that the machine does not have is an error that says so', async () => {
  const fixture = new SmtpFixture({ listeners: [{ address: '192.0.2.1', port: 0 }] });
  await expect(fixture.server.start()).rejects.toThrow('this machine does not have that address');
});

test('new settings hold for living sessions and new ones', async () => {
  mta = await new SmtpFixture().start();
  const old = await mta.play('S: 220 mx.argonite.test ESMTP');
  mta.server.reconfigure({ ...mta.server.options, hostname: 'new.argonite.test' });
  await old.play('C: HELO c\nS: 250 new.argonite.test');
  await mta.play('S: 220 new.argonite.test ESMTP');
});

test('when file descriptors run out clients are turned away, and the operator is told once', async () => {
  mta = await new SmtpFixture({ openFiles: 3 }).start();
  await mta.play('S: 421 4.7.0 *\nS: <close>');
  await mta.play('S: 421 4.7.0 *\nS: <close>');
  expect(mta.log.lines).toMatchObject([
    { level: 'error', message: expect.stringContaining('Raise environment.rlimit.nofile (now 3)') },
  ]);
});
