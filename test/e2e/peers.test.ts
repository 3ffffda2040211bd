import { expect, test } from 'vitest';
import { skipReason, smtpSource, startSmtpSink } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';

const reason = skipReason('postfix', 'smtp-source', 'smtp-sink');

test.skipIf(reason !== undefined)(
  `the Postfix that others are tested against relays mail${reason === undefined ? '' : ` (${reason})`}`,
  async () => {
    const sink = await startSmtpSink();
    const postfix = await startPostfix(sink.port);
    try {
      await smtpSource(postfix.port, { count: 3, recipient: 'a@example.test' });
      await expect.poll(() => postfix.log().match(/status=sent/g)?.length ?? 0, { interval: 50 }).toBe(3);
    } finally {
      await postfix.stop();
      await sink.stop();
    }
  },
);
