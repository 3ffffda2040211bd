// dmarc, authentication-results and arc on real signatures; mailauth is the judge of what we seal, and seals what we judge.

import { generateKeyPairSync } from 'node:crypto';
import { authenticate, sealMessage } from 'mailauth';
import { describe, expect, test } from 'vitest';
import { createLocalServices } from '#stdlib';
import { type FixedZone, fixedLookup, fixedResolver } from '../../support/fixed-zone.js';
import { run } from '../../support/run-script.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const keyRecord = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;

const message = [
  'From: Ada <ada@news.author.co.uk>',
  'To: bob@reader.test',
  'Subject: Hello',
  'Date: Sun, 22 Nov 2026 10:00:00 +0000',
  'Message-ID: <1@author.co.uk>',
  '',
  'Hello Bob.',
  '',
].join('\r\n');

const zone: FixedZone = {
  's1._domainkey.author.co.uk': { txt: [keyRecord] },
  's1._domainkey.news.author.co.uk': { txt: [keyRecord] },
  's1._domainkey.other.test': { txt: [keyRecord] },
  '2018._domainkey.forwarder.test': { txt: [keyRecord] },
  '2018._domainkey.second.test': { txt: [keyRecord] },
  '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=reject; sp=quarantine'] },
  'news.author.co.uk': { a: ['192.0.2.9'], txt: ['v=spf1 ip4:192.0.2.1 -all'] },
  'author.co.uk': { a: ['192.0.2.9'], txt: ['v=spf1 ip4:192.0.2.1 -all'] },
};

function script(
  text: string,
  zoneNow: FixedZone = zone,
  files: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  return run(
    `import $raw from "message.eml.txt"; import $key from "key.pem.txt"; ${text}`,
    { 'message.eml.txt': message, 'key.pem.txt': pem, ...files },
    undefined,
    createLocalServices({
      hostname: () => 'mx.reader.test',
      network: {
        resolver: fixedResolver(zoneNow),
        mailClient: undefined,
        backgroundRequests: undefined,
        submission: undefined,
      },
    }),
  );
}

const withZone = (more: FixedZone): FixedZone => ({ ...zone, ...more });

describe('dmarc', () => {
  const check = (sign: string, spf: string, zoneNow = zone, options = '[]') =>
    script(
      `import { dmarc } from "extras://dmarc";
       $mail = MailMessage::String($raw);
       ${sign}
       $mail = MailMessage::String($mail->toString());
       $result = dmarc($mail, ${spf}, ${options});
       echo $result["result"]; echo $result["spf_align"] ?? ""; echo $result["dkim_align"] ?? "";
       echo $result["pdomain"] ?? ""; echo $result["policy"] ?? "";`,
      zoneNow,
    );
  const signedBy = (domain: string) => `$mail->signDKIM("s1", "${domain}", $key);`;
  const unlisted = '"198.51.100.7", "h.test", "news.author.co.uk"';

  test('a signature of the organisation passes', async () => {
    expect(await check(signedBy('author.co.uk'), unlisted)).toEqual([
      'pass',
      'fail',
      'pass',
      'author.co.uk',
      '',
    ]);
  });

  test('SPF of the organisation passes, without a signature', async () => {
    expect(await check('', '"192.0.2.1", "h.test", "author.co.uk"')).toEqual([
      'pass',
      'pass',
      'fail',
      'author.co.uk',
      '',
    ]);
  });

  test('a signature of somebody else does not count: the policy for subdomains does', async () => {
    expect(await check(signedBy('other.test'), unlisted)).toEqual([
      'quarantine',
      'fail',
      'unaligned',
      'author.co.uk',
      'quarantine',
    ]);
  });

  test('strict alignment wants the very domain', async () => {
    const strict = withZone({ '_dmarc.news.author.co.uk': { txt: ['v=DMARC1; p=reject; adkim=s'] } });
    expect((await check(signedBy('author.co.uk'), unlisted, strict))[0]).toBe('reject');
    expect((await check(signedBy('news.author.co.uk'), unlisted, strict))[0]).toBe('pass');
  });

  test('with pct=0 the next milder policy is used', async () => {
    const partial = withZone({ '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=reject; pct=0'] } });
    expect((await check('', unlisted, partial))[0]).toBe('quarantine');
  });

  test.each([
    ['policy_absent', { '_dmarc.author.co.uk': { txt: ['hello'] } }],
    ['policy_absent', { '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } }],
    ['temperror', { '_dmarc.author.co.uk': 'SERVFAIL' }],
    ['none', { '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=none'] } }],
    ['none', { '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=nonsense; rua=mailto:x@author.co.uk'] } }],
    ['temperror', { 'news.author.co.uk': 'SERVFAIL' }],
  ] as [string, FixedZone][])('the result is %s for %j', async (result, more) => {
    expect((await check('', unlisted, withZone(more)))[0]).toBe(result);
  });

  test('RFC 9989: the record nearest to the root counts, and test mode is one step milder', async () => {
    const walk = '["rfc9989" => true]';
    const testing = withZone({ '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=reject; t=y'] } });
    expect(await check('', unlisted, testing, walk)).toEqual([
      'quarantine',
      'fail',
      'fail',
      'author.co.uk',
      'reject',
    ]);
    expect((await check(signedBy('author.co.uk'), unlisted, zone, walk))[0]).toBe('pass');
    // A public suffix that says so keeps its customers apart.
    const suffix = withZone({
      '_dmarc.author.co.uk': { txt: ['v=DMARC1; p=reject; psd=y'] },
    });
    expect((await check(signedBy('author.co.uk'), unlisted, suffix, walk))[0]).toBe('reject');
  });

  test.each(['From: a@x.test, b@y.test', 'From: a@x.test\r\nFrom: b@x.test', 'Subject: nobody'])(
    'a message with %j has no author to judge',
    async (header) => {
      expect(
        await script(
          `import { dmarc } from "extras://dmarc"; import $other from "other.txt";
           echo dmarc(MailMessage::String($other), "192.0.2.1", "h.test", "x.test")["result"];
           echo dmarc(MailMessage::String($other)->toFile())["result"];`,
          zone,
          { 'other.txt': `${header}\r\n\r\nx\r\n` },
        ),
      ).toEqual(['permerror', 'permerror']);
    },
  );
});

