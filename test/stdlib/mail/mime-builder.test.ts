// Messages that scripts make: MIME().

import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { HslObject } from '#lang';
import type { QueueRequest } from '../../../stdlib/mail/envelope.js';
import type { MessageSource } from '../../../stdlib/mail/message-source.js';
import { MessageBuilder } from '../../../stdlib/mail/mime/builder.js';
import { readPieces } from '../../../stdlib/mail/mime/document.js';
import { MIME } from '../../../stdlib/mail/mime.builtins.js';
import { createLocalServices } from '../../../stdlib/services.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';
import { run } from '../../support/run-script.js';

const noNetwork = createLocalServices().network;

const utf8 = (text: string) => Buffer.from(text).toString('latin1');

async function built(script: string): Promise<string> {
  const echoes = await run(`echo ${script}->toString();`);
  expect(echoes).toHaveLength(1);
  return echoes[0]!;
}

describe('a message of one part', () => {
  test('is text in UTF-8, quoted-printable', async () => {
    expect(
      await built(
        'MIME()->addHeader("Subject", "Hi")->setBody("gr\\xc3\\xbc\\xc3\\x9fe und k\\xc3\\xbcsse an alle")',
      ),
    ).toBe(
      'Subject: Hi\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9Fe und k=C3=BCsse an alle',
    );
  });

  test('of anything but text is base64', async () => {
    expect(await built('MIME()->setType("image/png")->setBody("\\x00\\x01")')).toBe(
      'MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAE=',
    );
  });

  test('has its date, file name and disposition', async () => {
    expect(
      await built('MIME()->setDate(0)->setFileName("b\\xc3\\xa4ume \\"x\\".txt")->setDisposition("inline")'),
    ).toBe(
      'Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        "Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline;\r\n\tfilename*=utf-8''b%C3%A4ume%20%22x%22.txt\r\n\r\n",
    );
    expect(await built('MIME()->setFileName("a \\"b\\"")')).toContain(
      'Content-Disposition: attachment;\r\n\tfilename="a \\"b\\""\r\n',
    );
  });

  test('takes over what the script says by header', async () => {
    expect(
      await built(
        'MIME()->addHeader("content-type", "text/x-own; charset=koi8-r")->addHeader("Content-Transfer-Encoding", "base64")->setBody("QQ==\\nQg==")',
      ),
    ).toBe(
      'content-type: text/x-own; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\nQQ==\r\nQg==',
    );
  });

  test('keeps a message inside of it as it is', async () => {
    expect(await built('MIME()->setType("message/rfc822")->setBody("Subject: x\\r\\n\\r\\n\\xff")')).toBe(
      'MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\n\r\n\xff',
    );
  });
});

