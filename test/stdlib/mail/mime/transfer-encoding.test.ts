import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chooseEncoding,
  decodeBody,
  encodeBody,
  fits,
  namedEncoding,
  traitsOf,
  withCrLf,
} from '../../../../stdlib/mail/mime/transfer-encoding.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const quoted = (text: string, isText = true) =>
  encodeBody(bytes(text), 'quoted-printable', isText).toString('latin1');
const unquoted = (text: string) => decodeBody(bytes(text), 'quoted-printable').toString('latin1');

/** Bytes that encodings stumble over, next to any others. */
const content = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\n', '\r', ' ', '\t', '=', '--', 'From ', '.', '\x00', '\xff', 'a'.repeat(80)),
      fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1')),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => bytes(pieces.join('')));

describe('quoted-printable', () => {
  test('keeps what is plain and escapes the rest', () => {
    expect(quoted('a = b\r\ngr\xfc\xdfe\r\n')).toBe('a =3D b\r\ngr=FC=DFe\r\n');
    expect(quoted('end \r\ntab\t')).toBe('end=20\r\ntab=09');
    expect(quoted('a\nb')).toBe('a\r\nb');
    expect(quoted('a\nb', false)).toBe('a=0Ab');
  });

  test('begins no line with what others would take for something else', () => {
    expect(quoted('--B\r\nFrom me\r\n.\r\n-x')).toBe('=2D-B\r\n=46rom me\r\n=2E\r\n-x');
  });

  test('decodes what senders write', () => {
    expect(unquoted('a=3db=3D \r\n')).toBe('a=b=\r\n');
    expect(unquoted('soft=\r\nhere= \t\nthere=')).toBe('softherethere');
    expect(unquoted('not=a code=4')).toBe('not=a code=4');
  });

  test('gives any bytes back, in lines of at most 76', () => {
    fc.assert(
      fc.property(content, (body) => {
        const encoded = encodeBody(body, 'quoted-printable', false);
        for (const line of encoded.toString('latin1').split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).toMatch(/^(?!--|From |\.)[\t\x20-\x7e]*$/);
        }
        expect(decodeBody(encoded, 'quoted-printable').equals(body)).toBe(true);
      }),
    );
  });

  test('gives a text back with its line ends made CR LF', () => {
    fc.assert(
      fc.property(content, (body) => {
        const encoded = encodeBody(body, 'quoted-printable', true);
        for (const line of encoded.toString('latin1').split('\r\n'))
          expect(line.length).toBeLessThanOrEqual(76);
        expect(decodeBody(encoded, 'quoted-printable').toString('latin1')).toBe(
          withCrLf(body).toString('latin1'),
        );
      }),
    );
  });
});

describe('base64', () => {
  test('gives any bytes back, in lines of at most 76', () => {
    fc.assert(
      fc.property(content, (body) => {
        const encoded = encodeBody(body, 'base64', true);
        for (const line of encoded.toString('latin1').split('\r\n'))
          expect(line).toMatch(/^[A-Za-z0-9+/]{0,76}={0,2}$/);
        expect(decodeBody(encoded, 'base64').equals(body)).toBe(true);
      }),
    );
  });

  test('skips what is outside of its alphabet and goes on behind padding', () => {
    const decode = (text: string) => decodeBody(bytes(text), 'base64').toString('latin1');
    expect(decode('SGVs\r\nbG8=\r\n')).toBe('Hello');
    expect(decode('S*GV-s_b G8=')).toBe('Hello');
    expect(decode('SGVsbG8')).toBe('Hello');
    expect(decode('SGVsbG8=IHRoZXJl')).toBe('Hello there');
    expect(decode('====')).toBe('');
  });
});

describe('the choice', () => {
  const chosen = (text: string, isText = true) => chooseEncoding(traitsOf(bytes(text)), isText);

  test('leaves alone what can go as it is', () => {
    expect(chosen('hello\r\nworld')).toBe('7bit');
    expect(chosen('hello\nworld')).toBe('7bit');
    expect(chosen('hello\nworld', false)).toBe('base64');
    expect(chosen('x'.repeat(998))).toBe('7bit');
  });

  test('takes quoted-printable for readable text and base64 for anything else', () => {
    expect(chosen('gr\xfcezi mitenand')).toBe('quoted-printable');
    expect(chosen('x'.repeat(999))).toBe('quoted-printable');
    expect(chosen('\xff\xfe\x00a')).toBe('base64');
    expect(chosen('gr\xfcezi mitenand', false)).toBe('base64');
  });

  test('never says that something fits that would be changed', () => {
    fc.assert(
      fc.property(content, fc.boolean(), (body, isText) => {
        const encoding = chooseEncoding(traitsOf(body), isText);
        expect(fits(traitsOf(body), encoding, isText)).toBe(true);
        const back = decodeBody(encodeBody(body, encoding, isText), encoding);
        const expected = isText && encoding !== 'base64' ? withCrLf(body) : body;
        expect(back.toString('latin1')).toBe(expected.toString('latin1'));
      }),
    );
  });
});

test('an encoding is known by its name in any case', () => {
  expect(namedEncoding('BASE64')).toBe('base64');
  expect(namedEncoding('')).toBe('7bit');
  expect(namedEncoding('x-uuencode')).toBeUndefined();
});