describe('AuthenticationResults', () => {
  test('has a method in each line, with properties that cannot end the field', async () => {
    const [field] = await script(`
      import { AuthenticationResults } from "extras://authentication-results";
      import { dmarc } from "extras://dmarc";
      $mail = MailMessage::String($raw); $mail->signDKIM("s1", "author.co.uk", $key);
      $mail = MailMessage::String($mail->toString());
      $dmarc = dmarc($mail, "192.0.2.1", "h.test", "author.co.uk");
      echo AuthenticationResults()
        ->SPF("192.0.2.1", "h.test", "author.co.uk", ["smtp.remote-ip" => "192.0.2.1"])
        ->DKIM($mail)
        ->DMARC($dmarc)
        ->addMethod("arc", "none", ["header.oldest-pass" => 0])
        ->addMethod("auth", "pass", ["smtp.auth" => "a b\\r\\nX: \\"y"])
        ->toString("mx.reader.test");`);
    expect(field!.replace(/header\.b=(?:"[^"]*"|[^;\s]+)/, 'header.b=xxxxxxxx')).toBe(
      [
        'mx.reader.test',
        'spf=pass smtp.mailfrom=author.co.uk smtp.remote-ip=192.0.2.1',
        'dkim=pass header.d=author.co.uk header.s=s1 header.a=rsa-sha256 header.b=xxxxxxxx',
        'dmarc=pass header.from=news.author.co.uk',
        'arc=none header.oldest-pass=0',
        'auth=pass smtp.auth="a b X: \\"y"',
      ].join(';\r\n\t'),
    );
  });

  test('a message without signatures has dkim=none, and no method at all is none', async () => {
    expect(
      await script(`
        import { AuthenticationResults } from "extras://authentication-results";
        echo AuthenticationResults()->DKIM(MailMessage::String($raw))->toString();
        echo AuthenticationResults()->toString();
        echo AuthenticationResults()->SPF(["result" => "softfail"], "h.test", "")->toString("x");`),
    ).toEqual([
      'mx.reader.test;\r\n\tdkim=none',
      'mx.reader.test;\r\n\tnone',
      'x;\r\n\tspf=softfail smtp.helo=h.test',
    ]);
  });
});

describe('ARC', () => {
  const seal = (domain: string, status = 'spf=pass smtp.mailfrom=author.co.uk') => `
    $chain = ARC::chainValidate($mail);
    echo ARC::seal($mail, "2018", "${domain}", $key, $chain, "${domain}; ${status}");
    $mail = MailMessage::String($mail->toString());`;
  const begin = 'import { ARC } from "extras://arc"; $mail = MailMessage::String($raw);';

  async function judged(text: string): Promise<string> {
    const { arc } = await authenticate(Buffer.from(text, 'latin1'), {
      ip: '192.0.2.1',
      helo: 'h.test',
      sender: 'ada@author.co.uk',
      mta: 'mx.reader.test',
      resolver: fixedLookup(zone),
    } as Parameters<typeof authenticate>[1]);
    return (arc as { status: { result: string } }).status.result;
  }

  test('a message without sets has no chain', async () => {
    expect(await script(`${begin} echo ARC::chainValidate($mail);`)).toEqual(['["status"=>"none"]']);
  });

  test('what we seal, once and twice, we and mailauth find intact', async () => {
    const echoes = await script(`${begin}
      ${seal('forwarder.test')}
      echo ARC::chainValidate($mail); echo $mail->toString();
      ${seal('second.test', 'arc=pass')}
      echo ARC::chainValidate($mail); echo $mail->toString();`);
    expect([echoes[0], echoes[1], echoes[3], echoes[4]]).toEqual([
      'true',
      '["status"=>"pass","instances"=>1,"domains"=>[0=>"forwarder.test"],"oldestpass"=>0]',
      'true',
      '["status"=>"pass","instances"=>2,"domains"=>[0=>"forwarder.test",1=>"second.test"],"oldestpass"=>0]',
    ]);
    expect(await judged(echoes[2]!)).toBe('pass');
    expect(await judged(echoes[5]!)).toBe('pass');
  });

  test('what mailauth seals we find intact, and go on', async () => {
    const headers = await sealMessage(Buffer.from(message), {
      signingDomain: 'forwarder.test',
      selector: '2018',
      privateKey: pem,
      authResults: 'forwarder.test; spf=pass smtp.mailfrom=author.co.uk',
      cv: 'none',
    } as Parameters<typeof sealMessage>[1]);
    const echoes = await script(
      `import { ARC } from "extras://arc"; import $sealed from "sealed.txt"; $mail = MailMessage::String($sealed);
       echo ARC::chainValidate($mail)["status"]; ${seal('second.test')} echo $mail->toString();`,
      zone,
      { 'sealed.txt': headers.toString() + message },
    );
    expect(echoes.slice(0, 2)).toEqual(['pass', 'true']);
    expect(await judged(echoes[2]!)).toBe('pass');
  });

  test('a body that changed between two seals is told by the oldest set that still fits', async () => {
    const echoes = await script(`${begin} ${seal('forwarder.test')}
      $mail = MailMessage::String($mail->toString() . "-- list footer\\r\\n");
      echo ARC::chainValidate($mail)["status"];
      $chain = ["status" => "pass", "instances" => 1];
      ARC::seal($mail, "2018", "second.test", $key, $chain, "second.test; arc=pass");
      $mail = MailMessage::String($mail->toString());
      $chain = ARC::chainValidate($mail); echo $chain["status"]; echo $chain["oldestpass"];`);
    expect(echoes).toEqual(['true', 'fail', 'pass', '2']);
  });

  test.each([
    ['a changed result', 'str_replace("spf=pass", "spf=fail", $text)'],
    ['a changed seal', 'pcre_replace("/cv=none/", "cv=pass", $text)'],
    ['a missing set', 'pcre_replace("/^ARC-Seal:.*?\\\\r\\\\n(?![ \\\\t])/ms", "", $text)'],
    ['a set twice', '"ARC-Authentication-Results: i=1; x; spf=pass\\r\\n" . $text'],
    ['an instance without number', '"ARC-Authentication-Results: x; spf=pass\\r\\n" . $text'],
    ['a gap', 'pcre_replace("/i=1;/", "i=2;", $text)'],
  ])('%s breaks the chain', async (_, change) => {
    const echoes = await script(`${begin} ${seal('forwarder.test')}
      $text = $mail->toString();
      echo ARC::chainValidate(MailMessage::String(${change}))["status"];`);
    expect(echoes).toEqual(['true', 'fail']);
  });

  test('a broken chain is sealed once, as broken, behind its highest number, and then left alone', async () => {
    const echoes = await script(`${begin} ${seal('forwarder.test')}
      $mail = MailMessage::String("ARC-Authentication-Results: i=1; x; spf=pass\\r\\n" . $mail->toString());
      ${seal('second.test')}
      echo pcre_match("/^ARC-Seal: i=2; a=rsa-sha256; t=[0-9]+; cv=fail;/m", $mail->toString()) ? "sealed" : "not";
      $before = $mail->toString();
      ${seal('third.test')}
      echo $mail->toString() == $before;`);
    expect(echoes).toEqual(['true', 'true', 'sealed', 'none', 'true']);
  });
});

test('the published example runs with the old includes, in a hook that has the message', async () => {
  const echoes = await script(
    `include "authentication.header";
     include "authentication.arc";
     $connection = ["remoteip" => "192.0.2.1", "helo" => ["host" => "h.test"]];
     $transaction = ["senderaddress" => ["localpart" => "ada", "domain" => "author.co.uk"]];
     $arguments = ["mail" => MailMessage::String($raw)];
     $senderip = $connection["remoteip"];
     $chain = ARC::chainValidate();
     if ($chain["status"] == "pass" or $chain["status"] == "none")
     {
       ARC::seal(
         "2018", "forwarder.test", $key,
         $chain,
         AuthenticationResults()
           ->SPF(["smtp.client-ip" => $senderip])
           ->DKIM()
           ->DMARC()
           ->addMethod("arc", $chain["status"], ["header.oldest-pass" => $chain["oldestpass"] ?? "0"])
           ->toString());
     }
     echo $arguments["mail"]->toString();`,
  );
  expect(echoes).toHaveLength(1);
  expect(echoes[0]).toContain(
    'ARC-Authentication-Results: i=1; mx.reader.test;\r\n\tspf=pass smtp.mailfrom=author.co.uk smtp.client-ip=192.0.2.1;\r\n\tdkim=none;\r\n\tdmarc=pass header.from=news.author.co.uk;\r\n\tarc=none header.oldest-pass=0',
  );
});
