// dns_query and the functions it replaced, called by scripts.

import { describe, expect, onTestFinished, test } from 'vitest';
import { compile, execute } from '#lang';
import { createResolver } from '../../../stdlib/dns/create-resolver.js';
import type { Question, Resolver } from '../../../stdlib/dns/resolver.js';
import { createLocalServices } from '../../../stdlib/services.js';
import { DnsServer } from '../../support/dns-server.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

const zone = {
  'example.test': [
    '60 A 192.0.2.1',
    '60 AAAA 2001:db8::1',
    '60 MX 20 mx2.example.test',
    '60 MX 10 mx1.example.test',
    '60 TXT "one" "two"',
    '60 NS ns.example.test',
    '60 SOA ns.example.test root.example.test 1 2 3 4 5',
    '60 CAA 0 issue ca.test',
  ],
  'www.example.test': ['60 CNAME example.test'],
  'null.test': ['60 MX 0 .'],
  '_sip._tcp.example.test': ['60 SRV 1 2 5060 sip.example.test', '60 NAPTR 1 2 U E2U+sip !.*!x! .'],
  '_25._tcp.example.test': ['60 TLSA 3 1 1 abcd'],
  '1.2.0.192.in-addr.arpa': ['60 PTR example.test'],
  '2.0.0.127.bl.test': ['60 A 127.0.0.2', '60 A 127.0.0.4'],
  [`1.${'0.'.repeat(31)}bl.test`]: ['60 A 127.0.0.6'],
};

/** Runs `echo json_encode(…)` of the expression. @returns what it echoed, or the error */
async function evaluate(expression: string, resolver: Resolver | undefined): Promise<string> {
  const text = `echo json_encode(${expression});`;
  const { program, diagnostics } = await compile(
    { name: 'x.hsl', text },
    catalogEnvironment(),
    createCompileHost(),
  );
  if (program === undefined) return diagnostics.map(({ message }) => message).join('\n');
  const echoes: string[] = [];
  const services = createLocalServices({
    network: { resolver, mailClient: undefined, backgroundRequests: undefined, submission: undefined },
  });
  const result = await execute(program, { host: createRunHost((line) => echoes.push(line)), services }).run();
  return result.kind === 'failed' ? result.error.message : echoes.join('\n');
}

async function startZone(): Promise<{ server: DnsServer; resolver: Resolver }> {
  const server = await DnsServer.start({ zone });
  const resolver = createResolver({ servers: [server.serverText], hostsFile: undefined });
  onTestFinished(async () => {
    resolver.close();
    await server.close();
  });
  return { server, resolver };
}

test.each([
  ['dns_query("example.test")', { result: ['192.0.2.1'], dnssec: false }],
  ['dns_query("www.example.test")', { result: ['192.0.2.1'], dnssec: false }],
  ['dns_query("example.test", ["type" => "aaaa"])', { result: ['2001:db8::1'], dnssec: false }],
  [
    'dns_query("example.test", ["type" => "mx"])',
    { result: ['mx1.example.test', 'mx2.example.test'], dnssec: false },
  ],
  ['dns_query("null.test", ["type" => "mx"])', { result: [''], dnssec: false }],
  ['dns_query("example.test", ["type" => "txt"])', { result: ['onetwo'], dnssec: false }],
  ['dns_query("www.example.test", ["type" => "cname"])', { result: ['example.test'], dnssec: false }],
  ['dns_query("example.test", ["type" => "ns"])', { result: ['ns.example.test'], dnssec: false }],
  ['dns_query("192.0.2.1", ["type" => "ptr"])', { result: ['example.test'], dnssec: false }],
  [
    'dns_query("example.test", ["type" => "soa"])',
    { result: ['ns.example.test root.example.test 1 2 3 4 5'], dnssec: false },
  ],
  [
    'dns_query("_sip._tcp.example.test", ["type" => "srv"])',
    { result: ['1 2 5060 sip.example.test'], dnssec: false },
  ],
  ['dns_query("_25._tcp.example.test", ["type" => "tlsa"])', { result: ['3 1 1 abcd'], dnssec: false }],
  ['dns_query("example.test", ["type" => "caa"])', { result: ['0 issue "ca.test"'], dnssec: false }],
  [
    'dns_query("_sip._tcp.example.test", ["type" => "naptr"])',
    { result: ['1 2 "U" "E2U+sip" "!.*!x!" .'], dnssec: false },
  ],
  ['dns_query("nowhere.test")', { error: 'NXDOMAIN', dnssec: false }],
  ['dns_query("example.test", ["type" => "srv"])', { error: 'NODATA', dnssec: false }],
  ['dns_query("a..b")', { error: 'BADNAME', dnssec: false }],
])('%s', async (expression, result) => {
  const { resolver } = await startZone();
  expect(JSON.parse(await evaluate(expression, resolver))).toEqual(result);
});

