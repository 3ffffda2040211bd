// signDKIM and verifyDKIM from scripts, through the VM.

import { describe, expect, test } from 'vitest';
import { run } from '../../../support/run-script.js';
import { ed25519Pem, message, rsaPem, zone } from './signing-world.js';

function quoted(text: string): string {
  return `"${text.replace(/[\\"$\r\n]/g, (char) => ({ '\r': '\\r', '\n': '\\n' })[char] ?? `\\${char}`)}"`;
}

const prelude = `
$rsa = ${quoted(rsaPem)};
$ed = ${quoted(ed25519Pem)};
$keys = ["rsa._domainkey.example.com" => ${quoted(zone['rsa._domainkey.example.com']!)}, "ed._domainkey.example.com" => ${quoted(zone['ed._domainkey.example.com']!)}];
function results($text) {
  global $keys;
  $mail = MailMessage::String($text);
  $results = [];
  foreach ($mail->getHeaders("DKIM-Signature", ["field" => true]) as $field)
    $results[] = $mail->verifyDKIM($field, ["dns_function" => function ($name) closure ($keys) {
      return isset($keys[$name]) ? ["result" => $keys[$name]] : ["error" => "permerror"];
    }])["result"];
  return $results;
}
$mail = MailMessage::String(${quoted(message.toString('latin1'))});
`;

describe('a message', () => {
  test('is signed, changed and signed again in one chain', async () => {
    const echoed = await run(`${prelude}
      echo $mail->signDKIM("rsa", "example.com", $rsa)->signDKIM("ed", "example.com", $ed, ["algorithm" => "ed25519-sha256"]) === $mail;
      echo results($mail->toString());`);
    expect(echoed).toEqual(['true', '[0=>"pass",1=>"pass"]']);
  });

  test('has a signature of its own for each recipient', async () => {
    const echoed = await run(`${prelude}
      $version = $mail->snapshot();
      $mail->setHeader("Subject", "one");
      $mail->signDKIM("rsa", "example.com", $rsa);
      $first = $mail->toString();
      $mail->restore($version);
      $mail->setBody("two");
      $mail->signDKIM("rsa", "example.com", $rsa);
      echo results($first);
      echo results($mail->toString());`);
    expect(echoed).toEqual(['[0=>"pass"]', '[0=>"pass"]']);
  });

  test('can have its signature added later', async () => {
    const echoed = await run(`${prelude}
      $field = $mail->signDKIM("rsa", "example.com", $rsa, ["return_header" => true]);
      echo results($mail->toString());
      $mail->addHeader("DKIM-Signature", $field[16:], ["encode" => false]);
      echo results($mail->toString());`);
    expect(echoed).toEqual(['[]', '[0=>"pass"]']);
  });

  test('cannot be verified without a resolver, which is an exception', async () => {
    const echoed = await run(`${prelude}
      $mail->signDKIM("rsa", "example.com", $rsa);
      $signed = MailMessage::String($mail->toString());
      $signed->verifyDKIM($signed->getHeader("DKIM-Signature", ["field" => true]));`);
    expect(echoed.at(-1)).toContain('there is no resolver');
  });
});

describe('a message in the making', () => {
  test('is signed when it is finished', async () => {
    const echoed = await run(`${prelude}
      $m = MIME()->addHeader("From", "a@example.com")
        ->signDKIM("rsa", "example.com", $rsa, ["additional_signatures" => [["selector" => "ed", "domain" => "example.com", "key" => $ed, "algorithm" => "ed25519-sha256"]]])
        ->addHeader("Subject", "Hi")->setBody("Hello\\r\\n");
      echo results($m->toString());
      $mail = MailMessage::String($m->toString());
      echo str_find($mail->getHeader("DKIM-Signature"), "subject") > 0;`);
    expect(echoed).toEqual(['[0=>"pass",1=>"pass"]', 'true']);
  });

  test('gives none for a key that is none, and is then not signed', async () => {
    const echoed = await run(`${prelude}
      $m = MIME()->addHeader("From", "a@example.com");
      echo $m->signDKIM("rsa", "example.com", "no key");
      echo results($m->toString());`);
    expect(echoed).toEqual(['none', '[]']);
  });
});
