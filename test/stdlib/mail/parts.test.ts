// Parts of messages as scripts see and change them.

import { describe, expect, test } from 'vitest';
import { run } from '../../support/run-script.js';

const mail = [
  'From: a@b.test',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="B"',
  '',
  'preamble',
  '--B',
  'Content-Type: multipart/alternative; boundary="C"',
  '',
  '--C',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'plain',
  '--C',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<p>h=C3=BC</p>',
  '--C--',
  '--B',
  'Content-Type: application/pdf; name="a.pdf"',
  'Content-Disposition: attachment; filename="A Name.PDF"',
  'Content-Transfer-Encoding: base64',
  '',
  'AAEC',
  '--B--',
  'epilogue',
].join('\r\n');

const quote = (text: string) =>
  `"${text
    .replace(/[\\"$]/g, '\\$&')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')}"`;

/** Runs a script with `$m`, a message, and `shape($m)`: types, ids and contents of its parts. */
async function withMail(script: string, text = mail): Promise<string[]> {
  return run(`
    function say(...$values) { foreach ($values as $value) echo $value; }
    function shape($part) {
      $parts = $part->getParts();
      if ($parts == []) return $part->getType() . ":" . $part->getBody();
      return $part->getType() . "(" . array_join(array_map(shape, $parts), " ") . ")";
    }
    function again($m) { return MailMessage::String($m->toString()); }
    $m = MailMessage::String(${quote(text)});
    ${script}`);
}

describe('getters', () => {
  test('walk the tree', async () => {
    expect(
      await withMail(`
        say(array_join(array_map(function ($p) { return $p->getID() . "=" . $p->getType(); }, $m->getParts()), " "));
        say($m->getByID("1.2")->getBody() == "<p>h\\xc3\\xbc</p>");
        say($m->getByID("1.2")->getBody(["decode" => false]));
        say($m->getByID("3") === none, $m->getByID("1.x") === none, $m->getByID("") == $m);
        say($m->getByID("1")->getParts()[0] == $m->getByID("1.1"));
        say($m->getPreamble() . "|" . $m->getEpilogue() . "|" . string($m->getByID("2")->getPreamble() === none));
        say($m->getByID("2")->getSize());`),
    ).toEqual([
      '1=multipart/alternative 2=application/pdf',
      'true',
      '<p>h=C3=BC</p>',
      'true',
      'true',
      'true',
      'true',
      'preamble|epilogue|true',
      '142',
    ]);
  });

  test('find parts by type and file name', async () => {
    expect(
      await withMail(`
        say(array_map(function ($p) { return $p->getID(); }, $m->findByType("TEXT/")));
        say(array_map(function ($p) { return $p->getID(); }, $m->findByType("/TEXT/")));
        say(array_map(function ($p) { return $p->getID(); }, $m->findByType(pcre_compile("^multipart"))));
        say(array_map(function ($p) { return $p->getID(); }, $m->findByFileName("name\\\\.pdf$")));
        say($m->getByID("1")->findByFileName(".") == []);
        try { $m->findByType("("); } catch ($e) { echo str_find($e->message(), "findByType") >= 0; }`),
    ).toEqual(['[0=>"1.1",1=>"1.2"]', '[]', '[0=>"1"]', '[0=>"2"]', 'true', 'true']);
  });

  test('say what a part is that says nothing, or nonsense', async () => {
    expect(
      await withMail(`
        say(MailMessage::String("A: 1\\r\\n\\r\\n")->getType());
        say(MailMessage::String("Content-Type: text\\r\\n\\r\\n")->getType() === none);
        $d = MailMessage::String("Content-Type: multipart/digest; boundary=B\\r\\n\\r\\n--B\\r\\n\\r\\nSubject: x\\r\\n--B--");
        say($d->getParts()[0]->getType());
        say(MailMessage::String("")->getFileName() === none, MailMessage::String("")->getTypeParameter("x") === none);
        say(MailMessage::String("Content-Type: multipart/mixed; boundary=B\\r\\n\\r\\n--B")->getErrors());`),
    ).toEqual(['text/plain', 'true', 'message/rfc822', 'true', 'true', '[0=>"unclosed_boundary"]']);
  });
});