describe('header fields', () => {
  test('are encoded where needed, addresses only in their names', async () => {
    const text = await built(
      `MIME()->addHeader("From", "J\\xc3\\xb6rg M\\xc3\\xbcller <j@x.test>, \\"A, \\xc3\\x84\\" <a@x.test>, plain@x.test (\\xc3\\xbc)")
        ->addHeader("Subject", "sch\\xc3\\xb6n", ["encoding" => "base64"])->addHeader("X-Raw", "a=\\xff", ["encode" => false])`,
    );
    expect(text.split('\r\n').slice(0, 4)).toEqual([
      'From: =?utf-8?Q?J=C3=B6rg_M=C3=BCller?= <j@x.test>, =?utf-8?Q?A=2C_=C3=84?=',
      ' <a@x.test>, plain@x.test (=?utf-8?Q?=C3=BC?=)',
      'Subject: =?utf-8?B?c2Now7Zu?=',
      'X-Raw: a=\xff',
    ]);
  });

  test('are read by others as they were meant', async () => {
    const parsed = await simpleParser(
      Buffer.from(
        await built(
          'MIME()->addHeader("To", "J\\xc3\\xb6rg \\"Jo\\" <j@x.test>")->addHeader("Subject", str_repeat("\\xe2\\x82\\xac lang ", 30))->setBody("x")',
        ),
        'latin1',
      ),
    );
    expect(parsed.subject).toBe('€ lang '.repeat(30));
    expect(parsed.to).toMatchObject({ value: [{ address: 'j@x.test', name: 'Jörg Jo' }] });
  });

  test('and no value makes one of its own', async () => {
    for (const evil of ['\\r\\nBcc: x', '\\nBcc: x', '\\rBcc: x', '\\r\\n\\r\\nbody', '\\x00'])
      for (const call of [
        `addHeader("X", "a${evil}")`,
        `addHeader("X", "a${evil}", ["encode" => false])`,
        `addHeader("To", "\\xff${evil}")`,
        `setFileName("a${evil}")`,
      ]) {
        const [names] = await run(
          `echo MailMessage::String(MIME()->${call}->setBody("the end")->toString())->getHeaderNames();`,
        );
        expect(names).not.toMatch(/bcc/);
        expect(names).toMatch(/content-transfer-encoding/);
      }
  });

  test.each([
    [
      'setType("text/html\\r\\nBcc: x")',
      'setType: the value has a control character; expected one line of text',
    ],
    ['setType("text")', 'setType: "text" is no media type; expected one like "text/html"'],
    [
      'setDisposition("in line")',
      'setDisposition: "in line" is no disposition; expected one like "attachment" or "inline"',
    ],
    ['setBoundary("a\\r\\nb")', 'setBoundary: '],
    ['setBoundary("")', 'setBoundary: '],
    ['addHeader("a b", "x")', 'addHeader: "a b" is no header name; expected printable ASCII without a colon'],
    ['appendPart(Map("string", "string"))', 'argument 1 (part) of appendPart must be a MIME, not a Map'],
    ['setDate(pow(10, 300))', 'setDate: the time 1e+300 is beyond the calendar'],
  ])('%s is refused', async (call, message) => {
    const [echoed] = await run(`try { MIME()->${call}; } catch ($e) { echo $e->message(); }`);
    expect(echoed).toContain(message);
  });
});

describe('a message of parts', () => {
  test('has a boundary of its own and a preamble', async () => {
    const text = await built(
      'MIME()->setType("multipart/mixed")->setBody("pre\\namble")->appendPart(MIME()->setBody("a"))->appendPart(MIME()->setType("multipart/alternative")->appendPart(MIME()->setBody("b")))',
    );
    const [, outer] = /boundary="(=_[-0-9a-f]{36})"/.exec(text)!;
    expect(text).toContain(`\r\n\r\npre\r\namble\r\n--${outer}\r\nContent-Type: text/plain`);
    expect(text.endsWith(`--\r\n--${outer}--\r\n`)).toBe(true);
    const parsed = await simpleParser(Buffer.from(text, 'latin1'));
    expect(parsed.text).toBe('a\nb');
  });

  test('is the same each time it is written', async () => {
    expect(
      await run(
        '$m = MIME()->setType("multipart/mixed")->appendPart(MIME()->setBody("a")); echo $m->toString() == $m->toString();',
      ),
    ).toEqual(['true']);
  });

  test('says by header what it is, or has to say it by type', async () => {
    expect(
      await built(
        'MIME()->addHeader("Content-Type", "multipart/related; type=\\"text/html\\"")->appendPart(MIME()->setType("text/html")->setBody("x"))',
      ),
    ).toMatch(/^Content-Type: multipart\/related; type="text\/html";\r\n\tboundary="=_[-0-9a-f]{36}"\r\n/);
    expect(
      await built('MIME()->addHeader("Content-Type", "multipart/mixed; boundary=own")->appendPart(MIME())'),
    ).toContain('\r\n--own--\r\n');
    expect(
      await run('try { MIME()->appendPart(MIME())->toString(); } catch ($e) { echo $e->message(); }'),
    ).toEqual([
      'the message has parts, but its type is "text/plain"; call setType("multipart/mixed") or another multipart',
    ]);
  });

  test('with a boundary that a part holds is refused', async () => {
    const part = 'MIME()->addHeader("Content-Transfer-Encoding", "7bit")->setBody("x\\n--edge\\ny")';
    expect(
      await run(
        `try { MIME()->setType("multipart/mixed")->setBoundary("edge")->appendPart(${part})->toString(); } catch ($e) { echo $e->message(); }
         echo count(MailMessage::String(MIME()->setType("multipart/mixed")->setBoundary("edge")->appendPart(MIME()->setBody("--edge"))->toString())->getParts());`,
      ),
    ).toEqual(['a part has a line that begins with "--edge", the boundary of the message', '1']);
  });

  test('cannot hold itself, nor too much', async () => {
    expect(
      await run(
        `$a = MIME(); $b = MIME()->appendPart($a);
         try { $a->appendPart($b); } catch ($e) { echo $e->message(); }
         $m = MIME()->setType("multipart/mixed")->appendPart(MIME());
         for ($i = 0; $i < 20; $i += 1) $m = MIME()->setType("multipart/mixed")->appendPart($m)->appendPart($m);
         try { $m->toString(); } catch ($e) { echo $e->message(); }
         $m = MIME()->setType("multipart/mixed");
         for ($i = 0; $i < 300; $i += 1) $m = MIME()->setType("multipart/mixed")->appendPart($m);
         try { $m->toString(); } catch ($e) { echo $e->message(); }`,
      ),
    ).toEqual([
      'appendPart: the part holds the message that it would become a part of',
      'the message has more than 20000 parts',
      'the message nests deeper than 200 levels',
    ]);
  });
});