describe('with extended_result', () => {
  const ttl = 60;
  test.each([
    ['example.test', 'a', [{ ttl, address: '192.0.2.1' }]],
    ['example.test', 'aaaa', [{ ttl, address: '2001:db8::1' }]],
    [
      'example.test',
      'mx',
      [
        { ttl, preference: 10, hostname: 'mx1.example.test' },
        { ttl, preference: 20, hostname: 'mx2.example.test' },
      ],
    ],
    ['example.test', 'txt', [{ ttl, text: 'onetwo' }]],
    ['www.example.test', 'cname', [{ ttl, hostname: 'example.test' }]],
    [
      '_sip._tcp.example.test',
      'srv',
      [{ ttl, priority: 1, weight: 2, port: 5060, hostname: 'sip.example.test' }],
    ],
    [
      'example.test',
      'soa',
      [
        {
          ttl,
          mname: 'ns.example.test',
          rname: 'root.example.test',
          serial: 1,
          refresh: 2,
          retry: 3,
          expire: 4,
          minimum: 5,
        },
      ],
    ],
    ['_25._tcp.example.test', 'tlsa', [{ ttl, usage: 3, selector: 1, mtype: 1, data: 'abcd' }]],
  ])('%s %s', async (name, type, result) => {
    const { resolver } = await startZone();
    const answer = await evaluate(
      `dns_query("${name}", ["type" => "${type}", "extended_result" => true])`,
      resolver,
    );
    expect(JSON.parse(answer)).toEqual({ result, dnssec: false });
  });
});

test('dnssec is true when the answer was validated', async () => {
  const server = await DnsServer.start({ zone, authentic: true });
  const resolver = createResolver({ servers: [server.serverText], hostsFile: undefined });
  onTestFinished(() => server.close());
  expect(JSON.parse(await evaluate('dns_query("example.test")', resolver))).toMatchObject({ dnssec: true });
  expect(JSON.parse(await evaluate('dns_query("nowhere.test")', resolver))).toMatchObject({ dnssec: true });
});

test('servers, port and timeout of a call are those that are asked', async () => {
  const { server, resolver } = await startZone();
  const other = await DnsServer.start({ zone: { 'example.test': ['A 203.0.113.9'] } });
  onTestFinished(() => other.close());
  const options = `["servers" => ["127.0.0.1"], "port" => ${other.port}]`;
  expect(JSON.parse(await evaluate(`dns_query("example.test", ${options})`, resolver))).toEqual({
    result: ['203.0.113.9'],
    dnssec: false,
  });
  server.behave = () => 'silence';
  expect(JSON.parse(await evaluate('dns_query("silent.test", ["timeout" => 0.2])', resolver))).toEqual({
    error: 'TRY_AGAIN',
    dnssec: false,
  });
});

test.each([
  ['dns("example.test")', ['192.0.2.1', '2001:db8::1']],
  ['dns4("example.test")', ['192.0.2.1']],
  ['dns6("example.test")', ['2001:db8::1']],
  ['dns6("www.example.test")', ['2001:db8::1']],
  ['dnscname("www.example.test")', ['example.test']],
  ['dnsmx("example.test")', ['mx1.example.test', 'mx2.example.test']],
  ['dnsns("example.test")', ['ns.example.test']],
  ['dnsptr("192.0.2.1")', ['example.test']],
  ['dnstxt("example.test")', ['onetwo']],
  ['dns("nowhere.test")', []],
  ['dns4("example.test", ["extended_result" => true])', { result: ['192.0.2.1'], dnssec: false }],
  ['dnsmx("nowhere.test", ["extended_result" => true])', { error: 'NXDOMAIN', dnssec: false }],
  ['dnsbl("127.0.0.2", "bl.test")', ['127.0.0.2', '127.0.0.4']],
  ['dnsbl("::1", "bl.test")', ['127.0.0.6']],
  ['dnsbl("127.0.0.3", "bl.test", none, 2)', []],
])('the older %s', async (expression, result) => {
  const { resolver } = await startZone();
  expect(JSON.parse(await evaluate(expression, resolver))).toEqual(result);
});

const unasked: Resolver = {
  query: (question: Question) => {
    throw new Error(`nobody should ask for ${question.name}`);
  },
  close: () => {},
};

test.each([
  ['dns_query("x.test", ["type" => "wks"])', /"type" of .* dns_query must be one of .*not "wks"/],
  [
    'dns_query("x.test", ["timeout" => 0])',
    /dns_query: the option "timeout" must be a number of seconds above 0/,
  ],
  ['dns_query("x.test", ["servers" => ["dns.test"]])', /"servers" must hold IP addresses, got "dns\.test"/],
  [
    'dns_query("x.test", ["servers" => ["127.0.0.1"], "port" => 0])',
    /"port" must be a whole number from 1 to 65535/,
  ],
  ['dns4("x.test", ["timeout" => -1])', /dns4: the option "timeout"/],
  ['dnsbl("mail.test", "bl.test")', /dnsbl: the argument "ip" must be an IP address, got "mail\.test"/],
])('%s is a mistake that is explained', async (expression, message) => {
  expect(await evaluate(expression, unasked)).toMatch(message);
});

test('without a resolver the call says so', async () => {
  expect(await evaluate('dns_query("x.test")', undefined)).toBe(
    'dns_query: there is no resolver here to ask',
  );
});

test('an answer from the cache does not suspend the script', async () => {
  const { resolver } = await startZone();
  await evaluate('dns_query("example.test")', resolver);
  const { program } = await compile(
    { name: 'x.hsl', text: 'dns_query("example.test");' },
    catalogEnvironment(),
    createCompileHost(),
  );
  const services = createLocalServices({
    network: { resolver, mailClient: undefined, backgroundRequests: undefined, submission: undefined },
  });
  expect(execute(program!, { host: createRunHost(), services }).run()).toEqual({ kind: 'finished' });
});
