import { afterAll, describe, expect, test } from 'vitest';
import { dsnOptionKeys, type Phase } from '#hooks';
import { phases } from '../../src/scripting/hook-programs.js';
import { ExampleWorld } from '../support/example-world/world.js';

// The `dsn` option as scripts write it (hooks 15), run through the language: what the queue gets, and what is refused.

const world = new ExampleWorld();
afterAll(() => world.close());

const actions: readonly (readonly [Phase, string])[] = [
  [phases.postdelivery, 'Bounce'],
  [phases.predelivery, 'Bounce'],
  [phases.postdelivery, 'Queue'],
  [phases.predelivery, 'Queue'],
];

/** What each of the four actions makes of the option. */
async function ends(written: string): Promise<string[]> {
  const found: string[] = [];
  for (const [phase, name] of actions) {
    const { end } = await world.runHook(phase, name, `${name}(["dsn" => ${written}]);`);
    found.push(end.replaceAll(name, 'Action'));
  }
  return found;
}

async function endOf(written: string): Promise<string> {
  const all = await ends(written);
  expect(new Set(all).size).toBe(1);
  return all[0]!;
}

describe('the option', () => {
  test.each<readonly [string, Record<string, unknown>]>([
    ['["transportid" => "outbound"]', { transportId: 'outbound' }],
    ['["recipient" => "a@b.test"]', { recipient: 'a@b.test' }],
    ['["recipient" => ["localpart" => "a", "domain" => "b.test"]]', { recipient: 'a@b.test' }],
    ['["metadata" => ["k" => "v"]]', { metadata: { k: 'v' } }],
    ['["from" => "post@b.test", "from_name" => "Post"]', { from: 'post@b.test', fromName: 'Post' }],
    ['["jobid" => "j", "tenantid" => "t", "priority" => 1]', { jobId: 'j', tenantId: 't', priority: 1 }],
    ['["quotas" => ["q"], "hold" => true, "delay" => 5]', { quotas: ['q'], hold: true, delaySeconds: 5 }],
    [
      '["original_headers" => false, "original_message" => true]',
      { originalHeaders: false, originalMessage: true },
    ],
    [
      '["subject" => "S", "subject_prepend" => "P: ", "reason" => "R"]',
      { subject: 'S', subjectPrepend: 'P: ', reason: 'R' },
    ],
    [
      '["headers" => ["Foo: Bar", "X-Two:  b  ", "X-Folded: a\\r\\n b"]]',
      {
        headers: [
          { name: 'Foo', value: 'Bar' },
          { name: 'X-Two', value: 'b' },
          { name: 'X-Folded', value: 'a\r\n b' },
        ],
      },
    ],
    [
      '["readable_mimepart" => "Content-Type: text/html\\r\\n\\r\\n<b>x</b>\\r\\n"]',
      { readablePart: 'Content-Type: text/html\r\n\r\n<b>x</b>\r\n' },
    ],
  ])('%s is what the queue gets, from each action', async (written, options) => {
    const end = await endOf(written);
    const given = JSON.parse(end.slice('Action '.length)) as { dsn: Record<string, unknown> };
    expect(given.dsn).toEqual({
      ...options,
      // The example world leaves out what is as ever.
    });
  });

  test('a part of MIME() is one', async () => {
    const end = await endOf(
      '["readable_mimepart" => MIME()->setType("text/html")->setBody("<em>late</em>")->toString()]',
    );
    expect(end).toContain('Content-Type: text/html; charset=utf-8');
  });

  test('a part may be the MIME itself, as in the published example of a tailored delay', async () => {
    const end = await endOf(
      '["readable_mimepart" => MIME()->setBody("<em>choo choo train is delayed</em>"), "original_headers" => false, "subject_prepend" => "Not making it in time: ", "headers" => ["Foo: Bar"]]',
    );
    expect(JSON.parse(end.slice('Action '.length))).toEqual({
      dsn: {
        readablePart: expect.stringMatching(
          /^Content-Type: text\/plain[^\0]*\r\n\r\n<em>choo choo train is delayed<\/em>$/,
        ),
        originalHeaders: false,
        subjectPrepend: 'Not making it in time: ',
        headers: [{ name: 'Foo', value: 'Bar' }],
      },
    });
  });

  test('signatures are made ready', async () => {
    const end = await endOf(
      '["dkim" => ["selector" => "s", "domain" => "example.com", "key" => "pki:example", "headers" => ["from"], "timestamp" => true]]',
    );
    expect(end).toContain('"signatures":[{"selector":"s","domain":"example.com"');
    expect(end).toContain('"headers":["from"]');
    const two = await endOf(
      '["dkim" => ["selector" => "s", "domain" => "example.com", "key" => "pki:example", "additional_signatures" => [["selector" => "ed", "domain" => "example.com", "key" => "pki:example-ed25519", "algorithm" => "ed25519-sha256"]]]]',
    );
    expect(two).toContain('"selector":"ed"');
  });

  test('none is nothing, as a whole and for each key', async () => {
    expect(await endOf('none')).toBe('Action');
    for (const key of Object.keys(dsnOptionKeys))
      expect(await endOf(`["${key}" => none]`)).toBe('Action {"dsn":{}}');
  });
});