describe('queue', () => {
  test('hands the finished message to the queue, signed', async () => {
    const taken: { source: MessageSource; request: QueueRequest }[] = [];
    const ctx = new FakeContext({
      services: {
        network: {
          ...noNetwork,
          submission: {
            submit: async (source, request) => {
              taken.push({ source, request });
              return { transaction: 'tx', queue: 1 };
            },
          },
        },
      },
    });
    const builder = new MessageBuilder();
    builder.signers.push(async (document) => document.root.edits.add('Sig', Buffer.from('Sig: 1\r\n')));
    const object = new HslObject(MIME, undefined, builder);
    ctx.method(object, 'setBody', 'x');
    const id = await ctx.method(
      object,
      'queue',
      'a@b.test',
      'c@d.test',
      'out',
      toValue({ delay: 5, metadata: { k: 'v' } }),
    );
    expect(fromValue(id)).toEqual(keyed(['transaction', 'tx'], ['queue', 1]));
    const [{ source, request }] = taken as [(typeof taken)[number]];
    expect((readPieces(source, request.pieces) as Buffer).toString()).toMatch(
      /^Sig: 1\r\nMIME-Version: 1.0\r\n/,
    );
    expect(request).toMatchObject({
      number: 1,
      transportId: 'out',
      delaySeconds: 5,
      metadata: { k: 'v' },
      priority: 0,
    });
  });

  test('says why a message is not taken', async () => {
    const full = new FakeContext({
      services: {
        network: { ...noNetwork, submission: { submit: async () => ({ problem: 'the spool is full' }) } },
      },
    });
    const queue = (ctx: FakeContext, recipient = 'c@d.test') =>
      ctx.method(new HslObject(MIME, undefined, new MessageBuilder()), 'queue', '', recipient, 'out');
    await expect(queue(full)).rejects.toThrow('queue: the spool is full');
    await expect(queue(full, '')).rejects.toThrow('queue: the recipient is empty');
    await expect(queue(new FakeContext())).rejects.toThrow(
      'queue: there is no queue here; only a running daemon has one',
    );
  });
});

test('non-ASCII survives all the way', async () => {
  const text = await built(
    'MIME()->setFileName("\\xe2\\x82\\xac.txt")->setBody("\\xe2\\x82\\xac \\xe2\\x82\\xac")',
  );
  const parsed = await simpleParser(Buffer.from(text, 'latin1'));
  expect(utf8(parsed.attachments[0]!.filename!)).toBe(utf8('€.txt'));
  expect(parsed.attachments[0]!.content.toString()).toBe('€ €');
});
