import { expect, test } from 'vitest';
import { queueAll, startMta } from '../support/mta.js';
import { skipReason, swaks } from '../support/peers.js';

// A client that we did not write sends mail in its different ways.

const reason = skipReason('swaks');
const needsSwaks = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

needsSwaks(named('swaks sends a mail, and it arrives as it was sent'), async () => {
  const { daemon, sink } = await startMta();
  const { code, stdout } = await swaks(daemon.port, [
    '--header',
    'Subject: from swaks',
    '--body',
    'one line',
  ]);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  await sink.waitFor(1);
  const { sender, recipients, data } = sink.deliveries[0]!;
  expect({ sender, recipients }).toEqual({ sender: 'me@client.test', recipients: ['you@example.test'] });
  expect(data).toContain('\r\nSubject: from swaks\r\n');
  expect(data).toMatch(/\r\n\r\none line\r\n/);
});

needsSwaks(named('swaks gets its replies in order when it sends its commands as one group'), async () => {
  const { daemon, sink } = await startMta({
    hooks: {
      rcptto: `if ($arguments["address"]["localpart"] == "no") Reject("not here");`,
      eod: queueAll,
    },
  });
  const { code, stdout } = await swaks(daemon.port, [
    '--pipeline',
    '--to',
    'a@example.test,no@example.test,b@example.test',
  ]);
  expect(stdout).toMatch(/250 2\.1\.5[^\n]*\n[^\n]*554 5\.7\.1 not here\n[^\n]*250 2\.1\.5/);
  expect(code).toBe(0);
  await sink.waitFor(2);
  expect(sink.deliveries.flatMap(({ recipients }) => recipients).sort()).toEqual([
    'a@example.test',
    'b@example.test',
  ]);
});

needsSwaks(named('dots and long lines pass unchanged'), async () => {
  const { daemon, sink } = await startMta();
  const lines = [
    'Subject: dots',
    '',
    '.',
    '..',
    '.leading',
    '...three',
    'x'.repeat(5000),
    'trailing.',
    'end',
  ];
  const { code } = await swaks(daemon.port, [], `${lines.join('\n')}\n`);
  expect(code).toBe(0);
  await sink.waitFor(1);
  const { data } = sink.deliveries[0]!;
  const arrived = data.slice(data.indexOf('Subject: dots')).split('\r\n');
  // The line ends of the input are swaks's affair at the very end; every line of it is there.
  expect(arrived.slice(0, lines.length)).toEqual(lines);
});

needsSwaks(named('swaks is told why its only recipient is refused, and nothing is delivered'), async () => {
  const { daemon, sink } = await startMta({ hooks: { rcptto: 'Reject("no such user");', eod: queueAll } });
  const { code, stdout } = await swaks(daemon.port);
  expect(code).toBe(24);
  expect(stdout).toContain('<** 554 5.7.1 no such user');
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries).toEqual([]);
});
