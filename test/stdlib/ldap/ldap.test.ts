// LDAP against slapd, and against servers that mean ill.

import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { resultText } from '../../../stdlib/ldap/result-codes.js';
import { tcpServer } from '../../support/loopback-server.js';
import { runNetworkScript } from '../../support/network-script.js';
import {
  freePort,
  hasProgram,
  peerEnvironment,
  peerFile,
  peerProgram,
  runProgram,
  skipReason,
  stopChild,
  untilListening,
} from '../../support/peers.js';
import { createAuthority } from '../../support/test-certificates.js';

async function echoes(script: string): Promise<readonly string[]> {
  return (await runNetworkScript(script)).echoes;
}

const reason = skipReason('slapd') ?? (hasProgram('openssl') ? undefined : 'openssl is not installed');

describe.skipIf(reason !== undefined)(`with slapd${reason === undefined ? '' : ` (${reason})`}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-ldap-'));
  const socketUri = `ldapi://${encodeURIComponent(path.join(folder, 'ldapi'))}`;
  let child: ChildProcess;
  let port: number;
  let securePort: number;

  beforeAll(async () => {
    const authority = createAuthority(folder);
    const { certFile, keyFile } = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    vi.stubEnv('SSL_CERT_FILE', authority.certFile);
    port = await freePort();
    securePort = await freePort();
    mkdirSync(path.join(folder, 'data'));
    mkdirSync(path.join(folder, 'other'));
    const schema = (name: string) => `include ${peerFile(`etc/ldap/schema/${name}.schema`)}`;
    writeFileSync(
      path.join(folder, 'slapd.conf'),
      `${['core', 'cosine', 'inetorgperson'].map(schema).join('\n')}
modulepath ${peerFile('usr/lib/ldap')}
moduleload back_mdb.so
TLSCACertificateFile ${authority.certFile}
TLSCertificateFile ${certFile}
TLSCertificateKeyFile ${keyFile}
pidfile ${folder}/pid
argsfile ${folder}/args
sizelimit 102
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw secret
directory ${folder}/data
database mdb
suffix "dc=other,dc=test"
directory ${folder}/other
`,
    );
    const people = Array.from(
      { length: 100 },
      (_, i) => `dn: uid=p${i},ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: p${i}
cn: Person ${i}
sn: ${i}
mail: p${i}@example.com
`,
    );
    const ldif = `dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: cn=J\\C3\\B6rg (x*),ou=people,dc=example,dc=com
objectClass: inetOrgPerson
cn:: ${Buffer.from('Jörg (x*)').toString('base64')}
sn: J
userPassword: open
mail: a@example.com
mail: b@example.com
jpegPhoto:: ${Buffer.from([0, 255, 254, 10, 13]).toString('base64')}

dn: ou=away,dc=example,dc=com
objectClass: referral
objectClass: extensibleObject
ou: away
ref: ldap://127.0.0.1:${port}/dc=other,dc=test

${people.join('\n')}`;
    const other = `dn: dc=other,dc=test
objectClass: dcObject
objectClass: organization
dc: other
o: Elsewhere
`;
    const add = (suffix: string, text: string) =>
      execFileSync(peerProgram('slapadd'), ['-f', path.join(folder, 'slapd.conf'), '-b', suffix], {
        input: text,
        env: peerEnvironment(),
        stdio: ['pipe', 'ignore', 'pipe'],
      });
    add('dc=example,dc=com', ldif);
    add('dc=other,dc=test', other);
    const uris = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${securePort} ${socketUri}`;
    child = spawn(peerProgram('slapd'), ['-f', path.join(folder, 'slapd.conf'), '-h', uris, '-d', '0'], {
      env: peerEnvironment(),
      stdio: 'ignore',
    });
    await untilListening(port, child);
    await untilListening(securePort, child);
  }, 30_000);

  afterAll(async () => {
    if (child !== undefined) await stopChild(child);
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (): string => `$ldap = LDAP("ldap://127.0.0.1:${port}"); `;

  test('a search finds entries with all their values, in bytes', async () => {
    expect(
      await echoes(`${open()}
        $filter = "(cn=" . LDAP::filter_escape("Jörg (x*)") . ")";
        $entry = $ldap->search("dc=example,dc=com", ["filter" => $filter, "attributes" => ["mail", "jpegPhoto"]])->next();
        echo json_encode($entry["mail"]); echo $entry["jpegPhoto"][0] === "\\x00\\xff\\xfe\\n\\r"; echo length(array_keys($entry));
        echo LDAP::str2dn($entry["dn"])[0][1];`),
    ).toEqual(
      ['["a@example.com","b@example.com"]', 'true', '3', 'Jörg (x*)'].map((text) =>
        Buffer.from(text).toString('latin1'),
      ),
    );
  });

  test('next gives one after the other, then false; foreach gives them all', async () => {
    expect(
      await echoes(`${open()}
        $result = $ldap->search("ou=people,dc=example,dc=com", "one", "(|(uid=p1)(uid=p2))", ["uid"]);
        echo $result->next()["uid"][0]; echo $result->next()["uid"][0]; echo $result->next() === false; echo $result->next() === false;
        foreach ($result as $i => $entry) echo $i . $entry["uid"][0];`),
    ).toEqual(['p1', 'p2', 'true', 'true', '0p1', '1p2']);
  });

  test('the scopes reach as far as they say', async () => {
    const count = (base: string, scope: string) =>
      `$n = 0; foreach ($ldap->search("${base}", ["scope" => "${scope}", "attributes" => ["1.1"]]) as $e) $n += 1; echo $n;`;
    expect(
      await echoes(
        `${open()} ${count('ou=people,dc=example,dc=com', 'base')} ${count('ou=people,dc=example,dc=com', 'one')} ${count('ou=people,dc=example,dc=com', 'sub')}`,
      ),
    ).toEqual(['1', '101', '102']);
  });

  test('what is not there is none, with its number', async () => {
    expect(
      await echoes(`${open()} echo $ldap->search("dc=nowhere"); echo $ldap->errno();
        echo $ldap->search("dc=example,dc=com", ["filter" => "(broken"]); echo $ldap->errno();
        echo $ldap->search("dc=example,dc=com", ["filter" => "(uid=nobody)"])->next() === false; echo $ldap->errno();`),
    ).toEqual(['none', '32', 'none', '-7', 'true', '0']);
  });

  test('a search that the server cuts short gives what came, then none', async () => {
    expect(
      await echoes(`$ldap = LDAP("ldap://127.0.0.1:${port}");
        $n = 0; $result = $ldap->search("dc=example,dc=com", ["attributes" => ["1.1"]]);
        while ($entry = $result->next()) $n += 1;
        echo $n; echo $entry === none; echo $ldap->errno();`),
    ).toEqual(['102', 'true', '4']);
  });

  test('a bind says whether the password is right', async () => {
    expect(
      await echoes(`${open()} $admin = "cn=admin,dc=example,dc=com";
        echo $ldap->bind($admin, "secret") === $ldap; echo $ldap->errno();
        echo $ldap->bind($admin, "wrong") === none; echo LDAP::err2string($ldap->errno());
        echo $ldap->bind() === $ldap;
        echo $ldap->bind($admin, "") === none; echo $ldap->errno();
        echo $ldap->bind("nonsense", "x") === none; echo $ldap->errno();`),
    ).toEqual(['true', '0', 'true', 'Invalid credentials', 'true', 'true', '49', 'true', '34']);
  });

  test('starttls protects what follows', async () => {
    expect(
      await echoes(`$ldap = LDAP("ldap://localhost:${port}")->setoption("tls_default_ca", true);
        echo $ldap->starttls() === $ldap; echo $ldap->getpeerx509()->subject()[0][1];
        echo $ldap->bind("cn=admin,dc=example,dc=com", "secret") === $ldap; echo $ldap->starttls() === none; echo $ldap->errno();`),
    ).toEqual(['true', 'localhost', 'true', 'true', '2']);
  });

  test('a certificate that is not trusted ends the connection, and nothing follows in plain text', async () => {
    expect(
      await echoes(`${open()} echo $ldap->starttls() === none; echo $ldap->errno();
        echo $ldap->bind("cn=admin,dc=example,dc=com", "secret") === none; echo $ldap->errno();`),
    ).toEqual(['true', '-11', 'true', '-1']);
  });

  test('ldaps is TLS from the start, verified unless told otherwise', async () => {
    const uri = `ldaps://127.0.0.1:${securePort}`;
    expect(
      await echoes(`$ldap = LDAP("${uri}"); echo $ldap->bind() === none; echo $ldap->errno();
        $ldap = LDAP("${uri}")->setoption("tls_verify_peer", false); echo $ldap->bind() === $ldap;
        $ldap = LDAP("${uri}")->setoption("tls_default_ca", true); echo $ldap->bind() === $ldap; echo $ldap->getpeerx509() != none;`),
    ).toEqual(['true', '-11', 'true', 'true', 'true']);
  });

  test('ldapi goes over a UNIX socket', async () => {
    expect(
      await echoes(
        `$ldap = LDAP("${socketUri}"); echo $ldap->search("dc=example,dc=com", ["scope" => "base"])->next()["o"][0];`,
      ),
    ).toEqual(['Example']);
  });

  test('the next URI is tried when one does not answer', async () => {
    const closed = await freePort();
    expect(
      await echoes(`echo LDAP("ldap://127.0.0.1:${closed} ldap://127.0.0.1:${port}")->bind() != none;`),
    ).toEqual(['true']);
  });

  test('referrals are followed only when asked for', async () => {
    const search = `$n = 0; foreach ($ldap->search("ou=away,dc=example,dc=com") ?? [] as $entry) { $n += 1; echo $entry["o"][0]; } echo $n; echo $ldap->errno();`;
    expect(await echoes(`${open()} ${search}`)).toEqual(['0', '10']);
    expect(await echoes(`${open()} $ldap->setoption("referrals", true); ${search}`)).toEqual([
      'Elsewhere',
      '1',
      '0',
    ]);
    const all = `$names = []; foreach ($ldap->search("dc=example,dc=com", ["filter" => "(o=*)"]) as $entry) $names[] = $entry["o"][0]; echo json_encode($names);`;
    expect(await echoes(`${open()} ${all} $ldap->setoption("referrals", true); ${all}`)).toEqual([
      '["Example"]',
      '["Example","Elsewhere"]',
    ]);
  });

  test('after unbind nothing can be asked', async () => {
    expect((await echoes(`${open()} $ldap->bind(); $ldap->unbind(); $ldap->bind();`)).join()).toMatch(
      /LDAP->bind: the connection was ended by unbind/,
    );
  });
});

