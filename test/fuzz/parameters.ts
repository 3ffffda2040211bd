// Arguments of MAIL and RCPT, right ones with pieces flipped, dropped and doubled. Whatever comes is read or refused with a
// reply of its kind, never with an exception; what is read is UTF-8, has each keyword once and in upper case, and no value
// that could end a line or a word.

import { isUtf8 } from 'node:buffer';
import { isAscii } from '#stdlib';
import { refuseMailParameters, refuseRcptParameters } from '../../src/smtp/parameters.js';
import { type PathArgument, parseMailArgument, parseRcptArgument } from '../../src/smtp/paths.js';
import { Reply } from '../../src/smtp/reply.js';
import { mutate } from './language.js';
import type { SeededRandom } from './random.js';
import { SeededRandom as Random } from './random.js';

export interface ParameterFuzzCounts {
  lines: number;
  /** Read, and nothing said against its parameters. */
  taken: number;
  refused: number;
}

const announced = [
  'SIZE 1000',
  '8BITMIME',
  'SMTPUTF8',
  'AUTH PLAIN',
  'DSN',
  'DELIVERBY 60',
  'FUTURERELEASE 86400 2030-01-01T00:00:00Z',
  'MT-PRIORITY MIXER',
  'REQUIRETLS',
  'X-OWN',
];
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const paths = [
  '<>',
  '<a@b.test>',
  '<@r.test:a@b.test>',
  '<"odd \\" name"@b.test>',
  '<a@[127.0.0.1]>',
  '<postmaster>',
].concat(['<jörg@bücher.test>', '<用户@例子.测试>', '<ü@[IPv6:::1]>'].map(latin1), '<\xff@b.test>');
const parameters = [
  'SIZE=100',
  'SIZE=99999',
  'BODY=8BITMIME',
  'SMTPUTF8',
  'AUTH=<>',
  'RET=HDRS',
  'ENVID=a+2Bb',
  'BY=120;R',
  'BY=-5;NT',
  'HOLDFOR=60',
  'HOLDUNTIL=2029-01-01T00:00:00+01:00',
  'MT-PRIORITY=-3',
  'REQUIRETLS',
  'X-OWN=anything',
  'NOTIFY=SUCCESS,DELAY',
  'ORCPT=rfc822;a+40b',
  `ORCPT=utf-8;${latin1('ü')}@b`,
  '__PROTO__=1',
  'CONSTRUCTOR',
];
const replyCodes = new Set([501, 552, 553, 554, 555]);

function line(random: SeededRandom, keyword: string): string {
  let text = `${keyword}:${random.pick(paths)}`;
  for (let count = random.below(4); count > 0; count--) text += ` ${random.pick(parameters)}`;
  return random.chance(0.5) ? mutate(text, random) : text;
}

function check(text: string, argument: PathArgument | Reply, hasUtf8: boolean): void {
  if (argument instanceof Reply) {
    if (!replyCodes.has(argument.code)) throw new Error(`refused with ${argument.toString()}`);
    return;
  }
  if (!isAscii(text) && !(hasUtf8 && isUtf8(Buffer.from(text, 'latin1'))))
    throw new Error('took bytes that are not ASCII');
  for (const [keyword, value] of Object.entries(argument.params)) {
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) throw new Error(`took the keyword ${keyword}`);
    if (/[\x00-\x20=\x7f]/.test(value)) throw new Error(`took the value ${value}`);
  }
}

/** Runs for `seconds`, or `count` lines. @throws with seed, number and line of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<ParameterFuzzCounts> {
  const random = new Random(seed);
  const counts: ParameterFuzzCounts = { lines: 0, taken: 0, refused: 0 };
  const deadline = performance.now() + seconds * 1000;
  const context = { announced, mostBytes: 1000, unixSeconds: () => 1_800_000_000, hasRoomFor: () => true };
  for (; counts.lines < count && performance.now() < deadline; counts.lines++) {
    const isMail = random.chance(0.5);
    const hasUtf8 = random.chance(0.5);
    const text = line(random, isMail ? 'FROM' : 'TO');
    try {
      const argument = isMail ? parseMailArgument(text) : parseRcptArgument(text, hasUtf8);
      const wantsUtf8 = argument instanceof Reply || !isMail ? hasUtf8 : 'SMTPUTF8' in argument.params;
      check(text, argument, wantsUtf8);
      const refusal =
        argument instanceof Reply
          ? argument
          : isMail
            ? refuseMailParameters(argument.params, context)
            : refuseRcptParameters(argument.params, context);
      if (refusal === undefined) counts.taken++;
      else if (replyCodes.has(refusal.code)) counts.refused++;
      else throw new Error(`refused with ${refusal.toString()}`);
    } catch (error) {
      throw new Error(`seed ${seed}, line ${counts.lines}: ${JSON.stringify(text)}`, { cause: error });
    }
    if (counts.lines % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return counts;
}