describe('bodies', () => {
  test('keep their own encoding, and all else stays byte for byte', async () => {
    expect(
      await withMail(`
        $m->getByID("2")->setBody("new content");
        say($m->toString() == str_replace("AAEC", base64_encode("new content"), ${quote(mail)}));
        $m->reset();
        say($m->getByID("1.2")->setBody("<p>\\xe2\\x82\\xac</p>") == $m->getByID("1.2"));
        say($m->toString() == str_replace("h=C3=BC", "=E2=82=AC", ${quote(mail)}));
        say(again($m)->getByID("1.2")->getBody() == "<p>\\xe2\\x82\\xac</p>");`),
    ).toEqual(['true', 'true', 'true', 'true']);
  });

  test('get another encoding, said in the header, when their own cannot hold them', async () => {
    expect(
      await withMail(`
        $p = $m->getByID("1.1");
        $p->setBody("gr\\xc3\\xbc\\xc3\\x9fe, viele liebe, sehr viele");
        say(again($m)->getByID("1.1")->getHeader("Content-Transfer-Encoding"));
        $p->setBody("plain again");
        say(again($m)->getByID("1.1")->getBody());
        $p->setBody("--B\\r\\n--C--\\r\\n");
        say(shape(again($m)));
        $m->reset();
        $p->setBody("x", ["encoding" => "base64"]);
        say(again($m)->getByID("1.1")->getHeader("Content-Transfer-Encoding"), again($m)->getByID("1.1")->getBody());`),
    ).toEqual([
      'quoted-printable',
      'plain again',
      'multipart/mixed(multipart/alternative(text/plain:--B\r\n--C--\r\n text/html:<p>h\xc3\xbc</p>) application/pdf:\x00\x01\x02)',
      'base64',
      'x',
    ]);
  });

  test('that cannot be set are none', async () => {
    expect(
      await withMail(`
        say($m->setBody("x") === none, $m->getByID("1.1")->setBody("\\xff", ["encoding" => "7bit"]) === none);
        say($m->getByID("1.1")->setBody("--B", ["encoding" => "7bit"]) === none);
        say($m->toString() == ${quote(mail)});
        try { $m->getByID("1.1")->setBody("x", ["encoding" => "uuencode"]); } catch ($e) { echo $e->message(); }`),
    ).toEqual([
      'true',
      'true',
      'true',
      'true',
      'option "encoding" of argument 2 (options) of MIMEPart->setBody must be one of "7bit", "8bit", "quoted-printable", "base64", not "uuencode"',
    ]);
  });
});

test('what a message and its parts share names the one it was called on', async () => {
  expect(
    await withMail(`
      foreach ([$m, $m->getByID("1.1")] as $of)
        try { $of->setBody("x", ["encoding" => "uuencode"]); } catch ($e) { echo pcre_match("[A-Za-z]+->", $e->message())[0]; }`),
  ).toEqual(['MailMessage->', 'MIMEPart->']);
});

describe('texts around the parts', () => {
  test('can be replaced, but never with a delimiter', async () => {
    expect(
      await withMail(`
        $m->setPreamble("")->setEpilogue("the\\nend");
        say(again($m)->getPreamble() == "", again($m)->getEpilogue() == "the\\r\\nend");
        say($m->setPreamble("x\\n--B\\nContent-Type: text/evil") === none, $m->getByID("1")->setEpilogue("--B--") === none);
        $m->getByID("1")->setEpilogue("inner");
        say(shape(again($m)) == shape($m));
        say(again($m)->getByID("1")->getEpilogue());`),
    ).toEqual(['true', 'true', 'true', 'true', 'true', 'inner']);
  });
});

