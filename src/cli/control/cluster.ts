// cli.yaml: the daemons of a cluster, which a command asks all at once (control-api 7).
//
//     hosts:
//       - name: mx1
//         path: /run/argonite/smtpd.ctl
//       - name: mx2
//         address: 192.0.2.2
//         port: 5004
//         tls: { ca: ca.pem, certificate: me.pem, privatekey: me.key }

import path from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ClientTls } from '../../control/client/control-client.js';
import type { Host } from './asking.js';
import { bytesOfFile } from './given-file.js';
import { UsageError } from './usage-error.js';

/** Commands that go out to more are slow enough for a script of their own. */
const MOST_HOSTS = 256;

type Fields = Readonly<Record<string, unknown>>;

/** The hosts that a file names; the paths in it begin at its folder. @throws UsageError with file and line */
export function hostsIn(file: string): readonly Host[] {
  const text = bytesOfFile(file, '--config').toString('utf8');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [wrong] = document.errors;
  if (wrong !== undefined) throw new UsageError(`${file}: ${wrong.message}`);
  const reader = new HostReader(file, lines);
  const whole = document.contents;
  if (!isMap(whole)) throw reader.problem(whole, 'expected "hosts:" with a list');
  reader.only(whole, ['version', 'hosts']);
  const list = whole.get('hosts', true);
  if (!isSeq(list) || list.items.length === 0 || list.items.length > MOST_HOSTS)
    throw reader.problem(whole, `hosts: expected a list of 1 to ${MOST_HOSTS} hosts`);
  const hosts = list.items.map((item) => reader.host(item as Node));
  const names = new Set<string>();
  for (const [index, { name = '' }] of hosts.entries()) {
    if (names.has(name))
      throw reader.problem(list.items[index] as Node, `name: found ${JSON.stringify(name)} twice`);
    names.add(name);
  }
  return hosts;
}

class HostReader {
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  problem(node: Node | null, message: string): UsageError {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return new UsageError(`${this.#file}:${line}:${col}: ${message}`);
  }

  /** @throws UsageError for a key that there is not */
  only(node: Node, keys: readonly string[]): Fields {
    if (!isMap(node)) throw this.problem(node, `expected ${keys.join(', ')}`);
    for (const { key } of node.items)
      if (!isScalar(key) || !keys.includes(String(key.value)))
        throw this.problem(
          key as Node,
          `there is no setting ${JSON.stringify(isScalar(key) ? key.value : null)}; expected ${keys.join(', ')}`,
        );
    return node.toJSON() as Fields;
  }

  host(node: Node): Host {
    const {
      name,
      path: place,
      address,
      port,
      tls,
    } = this.only(node, ['name', 'path', 'address', 'port', 'tls']);
    if (typeof name !== 'string' || name === '') throw this.problem(node, 'name: expected a text');
    if (place !== undefined) {
      if (typeof place !== 'string' || address !== undefined || port !== undefined || tls !== undefined)
        throw this.problem(
          node,
          'expected a text as "path" and nothing but a name with it, or "address" and "port"',
        );
      return { name, socket: this.#resolved(place) };
    }
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
      throw this.problem(node, 'expected "path", or "address" with a "port" from 1 to 65535');
    if (address !== undefined && typeof address !== 'string')
      throw this.problem(node, `address: found ${JSON.stringify(address)}; expected a text`);
    const host = address ?? '127.0.0.1';
    return {
      name,
      socket: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
      tls: this.#tls(isMap(node) ? (node.get('tls', true) as Node | undefined) : undefined),
    };
  }

  #tls(node: Node | undefined): ClientTls | undefined {
    if (node === undefined) return undefined;
    const { ca, certificate, privatekey } = this.only(node, ['ca', 'certificate', 'privatekey']);
    return {
      ...(ca !== undefined && { ca: this.#content(node, 'ca', ca) }),
      ...(certificate !== undefined && { cert: this.#content(node, 'certificate', certificate) }),
      ...(privatekey !== undefined && { key: this.#content(node, 'privatekey', privatekey) }),
    };
  }

  #content(node: Node, key: string, file: unknown): Buffer {
    if (typeof file !== 'string') throw this.problem(node, `${key}: expected the path of a PEM file`);
    try {
      return bytesOfFile(this.#resolved(file), key);
    } catch (error) {
      throw this.problem(node, (error as Error).message);
    }
  }

  #resolved(given: string): string {
    return path.resolve(path.dirname(this.#file), given);
  }
}
