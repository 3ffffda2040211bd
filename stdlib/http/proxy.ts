// Which proxy a request goes through, and how a tunnel is made in it (RFC 9110 §9.3.6).

import { BlockList, isIP, type Socket } from 'node:net';
import { ScriptFault } from '#lang';
import { basicCredentials } from './headers.js';
import type { HttpProxy } from './request.js';
import { hostOf } from './url.js';

/** More than this a proxy does not say before a tunnel stands. */
const LONGEST_ANSWER_BYTES = 16 * 1024;

/** A proxy as scripts and the environment write it. @throws ScriptFault naming `where`, without the password */
export function parseProxy(text: string, where: string): HttpProxy {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '')
    throw new ScriptFault(`${where} is no proxy; expected http://HOST:PORT or https://HOST:PORT`);
  const authorization =
    parsed.username === ''
      ? undefined
      : basicCredentials(unescaped(parsed.username), unescaped(parsed.password));
  return { url: new URL(parsed.origin), authorization };
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/**
 * The system's proxy for a URL: `http_proxy`, `https_proxy`, `all_proxy`, in lower or upper case, unless `no_proxy` names
 * the host. @throws ScriptFault when the environment holds no proxy there
 */
export function systemProxy(url: URL, env: NodeJS.ProcessEnv): HttpProxy | undefined {
  const named = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const variable = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = named(variable) ?? named('all_proxy');
  if (text === undefined || isExempt(url, named('no_proxy') ?? '')) return undefined;
  return parseProxy(text, `http: the environment's ${variable}`);
}

/** Whether `no_proxy` names the host: itself, a domain above it, a network, each with or without a port; `*` is all. */
function isExempt(url: URL, list: string): boolean {
  const host = hostOf(url).toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, bracketed, plain, wantedPort] =
        /^(?:\[(.*)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
      if (wantedPort !== undefined && wantedPort !== port) return false;
      const name = (bracketed ?? plain ?? entry).replace(/^\*?\./, '');
      if (isIP(host) !== 0) return name === host || isInNetwork(host, name);
      return host === name || host.endsWith(`.${name}`);
    });
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const version = isIP(address);
  if (bits === undefined || version === 0 || version !== isIP(host)) return false;
  const prefix = Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const type = version === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, prefix, type);
  return list.check(host, type);
}

/** Asks a proxy, on a fresh connection to it, for a tunnel. The socket is destroyed when it fails. */
export function openTunnel(
  socket: Socket,
  target: string,
  authorization: string | undefined,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const finish = (problem?: string): void => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      if (problem === undefined) {
        resolve();
        return;
      }
      socket.destroy();
      reject(new Error(`the proxy ${problem}`));
    };
    const onEnd = (): void => finish('closed the connection');
    const onData = (chunk: Buffer): void => {
      answer += chunk.toString('latin1');
      const end = answer.indexOf('\r\n\r\n');
      if (end === -1) {
        if (answer.length > LONGEST_ANSWER_BYTES) finish('says too much');
        return;
      }
      if (!/^HTTP\/1\.[01] 2\d\d[ \r]/.test(answer)) {
        finish(`refused the tunnel: ${/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 'no HTTP answer'}`);
        return;
      }
      socket.pause();
      const rest = Buffer.from(answer.slice(end + 4), 'latin1');
      finish();
      if (rest.length > 0) socket.unshift(rest);
    };
    const timer = setTimeout(() => finish('is silent'), timeoutMs);
    socket.on('data', onData);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    const credentials = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${credentials}\r\n`);
  });
}
