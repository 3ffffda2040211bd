// MIME: a message of 100 KiB parsed and edited, next to mailparser, postal-mime and a plain copy of its bytes. The peers
// only read; ours is timed with the whole way from bytes to bytes too.

import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { bytesToSource, MailDocument } from '#stdlib';
import { encodeField } from '../../stdlib/mail/mime/header-text.js';
import { median, table } from './measure.js';

/** A newsletter with two pictures: what 100 KiB of mail look like. */
function message(sizeBytes: number): Buffer {
  const picture = Buffer.from(Array.from({ length: Math.floor(sizeBytes * 0.3) }, (_, i) => (i * 131) & 255))
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n');
  const text = 'The quick brown fox jumps over the lazy dog, and then some =E2=82=AC more.\r\n'.repeat(40);
  const html = '<p style=3D"margin:0">The quick brown fox jumps over the lazy dog.</p>\r\n'.repeat(100);
  const trace = Array.from(
    { length: 4 },
    (_, i) =>
      `Received: from host${i}.example.com (host${i}.example.com [192.0.2.${i}])\r\n\tby mx.example.com with ESMTPS id ${i}abcdef;\r\n\tFri, 02 Jan 2026 03:04:0${i} +0000\r\n`,
  ).join('');
  const image = (name: string) =>
    `--outer\r\nContent-Type: image/png; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${picture}\r\n`;
  const qp = 'Content-Transfer-Encoding: quoted-printable\r\n\r\n';
  return Buffer.from(
    `${trace}From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\r\nTo: alice@example.com\r\nSubject: A newsletter\r\nMessage-ID: <1@example.org>\r\nDate: Fri, 02 Jan 2026 03:04:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\nThis is a message in MIME format.\r\n--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n${qp}${text}\r\n--inner\r\nContent-Type: text/html; charset=utf-8\r\n${qp}${html}\r\n--inner--\r\n${image('one.png')}${image('two.png')}--outer--\r\n`,
    'latin1',
  );
}

type Work = (bytes: Buffer) => unknown;

function parsed(bytes: Buffer): MailDocument {
  const document = new MailDocument(bytesToSource(bytes));
  void document.loadParts();
  return document;
}

const works: Readonly<Record<string, Work>> = {
  'plain copy': (bytes) => Buffer.from(bytes),
  'find the parts': parsed,
  'edit a field': (bytes) => {
    const document = new MailDocument(bytesToSource(bytes));
    const { root } = document;
    root.edits.set(root.header, 'Subject', encodeField('Subject', 'Another'), 0);
    return document.toBytes();
  },
  'find the parts, edit a field': (bytes) => {
    const document = parsed(bytes);
    const { root } = document;
    root.edits.set(root.header, 'Subject', encodeField('Subject', 'Another'), 0);
    return document.toBytes();
  },
  'find the parts, edit a field of one': (bytes) => {
    const document = parsed(bytes);
    const part = document.partById('1.2')!;
    part.edits.set(part.header, 'X-Checked', encodeField('X-Checked', 'yes'), 0);
    return document.toBytes();
  },
  'decode every part': (bytes) => {
    const { root } = parsed(bytes);
    return [...root.descendants()].map((part) => (part.isMultipart ? undefined : part.body(true)));
  },
  'mailparser, reading': (bytes) =>
    simpleParser(bytes, {
      skipHtmlToText: true,
      skipTextToHtml: true,
      skipImageLinks: true,
      skipTextLinks: true,
    }),
  'postal-mime, reading': (bytes) => new PostalMime().parse(bytes),
};

/** How often a second, by CPU time of this process; runs for about that long. */
async function perCpuSecond(work: Work, bytes: Buffer, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const before = process.cpuUsage();
  let count = 0;
  while (performance.now() < until) {
    for (let i = 0; i < 8; i++) await work(bytes);
    count += 8;
  }
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

/** `--rounds N`, `--size BYTES`, `--seconds N` for each work in a round. */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, initial: number) => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? initial : Number(args[at + 1]);
  };
  const rounds = option('rounds', 5);
  const bytes = message(option('size', 100 * 1024));
  const results = new Map<string, number[]>(Object.keys(works).map((name) => [name, []]));
  for (const work of Object.values(works)) await perCpuSecond(work, bytes, 0.2);
  for (let round = 0; round < rounds; round++)
    for (const [name, work] of Object.entries(works))
      results.get(name)!.push(await perCpuSecond(work, bytes, option('seconds', 0.5)));
  const ratio = (name: string, to: string) =>
    median(results.get(name)!.map((value, round) => value / results.get(to)![round]!)).toPrecision(3);
  process.stdout.write(
    `A message of ${(bytes.length / 1024).toFixed(0)} KiB, per second of CPU; median of ${rounds} rounds in turns\n\n${table(
      ['', 'per second', 'x mailparser', 'x postal-mime', 'x plain copy'],
      Object.keys(works).map((name) => [
        name,
        median(results.get(name)!).toFixed(0),
        ratio(name, 'mailparser, reading'),
        ratio(name, 'postal-mime, reading'),
        ratio(name, 'plain copy'),
      ]),
    )}\n`,
  );
}
