// Our parser next to mailparser and postal-mime. On well-formed messages all three must see the same. On broken ones the
// others often differ from each other; there we must agree with one of them, or the rule that we follow instead has a
// name below.

import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../fuzz/random.js';
import { brokenMessage, SampleMaker, type SamplePart, sampleText } from '../../../support/mime-samples.js';
import {
  type LeafView,
  type MessageView,
  mailparserView,
  ourView,
  postalView,
} from '../../../support/mime-views.js';

/** What all three can say alike: mailparser guesses types that say nothing, postal-mime makes line ends its own. */
function comparable(view: MessageView, ours: MessageView): readonly LeafView[] {
  return view.leaves.map(({ type, fileName, content }, index) => ({
    type: isTelling(ours.leaves[index]?.type) && /^[a-z]+\/[-.+a-z]+$/.test(type) ? type : '',
    fileName,
    content: content
      .replaceAll('\r\n', '\n')
      .replace(/[ \t]+(?=\n|$)/g, '')
      .replace(/\n+$/, ''),
  }));
}

function isTelling(type: string | undefined): boolean {
  return type !== undefined && type !== 'application/octet-stream' && /^[a-z]+\/[-.+a-z]+$/.test(type);
}

async function threeViews(text: string): Promise<readonly [MessageView, MessageView, MessageView]> {
  const bytes = Buffer.from(text, 'latin1');
  return [await ourView(bytes), await mailparserView(bytes), await postalView(bytes)];
}

const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function contentsOf(part: SamplePart): string[] {
  return part.kind === 'leaf' ? [part.content] : part.children.flatMap(contentsOf);
}

test('whole messages are what was put into them, and the same to all three', async () => {
  const random = new SeededRandom(2045);
  for (let count = 0; count < 200; count++) {
    const sample = new SampleMaker(random, true).part();
    const [ours, mailparser, postal] = await threeViews(sampleText(sample));
    expect(ours.leaves.map(({ content }) => content)).toEqual(contentsOf(sample));
    expect(comparable(mailparser, ours)).toEqual(comparable(ours, ours));
    expect(comparable(postal, ours)).toEqual(comparable(ours, ours));
    expect(mailparser.fields).toEqual(ours.fields);
    expect(postal.fields).toEqual(ours.fields);
    // mailparser keeps every byte; only of an empty part it takes the delimiter's line end for content (RFC 2046 5.1.1).
    const contents = mailparser.leaves.map(({ content }, index) =>
      ours.leaves[index]!.content === '' && content === '\r\n' ? '' : content,
    );
    expect(contents).toEqual(ours.leaves.map(({ content }) => content));
  }
});

/** Generated broken messages that both others see differently than we do, and why we do. */
const ourRules: Readonly<Record<number, string>> = {
  308: 'a quote in the middle of a type counts for nothing',
  330: 'an encoding with an unknown name is none (RFC 2045 6.1); a delimiter ends all inside (RFC 2046 5.1.2)',
  433: 'blanks and a CR may follow a boundary; what follows a closing quote is no value',
  560: 'an unknown disposition is an attachment (RFC 2183 2.8); a delimiter ends a header too',
};

test('broken messages are to us what they are to one of the others, but for rules with a name', async () => {
  const random = new SeededRandom(2046);
  const alone: number[] = [];
  let unanimous = 0;
  const total = 600;
  for (let count = 0; count < total; count++) {
    const [ours, mailparser, postal] = await threeViews(brokenMessage(random, true));
    const seen = comparable(ours, ours);
    const agrees = [mailparser, postal].map((view) => equal(comparable(view, ours), seen));
    if (!agrees.includes(true)) alone.push(count);
    if (!agrees.includes(false)) unanimous++;
  }
  expect(alone).toEqual(Object.keys(ourRules).map(Number));
  expect(unanimous).toBeGreaterThan(total * 0.75);
});

/** A message that somebody broke, what its leaves are, and who sees it differently by which rule. */
interface HandBroken {
  readonly name: string;
  readonly text: string;
  /** Type, file name and content, line ends as LF and without blanks at the end of lines. */
  readonly leaves: readonly (readonly [string, string, string])[];
  readonly differs?: Partial<Record<'mailparser' | 'postal-mime', string>>;
}

const head = 'From: a@b.test\r\nMIME-Version: 1.0\r\n';
const attached = 'Content-Type: application/pdf\r\nContent-Disposition: attachment\r\n';
const pdf = 'application/pdf';

