// The class Iconv (stdlib 14).

import { type CallContext, method, nativeClass, ScriptFault, staticMethod } from '#lang';
import { LONGEST_TEXT_BYTES, reserveText } from '../limits.js';
import { type Conversion, openConversion } from './iconv.js';

/** A conversion until it is closed. */
interface IconvState {
  readonly conversion: Conversion;
  isClosed: boolean;
}

function convert(state: IconvState, text: string, ctx: CallContext): string | null {
  if (state.isClosed) throw new ScriptFault('Iconv->convert: the conversion is closed');
  // Four bytes for each are the most that one byte becomes (UTF-32); the text in between is charged with it.
  reserveText(ctx, 'Iconv->convert', Math.min(text.length * 4, LONGEST_TEXT_BYTES));
  const converted = state.conversion.convert(Buffer.from(text, 'latin1'));
  if (converted === undefined) return null;
  if (converted.length > LONGEST_TEXT_BYTES) reserveText(ctx, 'Iconv->convert', converted.length);
  return converted.toString('latin1');
}

export const Iconv = nativeClass<IconvState>({
  name: 'Iconv',
  summary: 'Converts text from one character set to another.',
  details:
    'Behind the name of the target, `//TRANSLIT` writes something alike for characters that the target lacks (`€` becomes ' +
    '`EUR`, `é` an `e`, and `?` what nothing is alike), and `//IGNORE` leaves out what cannot be read or written. The ' +
    'constructor gives none for a character set that is not known.',
  group: 'encodings',
  since: '5.3',
  source: 'stdlib 14',
  example:
    'Iconv("ISO-8859-1", "UTF-8")->convert("\\xf6")  // "\\u00f6"\n' +
    'Iconv("UTF-8", "US-ASCII//TRANSLIT")->convert("10 \\xe2\\x82\\xac")  // "10 EUR"\n' +
    'Iconv("UTF-8", "x-unknown")  // null',
  constructorOf: staticMethod({
    name: 'Iconv',
    summary: 'Opens a conversion.',
    params: [
      { name: 'from', type: 'string', doc: 'Name of the character set that texts are in.' },
      { name: 'to', type: 'string', doc: 'Name of the one they shall be in.' },
    ],
    returns: 'Iconv|none',
    errors: 'none for a character set that is not known.',
    example: 'Iconv("ISO-8859-1", "UTF-8")->convert("abc")  // "abc"',
    run: (from, to) => {
      const conversion = openConversion(from, to);
      return conversion === undefined ? null : { conversion, isClosed: false };
    },
  }),
  methods: [
    method<IconvState>()({
      name: 'convert',
      summary: 'Converts a whole text.',
      params: [{ name: 'text', type: 'string' }],
      returns: 'string|none',
      errors:
        'none when the text is malformed or has a character that the target lacks; `errno` tells which. An exception after `close`.',
      example:
        'Iconv("UTF-8", "US-ASCII")->convert("abc")  // "abc"\nIconv("UTF-8", "US-ASCII")->convert("\\xc3\\xa9")  // null\nIconv("UTF-8", "US-ASCII//IGNORE")->convert("\\xc3\\xa9t\\xc3\\xa9")  // "t"',
      run: convert,
    }),
    method<IconvState>()({
      name: 'errno',
      summary: 'Why the last conversion failed: 84 (EILSEQ) or 22 (EINVAL), and 0 when it did not.',
      details:
        'EILSEQ: a malformed sequence, or a character that cannot be written. EINVAL: the text ends inside a character.',
      params: [],
      returns: 'number',
      example:
        '$iconv = Iconv("UTF-8", "ISO-8859-1");\necho json_encode($iconv->convert("\\xff"));  // null\necho $iconv->errno();  // 84\necho json_encode($iconv->convert("a\\xc3"));  // null\necho $iconv->errno();  // 22',
      run: ({ conversion }) => conversion.errno,
    }),
    method<IconvState>()({
      name: 'close',
      summary: 'Ends the use of the conversion.',
      params: [],
      returns: 'none',
      example:
        '$iconv = Iconv("ISO-8859-1", "UTF-8");\n$text = $iconv->convert("abc");\n$iconv->close();\necho $text;  // abc',
      run: (state) => {
        state.isClosed = true;
        return null;
      },
    }),
  ],
});