describe('putting parts in', () => {
  test('beside one in a multipart of that type, in the order of the calls', async () => {
    expect(
      await withMail(`
        $p = $m->getByID("2");
        $p->appendPart(MIME()->setBody("1"))->appendPart(MIME()->setBody("2"));
        $p->prependPart(MIME()->setBody("3"))->prependPart(MIME()->setBody("4"));
        say(shape(again($m)));`),
    ).toEqual([
      'multipart/mixed(multipart/alternative(text/plain:plain text/html:<p>h\xc3\xbc</p>) text/plain:3 text/plain:4 application/pdf:\x00\x01\x02 text/plain:1 text/plain:2)',
    ]);
  });

  test('into the message, when it is a multipart of that type', async () => {
    expect(
      await withMail(`
        $m->appendPart(MIME()->setBody("last"))->prependPart(MIME()->setBody("first"));
        say(shape(again($m)));
        say(again($m)->getPreamble(), again($m)->getEpilogue(), again($m)->getHeader("Subject"));`),
    ).toEqual([
      'multipart/mixed(text/plain:first multipart/alternative(text/plain:plain text/html:<p>h\xc3\xbc</p>) application/pdf:\x00\x01\x02 text/plain:last)',
      'preamble',
      'epilogue',
      'parts',
    ]);
  });

  test('around one of another type', async () => {
    expect(
      await withMail(`
        $m->getByID("1.2")->appendPart(MIME()->setType("image/png")->setBody("png"), ["type" => "multipart/related; type=\\"text/html\\""]);
        $n = again($m);
        say(shape($n), $n->getByID("1.2")->getTypeParameter("type"));`),
    ).toEqual([
      'multipart/mixed(multipart/alternative(text/plain:plain multipart/related(text/html:<p>h\xc3\xbc</p> image/png:png)) application/pdf:\x00\x01\x02)',
      'text/html',
    ]);
  });

  test('around a whole message: its own fields stay on top, those of the body move', async () => {
    const text =
      'From: a@b.test\r\nContent-Type: text/html; charset=utf-8\r\nSubject: s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>\xc3\xbc</p>\r\n';
    expect(
      await withMail(
        `
        $m->addHeader("X-New", "1");
        $m->appendPart(MIME()->setBody("footer"));
        $n = again($m);
        say(shape($n), $n->getHeaderNames(), $n->getByID("1")->getHeaderNames());
        $m->restore($m->snapshot());
        $m->reset();
        say($m->toString() == ${quote(text)});`,
        text,
      ),
    ).toEqual([
      'multipart/mixed(text/html:<p>\xc3\xbc</p>\r\n text/plain:footer)',
      '[0=>"x-new",1=>"from",2=>"subject",3=>"mime-version",4=>"content-type"]',
      '[0=>"content-type",1=>"content-transfer-encoding"]',
      'true',
    ]);
  });

  test('of this message, of another, or a whole message without its own fields', async () => {
    expect(
      await withMail(`
        $other = MailMessage::String("Subject: other\\r\\nContent-Type: text/x-other\\r\\n\\r\\nother");
        $m->getByID("1.1")->setBody("edited");
        $m->appendPart($m->getByID("1.1"));
        $m->getByID("2")->replacePart($other);
        $n = again($m);
        say(shape($n), $n->getByID("2")->getHeaderNames());
        say(shape($m) == shape(MailMessage::String(${quote(mail)})));`),
    ).toEqual([
      'multipart/mixed(multipart/alternative(text/plain:edited text/html:<p>h\xc3\xbc</p>) text/x-other:other text/plain:edited)',
      '[0=>"content-type"]',
      'true',
    ]);
  });

  test('is refused when it would tear the message apart', async () => {
    expect(
      await withMail(`
        $evil = MailMessage::String("Content-Type: text/plain\\r\\n\\r\\nx\\r\\n--B\\r\\n\\r\\ninjected");
        say($m->getByID("2")->appendPart($evil) === none);
        try { $m->getByID("2")->replacePart($evil); } catch ($e) { echo $e->message(); }
        say($m->toString() == ${quote(mail)});
        try { $m->appendPart(Map("string", "string")); } catch ($e) { echo $e->message(); }
        try { $m->appendPart(MIME(), ["type" => "text/plain"]); } catch ($e) { echo $e->message(); }
        try { $m->appendPart(MIME(), ["type" => "multipart/mixed\\r\\nX: 1"]); } catch ($e) { echo "refused"; }`),
    ).toEqual([
      'true',
      'replacePart: the new part holds a line that is a delimiter of the message around it',
      'true',
      'argument 1 (part) of appendPart must be a MIME, a MIMEPart or a message, not a Map',
      'appendPart: the type is "text/plain"; expected a multipart like "multipart/related", without a boundary',
      'refused',
    ]);
  });
});