describe('a hostile directory', () => {
  const result = (id: number, tag: number, code: number): Buffer =>
    Buffer.from([0x30, 0x0c, 2, 1, id, tag, 7, 0x0a, 1, code, 4, 0, 4, 0]);

  const search = (port: number, before = ''): string =>
    `$ldap = LDAP("ldap://127.0.0.1:${port}"); ${before} echo $ldap->search("dc=x") === none; echo $ldap->errno();`;

  test.each([
    ['closes', (socket: Socket) => void socket.end(), '-1'],
    ['resets', (socket: Socket) => void socket.resetAndDestroy(), '-1'],
    ['speaks no LDAP', (socket: Socket) => void socket.write('220 hello, this is no directory\r\n'), '-4'],
    [
      'announces a message of 2 GiB',
      (socket: Socket) => void socket.write(Buffer.from([0x30, 0x84, 0x7f, 255, 255, 255])),
      '-4',
    ],
    [
      'announces a length without end',
      (socket: Socket) => void socket.write(Buffer.from([0x30, 0x80])),
      '-4',
    ],
    ['says goodbye', (socket: Socket) => void socket.write(result(0, 0x78, 52)), '-1'],
    ['gives an unknown number', (socket: Socket) => void socket.write(result(1, 0x65, 99)), '99'],
  ])('that %s is told', async (_, talk, errno) => {
    const port = await tcpServer((socket) => socket.once('data', () => talk(socket)));
    const run = await runNetworkScript(search(port));
    expect(run.echoes).toEqual(['true', errno]);
    expect(run.seconds).toBeLessThan(20);
  });

  test('that is silent is given up in time', async () => {
    const port = await tcpServer(() => {});
    const run = await runNetworkScript(search(port, '$ldap->setoption("timeout", 0.2);'));
    expect(run.echoes).toEqual(['true', '-5']);
    expect(run.seconds).toBeLessThan(20);
  });

  test('that is silent in the TLS handshake is given up in time', async () => {
    const port = await tcpServer(() => {});
    const run = await runNetworkScript(
      `$ldap = LDAP("ldaps://127.0.0.1:${port}")->setoption("network_timeout", 0.2); echo $ldap->bind() === none; echo $ldap->errno();`,
    );
    expect(run.echoes).toEqual(['true', '-11']);
    expect(run.seconds).toBeLessThan(20);
  });

  test('that sends entries without end is cut off, and the script keeps what came', async () => {
    const value = Buffer.alloc(60_000, 'x');
    const length = (size: number) => Buffer.from([0x83, size >> 16, (size >> 8) & 255, size & 255]);
    const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
      const body = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
    };
    const text = (content: string) => tlv(4, Buffer.from(content));
    const entry = tlv(
      0x30,
      Buffer.from([2, 1, 1]),
      tlv(0x64, text('dc=x'), tlv(0x30, tlv(0x30, text('cn'), tlv(0x31, tlv(4, value))))),
    );
    let sent = 0;
    const port = await tcpServer((socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write(entry)) sent += entry.length;
      };
      socket.once('data', flood);
      socket.on('drain', flood);
    });
    const run = await runNetworkScript(
      `$ldap = LDAP("ldap://127.0.0.1:${port}"); $n = 0; $r = $ldap->search("dc=x"); while ($e = $r->next()) $n += 1; echo $n > 100; echo $e === none; echo $ldap->errno();`,
    );
    expect(run.echoes).toEqual(['true', 'true', '-10']);
    expect(sent).toBeLessThan(128 * 1024 * 1024);
  });

  test('that smuggles bytes in front of TLS is not believed (RFC 4511 §4.14.1)', async () => {
    const port = await tcpServer((socket) =>
      socket.once('data', () => socket.write(Buffer.concat([result(1, 0x78, 0), result(2, 0x61, 0)]))),
    );
    expect(
      await echoes(
        `$ldap = LDAP("ldap://127.0.0.1:${port}"); echo $ldap->starttls() === none; echo $ldap->errno() < 0; echo $ldap->bind() === none; echo $ldap->errno();`,
      ),
    ).toEqual(['true', 'true', 'true', '-1']);
  });

  test('is left when the execution is cancelled', async () => {
    let closed: () => void;
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const port = await tcpServer((socket) => {
      socket.resume();
      socket.once('close', () => closed());
      socket.once('end', () => socket.destroy());
    });
    const run = await runNetworkScript(`LDAP("ldap://127.0.0.1:${port}")->bind(); echo "not here";`, {}, 0.2);
    expect(run.echoes).toEqual([]);
    await isClosed;
  });
});

