// Messages for MIME tests, made at random from a seed: well-formed ones whose parts are numbered by an X-Id field, and
// broken ones made of them or of pieces that parsers stumble over.

import type { SeededRandom } from '../fuzz/random.js';

/** What a generated message is made of. */
export type SamplePart = SampleLeaf | SampleMultipart;

export interface SampleLeaf {
  readonly kind: 'leaf';
  readonly id: number;
  readonly type: string;
  readonly encoding: 'none' | '7bit' | '8bit' | 'quoted-printable' | 'base64';
  /** The content, decoded: bytes. */
  readonly content: string;
  readonly fileName: string | undefined;
  readonly header: string;
  /** The content in its transfer encoding. */
  readonly body: string;
}

export interface SampleMultipart {
  readonly kind: 'multipart';
  readonly id: number;
  readonly type: string;
  readonly boundary: string;
  readonly preamble: string;
  readonly epilogue: string;
  readonly children: readonly SamplePart[];
  readonly header: string;
}

const multipartTypes = ['multipart/mixed', 'multipart/alternative', 'multipart/related', 'multipart/report'];
const leafTypes = ['text/plain', 'text/html', 'application/pdf', 'image/png', 'application/octet-stream'];
const lines = [
  'Hello',
  '',
  'a = b',
  '--',
  '-- ',
  '--x',
  'From here',
  '.',
  'x'.repeat(200),
  'tab\there ',
  '--=_1 x',
];

/** A tree of parts; boundaries are different from each other, and some begin others. */
export class SampleMaker {
  #ids = 0;

  /** With `asAttachments` every leaf says that it is one. */
  constructor(
    readonly random: SeededRandom,
    readonly asAttachments = false,
  ) {}

  part(level = 0, isRoot = level === 0): SamplePart {
    const { random } = this;
    return level < 4 && random.chance(level === 0 ? 0.85 : 0.35)
      ? this.multipart(level, isRoot)
      : this.leaf(isRoot);
  }

  multipart(level: number, isRoot: boolean): SampleMultipart {
    const { random } = this;
    const id = this.#ids++;
    const type = random.pick(multipartTypes);
    const boundary = random.pick([
      `=_${id}`,
      `b${'-'.repeat(id % 5)}${id}`,
      `a b${id}`,
      `${'B'.repeat(id + 1)}`,
      `=_${id}--`,
    ]);
    const parameter = random.pick([
      `boundary="${boundary}"`,
      `charset=x;\r\n\tboundary="${boundary}"`,
      `BOUNDARY = "${boundary}"`,
    ]);
    const header = `${this.#common(id, isRoot)}Content-Type: ${type}; ${parameter}\r\n`;
    const children = Array.from({ length: 1 + random.below(4) }, () => this.part(level + 1, false));
    const preamble = random.pick(['', 'preamble', 'pre\r\namble\r\n']);
    const epilogue = random.pick(['', '', 'epilogue', 'epi\r\nlogue\r\n']);
    return { kind: 'multipart', id, type, boundary, preamble, epilogue, children, header };
  }

  leaf(isRoot = false): SampleLeaf {
    const { random } = this;
    const id = this.#ids++;
    const type = random.pick(leafTypes);
    const encoding = random.pick(['none', '7bit', '8bit', 'quoted-printable', 'base64'] as const);
    let content = Array.from({ length: random.below(6) }, () => random.pick(lines)).join('\r\n');
    if (encoding === '8bit' || encoding === 'quoted-printable')
      content += random.pick(['', 'gr\xc3\xbc\xc3\x9f', '\xe5']);
    if (encoding === 'base64') content += random.pick(['', '\x00\x01\xff', 'bin\nary\r']);
    const fileName = random.chance(0.3)
      ? random.pick(['a.txt', 'r\xc3\xa4tsel.pdf', 'with "quotes".png'])
      : undefined;
    let header = `${this.#common(id, isRoot)}Content-Type: ${type}${type.startsWith('text/') ? '; charset=utf-8' : ''}\r\n`;
    if (encoding !== 'none') header += `Content-Transfer-Encoding: ${encoding}\r\n`;
    if (fileName !== undefined || this.asAttachments)
      header += `Content-Disposition: attachment${fileNameParameter(fileName)}\r\n`;
    return {
      kind: 'leaf',
      id,
      type,
      encoding,
      content,
      fileName,
      header,
      body: encodeSample(content, encoding),
    };
  }

  #common(id: number, isRoot: boolean): string {
    return isRoot
      ? `From: a@b.test\r\nSubject: message ${id}\r\nMIME-Version: 1.0\r\nX-Id: ${id}\r\n`
      : `X-Id: ${id}\r\n`;
  }
}

function fileNameParameter(name: string | undefined): string {
  if (name === undefined) return '';
  if (/[\x80-\xff]/.test(name))
    return `; filename*=utf-8''${[...name].map((char) => (/[A-Za-z0-9.]/.test(char) ? char : `%${char.charCodeAt(0).toString(16)}`)).join('')}`;
  return `; filename="${name.replace(/["\\]/g, '\\$&')}"`;
}

function encodeSample(content: string, encoding: SampleLeaf['encoding']): string {
  if (encoding === 'base64')
    return (
      Buffer.from(content, 'latin1')
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n');
  if (encoding !== 'quoted-printable') return content;
  return content
    .replace(
      /[=\x80-\xff]|[ \t](?=\r\n|$)/g,
      (char) => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .replace(/[^\r\n]{60}(?![\r\n]|$)/g, (line) => (/=.?$/.test(line) ? line : `${line}=\r\n`));
}

/** The part as bytes, one character each. */
export function sampleText(part: SamplePart): string {
  return `${part.header}\r\n${sampleBody(part)}`;
}

function sampleBody(part: SamplePart): string {
  if (part.kind === 'leaf') return part.body;
  const { boundary, preamble, epilogue, children } = part;
  let text = preamble === '' ? '' : `${preamble}\r\n`;
  for (const [index, child] of children.entries())
    text += `${index === 0 ? '' : '\r\n'}--${boundary}\r\n${sampleText(child)}`;
  return `${text}\r\n--${boundary}--${epilogue === '' ? '' : `\r\n${epilogue}`}`;
}

/** A message that something is wrong with. */
export function brokenMessage(random: SeededRandom, asAttachments = false): string {
  let text = sampleText(new SampleMaker(random, asAttachments).part());
  for (let damages = 1 + random.below(4); damages > 0; damages--) text = damage(text, random);
  return text;
}

function damage(text: string, random: SeededRandom): string {
  const at = random.below(text.length + 1);
  switch (random.below(10)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + random.below(40));
    case 2:
      return text.slice(0, at) + text.slice(random.below(text.length + 1)) + text.slice(at);
    case 3:
      return text.replaceAll('\r\n', '\n');
    case 4:
      return text.replace(/--[^\r\n]*--(?=\r\n|$)/, '');
    case 5:
      return text.replace(
        /boundary="([^"]*)"/i,
        random.pick(['boundary=""', 'boundary', 'boundary="$1', 'boundary=$1', '']),
      );
    default: {
      const noise = random.pick([
        '\r',
        '\n',
        '\r\n',
        '\x00',
        '\xff',
        '--',
        '\r\n--',
        '\n--\n',
        '\r\n\r\n',
        ':',
        ' ',
        '"',
        '--=_0\r\n',
        '--=_0--',
        '\r\n--=_1  \t\r\n',
        `${'-'.repeat(100)}`,
      ]);
      return text.slice(0, at) + noise + text.slice(at);
    }
  }
}