const handBroken: readonly HandBroken[] = [
  { name: 'nothing at all', text: '', leaves: [] },
  { name: 'a header without a body', text: `${head}${attached}`, leaves: [[pdf, '', '']] },
  { name: 'a body without a header', text: '\r\ntext', leaves: [] },
  {
    name: 'a multipart without a boundary',
    text: `${head}Content-Type: multipart/mixed\r\n\r\n--BB\r\n${attached}\r\nx\r\n--BB--\r\n`,
    leaves: [],
  },
  {
    name: 'an empty boundary',
    text: `${head}Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n${attached}\r\nx\r\n----\r\n`,
    leaves: [],
  },
  {
    name: 'a boundary that never comes',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--CC\r\n${attached}\r\nx\r\n--CC--\r\n`,
    leaves: [],
  },
  {
    name: 'no closing delimiter',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\n`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'no closing delimiter inside, where the outer one ends both (RFC 2046 5.1.2)',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\nContent-Type: multipart/mixed; boundary=CC\r\n\r\n--CC\r\n${attached}\r\nx\r\n--BB\r\n${attached}\r\ny\r\n--BB--\r\n`,
    leaves: [
      [pdf, '', 'x'],
      [pdf, '', 'y'],
    ],
    differs: { mailparser: 'waits for the inner delimiter only' },
  },
  {
    name: 'a boundary that begins another',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\nContent-Type: multipart/mixed; boundary=BB2\r\n\r\n--BB2\r\n${attached}\r\nx\r\n--BB2--\r\n--BB\r\n${attached}\r\ny\r\n--BB--\r\n`,
    leaves: [
      [pdf, '', 'x'],
      [pdf, '', 'y'],
    ],
  },
  {
    name: 'a boundary that begins another, the longer one outside',
    text: `${head}Content-Type: multipart/mixed; boundary=BB2\r\n\r\n--BB2\r\nContent-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\n--BB--\r\n--BB2\r\n${attached}\r\ny\r\n--BB2--\r\n`,
    leaves: [
      [pdf, '', 'x'],
      [pdf, '', 'y'],
    ],
  },
  {
    name: 'blanks behind delimiters',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB \t\r\n${attached}\r\nx\r\n--BB--  \r\nepilogue`,
    leaves: [[pdf, '', 'x']],
    differs: { mailparser: 'takes a closing delimiter with blanks for text' },
  },
  {
    name: 'text behind a delimiter',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\n--BB more\r\ny\r\n--BB--\r\n`,
    leaves: [[pdf, '', 'x\n--BB more\ny']],
  },
  {
    name: 'LF as line end',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\ny\r\n--BB--\r\n`.replaceAll(
      '\r\n',
      '\n',
    ),
    leaves: [[pdf, '', 'x\ny']],
  },
  {
    name: 'both kinds of line ends',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\n\r\n--BB\n${attached}\nx\ny\r\n--BB--\n`,
    leaves: [[pdf, '', 'x\ny']],
  },
  {
    name: 'no line end at the end',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\n--BB--`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a part of nothing',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n--BB\r\n${attached}\r\nx\r\n--BB--`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a part of a header only',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}--BB\r\n${attached}\r\nx\r\n--BB--`,
    leaves: [
      [pdf, '', ''],
      [pdf, '', 'x'],
    ],
    differs: { mailparser: 'does not look for delimiters in headers' },
  },
  {
    name: 'a part of a header and an empty line',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\n--BB\r\n${attached}\r\nx\r\n--BB--`,
    leaves: [
      [pdf, '', ''],
      [pdf, '', 'x'],
    ],
  },
  {
    name: 'a delimiter in the epilogue',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx\r\n--BB--\r\n--BB\r\n${attached}\r\ny\r\n--BB--\r\n`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a delimiter in the preamble that is none',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n --BB\r\n-- BB\r\n--BB\r\n${attached}\r\nx\r\n--BB--\r\n`,
    leaves: [[pdf, '', 'x']],
  },
  { name: 'a NUL in a body', text: `${head}${attached}\r\nx\x00y`, leaves: [[pdf, '', 'x\x00y']] },
  {
    name: '8-bit bytes in a header',
    text: `${head}Subject: gr\xfc\xdfe\r\n${attached}\r\nx`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: '8-bit bytes in a file name',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="gr\xc3\xbc\xc3\x9fe.pdf"\r\n\r\nx`,
    leaves: [[pdf, 'gr\xc3\xbc\xc3\x9fe.pdf', 'x']],
  },
  {
    name: 'a line in the header that is no field',
    text: `${head}what is this\r\n${attached}\r\nx`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a blank before the colon',
    text: `${head}Content-Type : application/pdf\r\nContent-Disposition: attachment\r\n\r\nx`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a folded field of blanks',
    text: `${head}Content-Type:\r\n application/pdf\r\nContent-Disposition:\r\n\tattachment\r\n\r\nx`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'comments in a Content-Type field',
    text: `${head}Content-Type: (a) application/pdf (b; c) ; (d) name=x.pdf\r\nContent-Disposition: attachment\r\n\r\nx`,
    leaves: [[pdf, 'x.pdf', 'x']],
    differs: { mailparser: 'does not know comments' },
  },
  {
    name: 'a file name without quotes and with a blank',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a b.pdf; x=y\r\n\r\nx`,
    leaves: [[pdf, 'a b.pdf', 'x']],
  },
  {
    name: 'a file name whose quote is not closed',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="a.pdf\r\n\r\nx`,
    leaves: [[pdf, 'a.pdf', 'x']],
  },
  {
    name: 'a file name in encoded words',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="=?utf-8?Q?gr=C3=BC=C3=9Fe.pdf?="\r\n\r\nx`,
    leaves: [[pdf, 'gr\xc3\xbc\xc3\x9fe.pdf', 'x']],
  },
  {
    name: 'a file name in sections',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=utf-8''gr%C3%BC; filename*1*=%C3%9Fe;\r\n filename*2=.pdf\r\n\r\nx`,
    leaves: [[pdf, 'gr\xc3\xbc\xc3\x9fe.pdf', 'x']],
  },
  {
    name: 'sections in disorder',
    text: `${head}Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*1=b.pdf; filename*0=a\r\n\r\nx`,
    leaves: [[pdf, 'ab.pdf', 'x']],
  },
  {
    name: 'a name in the Content-Type field only',
    text: `${head}Content-Type: application/pdf; name="n.pdf"\r\nContent-Disposition: attachment\r\n\r\nx`,
    leaves: [[pdf, 'n.pdf', 'x']],
  },
  {
    name: 'base64 with dirt in it',
    text: `${head}${attached}Content-Transfer-Encoding: base64\r\n\r\nSG Vs\tbG8!\r\n*gd29\r\nybGQ=\r\n`,
    leaves: [[pdf, '', 'Hello world']],
  },
  {
    name: 'base64 without its padding',
    text: `${head}${attached}Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gd28\r\n`,
    leaves: [[pdf, '', 'Hello wo']],
  },
  {
    name: 'base64 in pieces with padding each (RFC 2045 6.8)',
    text: `${head}${attached}Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\nIHdvcmxk\r\n`,
    leaves: [[pdf, '', 'Hello world']],
  },
  {
    name: 'quoted-printable with mistakes (RFC 2045 6.7)',
    text: `${head}${attached}Content-Transfer-Encoding: quoted-printable\r\n\r\na=3db=C=zz=\r\nd =\r\ne = \r\nf=`,
    leaves: [[pdf, '', 'a=b=C=zzd e f']],
    differs: { 'postal-mime': 'decodes half of a bad code' },
  },
  {
    name: 'a transfer encoding in capitals and with a comment',
    text: `${head}${attached}Content-Transfer-Encoding: BASE64 (standard)\r\n\r\nSGVsbG8=\r\n`,
    leaves: [[pdf, '', 'Hello']],
  },
  {
    name: 'an unknown transfer encoding',
    text: `${head}${attached}Content-Transfer-Encoding: x-none\r\n\r\nSGVsbG8=\r\n`,
    leaves: [[pdf, '', 'SGVsbG8=']],
  },
  {
    name: 'two Content-Type fields, of which the first counts',
    text: `${head}Content-Type: application/pdf\r\nContent-Type: image/png\r\nContent-Disposition: attachment\r\n\r\nx`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'a boundary in quotes with special characters',
    text: `${head}Content-Type: multipart/mixed; boundary="a=b;c'(d)?"\r\n\r\n--a=b;c'(d)?\r\n${attached}\r\nx\r\n--a=b;c'(d)?--\r\n`,
    leaves: [[pdf, '', 'x']],
  },
  {
    name: 'the closing delimiter in the middle of a line',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n${attached}\r\nx--BB--\r\ny\r\n--BB--\r\n`,
    leaves: [[pdf, '', 'x--BB--\ny']],
  },
  {
    name: 'a message inside of a message, which is one part',
    text: `${head}Content-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=CC\r\n\r\n--CC\r\n\r\nx\r\n--CC--\r\n--BB--\r\n`,
    leaves: [
      [
        'message/rfc822',
        '',
        'Subject: inner\nContent-Type: multipart/mixed; boundary=CC\n\n--CC\n\nx\n--CC--',
      ],
    ],
  },
];

describe('a message by hand', () => {
  test.each(handBroken.map((one) => [one.name, one] as const))('%s', async (_, { text, leaves, differs }) => {
    const [ours, mailparser, postal] = await threeViews(text);
    const seen = comparable(ours, ours);
    expect(seen.map(({ fileName, content }) => [fileName, content])).toEqual(
      leaves.map(([, fileName, content]) => [fileName, content]),
    );
    expect(ours.leaves.map(({ type }) => type)).toEqual(leaves.map(([type]) => type));
    const agree = {
      mailparser: equal(comparable(mailparser, ours), seen),
      'postal-mime': equal(comparable(postal, ours), seen),
    };
    expect(agree).toEqual({
      mailparser: differs?.mailparser === undefined,
      'postal-mime': differs?.['postal-mime'] === undefined,
    });
  });
});