describe('what is wrong is told', () => {
  test.each([
    ['LDAP("http://x")', /"http:\/\/x" is no URI of a directory; expected ldap:\/\/HOST/],
    [
      'LDAP("ldap://x")->setoption("nonsense", 1)',
      /there is no option "nonsense"; expected one of protocol_version/,
    ],
    ['LDAP("ldap://x")->setoption("timeout", -1)', /the option "timeout" must be a number of seconds/],
    ['LDAP("ldap://x")->setoption("protocol_version", 4)', /must be 2 or 3/],
    ['LDAP("ldap://x")->setoption("referrals", 1)', /must be a boolean/],
    ['LDAP("ldap://x")->getoption("x")', /there is no option "x"/],
    ['LDAP("ldap://x")->search("", ["scope" => "all"])', /the scope must be one of "sub", "one", "base"/],
    ['LDAP("ldap://x")->search("", ["filter" => 1])', /the filter must be a string/],
    ['LDAP("ldap://x")->search("", ["attributes" => [1]])', /an attribute must be a string/],
    ['LDAP::dn2str([1])', /each part must be a list \[name, value\] of strings/],
  ])('%s', async (call, message) => {
    expect((await echoes(`${call};`)).join()).toMatch(message);
  });
});

test('every number has the text that OpenLDAP gives it', async (context) => {
  const script = `
import ctypes, json
ldap = ctypes.CDLL("libldap-2.5.so.0")
ldap.ldap_err2string.restype = ctypes.c_char_p
print(json.dumps([ldap.ldap_err2string(i).decode() for i in range(-20, 130)]))`;
  const { code, stdout } = await runProgram('python3', ['-c', script], { env: peerEnvironment() });
  if (code !== 0) context.skip('libldap is not there');
  const texts = JSON.parse(stdout) as string[];
  expect(Array.from({ length: 150 }, (_, i) => resultText(i - 20))).toEqual(texts);
});
