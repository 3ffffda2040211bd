import { expect, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { configFolder, serveUntilItEnds } from '../support/mta.js';

test('a port in use ends the start with 1 and a message that names server, port and what to change', async ({
  onTestFinished,
}) => {
  const other = await CountingSink.start();
  onTestFinished(() => other.stop());
  const { code, stderr } = await serveUntilItEnds(configFolder({ port: other.port }));
  expect(code).toBe(1);
  expect(stderr).toBe(
    `server "in" cannot listen on 127.0.0.1 port ${other.port}: another program has it. ` +
      'Stop that program, or change servers[].listeners[] in smtpd.yaml\n',
  );
});
