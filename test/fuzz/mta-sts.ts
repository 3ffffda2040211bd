// What strangers publish about TLS: policy files, the TXT records that name them, TLSA records. Reading them never throws and
// ends soon; what is understood is well-formed, and means the same when it is written down and read again.

import { unusableBecause } from '../../src/delivery/security/dane/tlsa.js';
import {
  LARGEST_FILE_BYTES,
  LONGEST_AGE_SECONDS,
  matchesPolicy,
  parsePolicy,
  policyLines,
} from '../../src/delivery/security/mta-sts/policy.js';
import { policyId } from '../../src/delivery/security/mta-sts/record.js';
import { SeededRandom } from './random.js';

export interface MtaStsFuzzCounts {
  policies: number;
  understood: number;
  records: number;
  ids: number;
  tlsa: number;
  usable: number;
}

const PATTERN = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

function noise(random: SeededRandom, most: number): string {
  let text = '';
  for (let bytes = random.below(most); bytes > 0; bytes--) text += String.fromCharCode(random.below(256));
  return text;
}

function host(random: SeededRandom): string {
  return random.pick([
    'mx.a.test',
    '*.a.test',
    'MX.A.test.',
    '*',
    '*.*.test',
    '',
    'xn--bcher-kva.test',
    'b\xc3\xbccher.test',
    '\xff\xfe.test',
    '-a.test',
    `${'a'.repeat(random.below(80))}.test`,
    'a.'.repeat(random.below(200)),
    noise(random, 12),
  ]);
}

function line(random: SeededRandom): string {
  return random.pick([
    'version: STSv1',
    'version:STSv1 ',
    'version: STSv2',
    `mode: ${random.pick(['enforce', 'testing', 'none', 'ENFORCE', noise(random, 5)])}`,
    `max_age: ${random.pick(['86400', '0', '9999999999', '99999999999', '-1', '1e5', '0x10'])}`,
    `mx: ${host(random)}`,
    `mx:${' '.repeat(random.below(3000))}${host(random)}${'\t'.repeat(random.below(3000))}`,
    `x-${random.below(10)}: ${noise(random, 40)}`,
    ':',
    '',
    noise(random, 20),
  ]);
}

function policyText(random: SeededRandom): string {
  const lines = random.chance(0.7)
    ? ['version: STSv1', 'mode: enforce', 'max_age: 86400', `mx: ${host(random)}`]
    : [];
  for (let more = random.below(6); more > 0; more--)
    lines.splice(random.below(lines.length + 1), 0, line(random));
  const text = lines.join(random.pick(['\n', '\r\n', '\r', '\n\n']));
  return random.chance(0.01) ? text + 'x: y\n'.repeat(20_000) : text;
}

function checkPolicy(text: string, random: SeededRandom, counts: MtaStsFuzzCounts): void {
  counts.policies++;
  const policy = parsePolicy(text);
  if ('problem' in policy) return;
  counts.understood++;
  const { mx, maxAgeSeconds } = policy;
  if (text.length > LARGEST_FILE_BYTES) throw new Error('a file of any size is taken');
  if (!(maxAgeSeconds >= 0 && maxAgeSeconds <= LONGEST_AGE_SECONDS))
    throw new Error(`an age of ${maxAgeSeconds}`);
  const wrong = mx.find((pattern) => !PATTERN.test(pattern) || pattern.length > 255);
  if (wrong !== undefined) throw new Error(`the pattern ${JSON.stringify(wrong)}`);
  if (JSON.stringify(parsePolicy(policyLines(policy).join('\n'))) !== JSON.stringify(policy))
    throw new Error('it means something else when it is written down');
  const name = host(random);
  if (matchesPolicy(name, policy) && !mx.some((pattern) => isAlike(name, pattern)))
    throw new Error(`${JSON.stringify(name)} is taken for a host of ${mx.join(', ')}`);
}

/** The rule once more, label by label. */
function isAlike(name: string, pattern: string): boolean {
  const labels = name.replace(/\.$/, '').toLowerCase().split('.');
  const wanted = pattern.split('.');
  return (
    labels.length === wanted.length && wanted.every((label, at) => label === '*' || label === labels[at])
  );
}

function checkRecord(random: SeededRandom, counts: MtaStsFuzzCounts): void {
  counts.records++;
  const texts = Array.from({ length: random.below(4) }, () =>
    random.pick([
      'v=STSv1; id=1;',
      `v=STSv1; id=${noise(random, 40)}`,
      `v=STSv1;${' ;'.repeat(random.below(3000))}`,
      `v=STSv1; x=${noise(random, 8)}; id=abc`,
      noise(random, 40),
    ]),
  );
  const id = policyId(texts);
  if (id === undefined) return;
  counts.ids++;
  if (!/^[A-Za-z0-9]{1,32}$/.test(id)) throw new Error(`the id ${JSON.stringify(id)}`);
}

function checkTlsa(random: SeededRandom, counts: MtaStsFuzzCounts): void {
  counts.tlsa++;
  const bytes = random.pick([0, 1, 31, 32, 33, 64, random.below(300)]);
  const data = Buffer.from(Array.from({ length: bytes }, () => random.below(256)));
  const [usage, selector, matchingType] = [random.below(5), random.below(3), random.below(4)];
  const problem = unusableBecause({ usage, selector, matchingType, data: data.toString('hex') });
  if (problem !== undefined) return;
  counts.usable++;
  if (
    usage < 2 ||
    usage > 3 ||
    selector > 1 ||
    (matchingType === 1 && bytes !== 32) ||
    (matchingType === 2 && bytes !== 64)
  )
    throw new Error(`TLSA ${usage} ${selector} ${matchingType} with ${bytes} bytes is called usable`);
}

/** Runs for `seconds`, or `count` rounds. @throws with seed and number of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<MtaStsFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: MtaStsFuzzCounts = { policies: 0, understood: 0, records: 0, ids: 0, tlsa: 0, usable: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.policies < count && performance.now() < deadline) {
    const text = policyText(random);
    try {
      checkPolicy(text, random, counts);
      checkRecord(random, counts);
      checkTlsa(random, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${counts.policies}: ${JSON.stringify(text.slice(0, 2000))}`, {
        cause: error,
      });
    }
  }
  return counts;
}
