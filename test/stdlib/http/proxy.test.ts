import { expect, test } from 'vitest';
import { parseProxy, systemProxy } from '../../../stdlib/http/proxy.js';

test.each([
  ['proxy.test:3128', 'http://proxy.test:3128', undefined],
  ['http://proxy.test', 'http://proxy.test', undefined],
  [
    'https://u%40x:p@proxy.test/ignored',
    'https://proxy.test',
    `Basic ${Buffer.from('u@x:p').toString('base64')}`,
  ],
])('%s is %s', (text, origin, authorization) => {
  const proxy = parseProxy(text, 'test');
  expect(proxy.url.origin).toBe(origin);
  expect(proxy.authorization).toBe(authorization);
});

test('what is no proxy is refused, without its password', () => {
  expect(() => parseProxy('socks5://me:secret@proxy.test', 'the proxy')).toThrow(
    /^the proxy is no proxy; expected http/,
  );
});

const env = { http_proxy: 'http://p1:1', HTTPS_PROXY: 'http://p2:2' };

test.each([
  ['http://a.test/', env, 'http://p1:1'],
  ['https://a.test/', env, 'http://p2:2'],
  ['https://a.test/', { ALL_PROXY: 'p3:3' }, 'http://p3:3'],
  ['http://a.test/', {}, undefined],
  ['http://a.test/', { ...env, no_proxy: '*' }, undefined],
  ['http://a.test/', { ...env, NO_PROXY: 'b.test, a.test' }, undefined],
  ['http://x.a.test/', { ...env, no_proxy: 'a.test' }, undefined],
  ['http://x.a.test/', { ...env, no_proxy: '.a.test' }, undefined],
  ['http://x.a.test/', { ...env, no_proxy: '*.a.test' }, undefined],
  ['http://xa.test/', { ...env, no_proxy: 'a.test' }, 'http://p1:1'],
  ['http://a.test:8080/', { ...env, no_proxy: 'a.test:8080' }, undefined],
  ['http://a.test:8081/', { ...env, no_proxy: 'a.test:8080' }, 'http://p1:1'],
  ['http://127.0.0.1/', { ...env, no_proxy: '127.0.0.0/8' }, undefined],
  ['http://10.1.2.3/', { ...env, no_proxy: '127.0.0.0/8,10.1.2.4' }, 'http://p1:1'],
  ['http://[::1]:80/', { ...env, no_proxy: '::1' }, undefined],
  ['http://[fe80::1]/', { ...env, no_proxy: 'fe80::/10' }, undefined],
])('%s with %o goes by %s', (url, environment, proxy) => {
  expect(systemProxy(new URL(url), environment)?.url.origin).toBe(proxy);
});