describe('what makes no sense is told to the script', () => {
  test.each([
    ['["transportid" => "gone"]', '"transportid" in "dsn" is "gone", and there is no such transport'],
    ['["recipient" => ""]', '"recipient" in "dsn" is empty; expected an address'],
    ['["recipient" => "nobody"]', '"recipient" in "dsn" is no address: "nobody"; expected local@domain'],
    ['["from" => "a b@c"]', '"from" in "dsn" is no address'],
    ['["metadata" => ["k" => 1]]', '"metadata" in "dsn": the value of "k" must be a string'],
    ['["subject" => 5]', '"subject" in "dsn" must be a string, not a number'],
    ['["recipient" => 5]', '"recipient" in "dsn" must be a string or an array, not a number'],
    ['["priority" => 2]', '"priority" in "dsn" is 2; expected one of 0, 1'],
    ['["delay" => -1]', '"delay" in "dsn" is -1; expected seconds from 0'],
    ['["headers" => ["no field"]]', 'has "no field" in it; expected lines such as "Name: value"'],
    ['["headers" => ["Content-Type: text/plain"]]', 'has the field "Content-Type" in it'],
    ['["headers" => ["A: b\\r\\nBcc: c@d"]]', 'the field "A" has a line end in it'],
    ['["headers" => ["A: b\\rBcc: c@d"]]', 'the field "A" has a line end in it'],
    ['["headers" => ["A: b\\r\\n\\r\\nbody"]]', 'the field "A" has a line end in it'],
    [
      '["readable_mimepart" => MailMessage::String("A: b\\r\\n\\r\\nx")]',
      'must be a MIME or a text, not another object',
    ],
    ['["readable_mimepart" => "just text"]', 'is no MIME part; expected header lines'],
    ['["readable_mimepart" => "A: b\\nno field\\n\\nx"]', 'is no MIME part; expected header lines'],
    ['["readable_mimepart" => "A: b\\n\\na\\rb"]', 'has a NUL or a lone CR in it'],
    ['["readable_mimepart" => "A: b\\n\\n" . str_repeat("x", 999)]', 'has a line of 999 bytes; at most 998'],
    ['["readable_mimepart" => "A: b\\n\\n" . str_repeat("x\\n", 600000)]', 'at most 1048576 are possible'],
    ['["dkim" => ["selector" => "s"]]', '"domain" in '],
    ['["dkim" => ["selector" => "s", "domain" => "d.test", "key" => "no key"]]', 'cannot sign: the selector'],
    [
      '["dkim" => ["selector" => "s", "domain" => "d.test", "key" => "pki:example", "algorithm" => "x"]]',
      'must be one of',
    ],
  ])('%s', async (written, problem) => {
    const end = await endOf(written);
    expect(end).toMatch(/^error: .*Action/);
    expect(end).toContain(problem);
  });

  test('a line of exactly 998 bytes can be sent', async () => {
    expect(
      await endOf('["readable_mimepart" => "A: b\\r\\n\\r\\n" . str_repeat("x", 998) . "\\r\\n"]'),
    ).toMatch(/^Action/);
  });
});

test.each([phases.predelivery, phases.postdelivery])(
  'a transport that is not configured is an error of the script: %o',
  async (phase) => {
    const { end } = await world.runHook(phase, 'Queue', 'Queue(["transportid" => "gone"]);');
    expect(end).toContain(
      'Queue: "transportid" is "gone", and there is no such transport in the configuration (transportgroups in smtpd-app.yaml)',
    );
    const known = await world.runHook(phase, 'Queue', 'Queue(["transportid" => "outbound"]);');
    expect(known.end).toBe('Queue {"transportId":"outbound"}');
  },
);

test.each([
  ['predelivery', 'Try', 'Try(["port" => 26]);', 'Try {"port":26,"notice":{"fromName":"Post"}}'],
  ['predelivery', 'Queue', 'Queue();', 'Queue {"dsn":{"fromName":"Post"},"notice":{"fromName":"Post"}}'],
  ['postdelivery', 'Default', 'Default();', 'Default {"notice":{"fromName":"Post"}}'],
  [
    'postdelivery',
    'Bounce',
    'Bounce(["dsn" => ["jobid" => "j"]]);',
    'Bounce {"dsn":{"jobId":"j"},"notice":{"fromName":"Post"}}',
  ],
] as const)('SetDSN() says it for the whole run: %s, %s, %s', async (phase, action, rest, expected) => {
  const { end } = await world.runHook(phases[phase], action, `SetDSN(["from_name" => "Post"]);${rest}`);
  expect(end).toBe(expected);
});

test('Queue has its own options beside it', async () => {
  const { end } = await world.runHook(
    phases.postdelivery,
    'Queue',
    'Queue(["delay" => 3600, "dsn_delayed" => true, "jobid" => "slow"]);',
  );
  expect(end).toBe('Queue {"delaySeconds":3600,"jobId":"slow","dsnDelayed":true}');
});