describe('taking parts out', () => {
  test('leaves the others as they were', async () => {
    expect(
      await withMail(`
        $m->getByID("1")->remove();
        say(shape(again($m)));
        say(count($m->getParts()));
        $m->reset();
        $m->getByID("1.1")->remove();
        $m->getByID("1.2")->remove();
        say(shape(again($m)));
        $m->getByID("2")->remove();
        say(shape(again($m)));
        try { $m->remove(); } catch ($e) { echo $e->message(); }`),
    ).toEqual([
      'multipart/mixed(application/pdf:\x00\x01\x02)',
      '2',
      'multipart/mixed(application/pdf:\x00\x01\x02)',
      'multipart/mixed(text/plain:)',
      'remove: this is the whole message; only a part of it can be taken out',
    ]);
  });

  test('of a whole message replaces its content', async () => {
    expect(
      await withMail(`
        $m->replacePart(MIME()->setType("text/html")->setBody("<p>instead</p>"));
        $n = again($m);
        say(shape($n), $n->getHeaderNames());`),
    ).toEqual([
      'text/html:<p>instead</p>',
      '[0=>"from",1=>"subject",2=>"mime-version",3=>"content-type",4=>"content-transfer-encoding"]',
    ]);
  });
});

describe('versions', () => {
  test('are kept and restored, parts included', async () => {
    expect(
      await withMail(`
        $a = $m->snapshot();
        $m->getByID("2")->remove();
        $m->modifyContent(0, 4, "Form");
        $b = $m->snapshot();
        $m->getByID("1.1")->setBody("b");
        $m->renameHeader("Subject", "X-Subject");
        say($m->restore($a), $m->toString() == ${quote(mail)});
        say($m->restore($b), shape(again($m)), again($m)->getHeaderNames()[0]);
        say($m->reset(), $m->toString() == ${quote(mail)});`),
    ).toEqual([
      'true',
      'true',
      'true',
      'multipart/mixed(multipart/alternative(text/plain:plain text/html:<p>h\xc3\xbc</p>))',
      'form',
      '2',
      'true',
    ]);
  });
});

describe('modifyContent', () => {
  test('counts in the original, however often it is called', async () => {
    expect(
      await withMail(
        `
        $m->modifyContent(0, 1, "aaa")->modifyContent(2, 2, "")->modifyContent(5, 0, "+")->modifyContent(6, 0, "end");
        say($m->toString());
        $m->modifyContent(1, 2, "BC");
        say($m->toString());
        say($m->getBody() == "", $m->reset(), $m->toString());
        try { $m->modifyContent(5, 2, ""); } catch ($e) { echo $e->message(); }`,
        '012345',
      ),
    ).toEqual([
      'aaa14+5end',
      'aaaBC4+5end',
      'true',
      '5',
      '012345',
      'modifyContent: 2 bytes at 5 are not inside of the message, which has 6 bytes',
    ]);
  });
});

test('headers are renamed with everything behind their name', async () => {
  expect(
    await withMail(
      `
      say($m->renameHeader("x-a", "X-B"));
      say(json_encode($m->toString()));
      say($m->delHeader("X-A"), $m->delHeader("X-B", ["index" => 1]), $m->setHeader("X-B", "new"));
      say(json_encode($m->toString()));
      try { $m->renameHeader("X-B", "a b"); } catch ($e) { echo $e->message(); }`,
      'X-A : 1\r\n folded\r\nTo: x\r\nX-A:2\r\n\r\n',
    ),
  ).toEqual([
    '2',
    '"X-B: 1\\r\\n folded\\r\\nTo: x\\r\\nX-B:2\\r\\n\\r\\n"',
    '0',
    '1',
    '1',
    '"X-B: new\\r\\nTo: x\\r\\n\\r\\n"',
    'renameHeader: "a b" is no header name; expected printable ASCII without a colon',
  ]);
});
