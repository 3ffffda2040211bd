// A queued message as scripts read it.

import { describe, expect, onTestFinished, test } from 'vitest';
import { queuedFiles, SpooledFile } from '../../../src/scripting/queued-files.js';
import type { MessageReader } from '../../../src/spool/spool.js';
import { CountingSink } from '../../support/counting-sink.js';
import { daemonHere, eventually } from '../../support/daemon-in-process.js';
import { commitMessage, queueRequest, uuid } from '../../support/mail-samples.js';
import { openedSpool } from '../../support/opened-spool.js';

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, n) => n % 251));

/** A message too large for memory, in chunks of 64 bytes; counts how often it was begun. */
function streamed(): { file: SpooledFile; begun: () => number } {
  let begun = 0;
  const reader: MessageReader = {
    sizeBytes: bytes.length,
    whole: () => undefined,
    async *chunks() {
      begun++;
      for (let start = 0; start < bytes.length; start += 64) yield bytes.subarray(start, start + 64);
    },
  };
  return { file: new SpooledFile(() => reader), begun: () => begun };
}

describe('a large message', () => {
  test('is read on and on in one go, from any place to any place', async () => {
    const { file, begun } = streamed();
    expect(file.sizeBytes).toBe(1000);
    for (const [start, end] of [
      [0, 10],
      [10, 300],
      [290, 300],
      [900, 5000],
      [1000, 1001],
    ] as const)
      expect(await file.read(start, end)).toEqual(bytes.subarray(start, end));
    expect(begun()).toBe(1);
  });

  test('is begun anew when a script goes back', async () => {
    const { file, begun } = streamed();
    await file.read(500, 600);
    expect(await file.read(0, 5)).toEqual(bytes.subarray(0, 5));
    expect(begun()).toBe(2);
    file.close();
    expect(await file.read(0, 5)).toEqual(bytes.subarray(0, 5));
  });

  test('is read by one at a time', async () => {
    const { file } = streamed();
    const reads = await Promise.all([file.read(0, 100), file.read(500, 510), file.read(3, 4)]);
    expect(reads).toEqual([bytes.subarray(0, 100), bytes.subarray(500, 510), bytes.subarray(3, 4)]);
  });
});

test('a message in the spool is there as received and as it goes out', async () => {
  const { spool } = await openedSpool();
  const received = Buffer.from('Subject: x\r\n\r\nHello\r\n');
  const pieces = [
    { kind: 'bytes' as const, bytes: Buffer.from('X-Added: y\r\n') },
    { kind: 'range' as const, start: 0, end: received.length },
  ];
  const [edited, plain] = await commitMessage(spool, uuid(1), received, [
    queueRequest(1, { pieces }),
    queueRequest(2),
  ]);
  const { original, modified } = queuedFiles(spool, edited!.id);
  expect((await original.read(0, original.sizeBytes)).toString()).toBe('Subject: x\r\n\r\nHello\r\n');
  expect((await modified.read(0, 18)).toString()).toBe('X-Added: y\r\nSubjec');
  const untouched = queuedFiles(spool, plain!.id);
  expect(untouched.modified.sizeBytes).toBe(untouched.original.sizeBytes);
});

test('a message that is gone cannot be read', async () => {
  const { spool } = await openedSpool();
  const { original } = queuedFiles(spool, { transaction: uuid(1), number: 1 });
  await expect(original.read(0, 1)).rejects.toThrow('is not in the spool');
});

test('scripts of the queue read the message, before and after the attempt', async () => {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const mta = await daemonHere({
    nextHopPort: sink.port,
    hooks: {
      eod: `$mail = $arguments["mail"];
        $mail->addHeader("X-Added", "yes");
        $mail->queue($transaction["senderaddress"], $transaction["recipients"][0]["address"], "out");
        Accept();`,
      predelivery: 'echo "before: " . File($message["file"]["original"])->readline();',
      postdelivery:
        'echo "after: " . MailMessage::File(File($message["file"]["modified"]))->getHeader("X-Added");',
    },
  });
  const { client } = await mta.dial();
  await client.send('s@client.test', ['r@example.test'], 'Subject: first line\r\n\r\nx');
  const said = (word: string) => mta.log.lines.find(({ message }) => message.startsWith(word))?.message;
  await eventually(() => said('after') !== undefined);
  expect(said('before')).toMatch(/^before: (Received|Subject)/);
  expect(said('after')).toBe('after: yes');
});
