// A DNS server for tests: zones as data, on UDP and TCP of one free loopback port, and whatever misbehaviour a test wants.
// Its packets are made by dns-packet, which our reader of packets has nothing to do with.

import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server, type Socket as TcpSocket } from 'node:net';
import {
  type Answer,
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** Records as `TYPE value`, as in a zone file: `A 192.0.2.1`, `MX 10 mx.test`, `TXT "v=spf1" " -all"`. */
export type Zone = Readonly<Record<string, readonly string[]>>;

/** One question as it came in. */
export interface ReceivedQuery {
  readonly name: string;
  readonly type: string;
  readonly via: 'udp' | 'tcp';
  readonly packet: DecodedPacket;
  readonly bytes: Buffer;
}

/** What is sent back: bytes as they are, nothing at all, or what the zone says with changes. */
export type Reaction = Buffer | readonly Buffer[] | 'silence' | Partial<Packet> | undefined;

/** Asked before the zone is; undefined lets the zone answer. */
export type Behaviour = (query: ReceivedQuery, fromZone: () => Packet) => Reaction | Promise<Reaction>;

export interface DnsServerOptions {
  readonly zone?: Zone;
  readonly behave?: Behaviour;
  /** 127.0.0.1. */
  readonly address?: string;
  /** A free one when absent. */
  readonly port?: number;
  /** Seconds of records without their own (`300 A 192.0.2.1`); 3600. */
  readonly ttl?: number;
  /** Sets AD, as a validating server does. */
  readonly authentic?: boolean;
  /** The SOA that negative answers carry; `null` leaves it out. 300 seconds of the name's own top level. */
  readonly negativeTtl?: number | null;
}

const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** Flags of a response with this error, for reactions. */
export function rcode(name: keyof typeof RCODES): number {
  return RECURSION_AVAILABLE | RCODES[name];
}

/** The record of EDNS0 as a server sends it, with the upper eight bits of the response code. */
export function optRecord(extendedRcode: number): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** Flags of a response that was cut. */
export const truncated = TRUNCATED_RESPONSE;

export class DnsServer {
  readonly queries: ReceivedQuery[] = [];
  readonly address: string;
  port = 0;
  zone: Zone;
  behave: Behaviour;
  readonly #options: DnsServerOptions;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<TcpSocket>();

  private constructor(options: DnsServerOptions) {
    this.#options = options;
    this.address = options.address ?? '127.0.0.1';
    this.zone = options.zone ?? {};
    this.behave = options.behave ?? (() => undefined);
    this.#udp = createSocket(this.address.includes(':') ? 'udp6' : 'udp4');
    this.#udp.on('message', (bytes, { port, address }) => {
      void this.#react(bytes, 'udp').then((packets) => {
        for (const packet of packets) this.#udp.send(packet, port, address, () => {});
      });
    });
    this.#tcp = createServer((connection) => this.#serve(connection));
  }

  /** Listens on UDP and TCP of the same port. */
  static async start(options: DnsServerOptions = {}): Promise<DnsServer> {
    for (let attempts = 20; ; attempts--) {
      const server = new DnsServer(options);
      try {
        await server.#listen(options.port ?? 0);
        return server;
      } catch (error) {
        // Somebody else has the TCP port of the same number.
        await server.close();
        if (attempts === 0 || options.port !== undefined) throw error;
      }
    }
  }

  /** `ip:port`, as the setting `resolver.servers` wants it. */
  get serverText(): string {
    return this.address.includes(':') ? `[${this.address}]:${this.port}` : `${this.address}:${this.port}`;
  }

  /** `type name via` of everything that was asked. */
  get asked(): string[] {
    return this.queries.map(({ name, type, via }) => `${type} ${name}${via === 'tcp' ? ' tcp' : ''}`);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await Promise.all([
      new Promise<void>((resolve) => {
        this.#tcp.close(() => resolve());
      }),
      new Promise<void>((resolve) => {
        try {
          this.#udp.close(() => resolve());
        } catch {
          resolve();
        }
      }),
    ]);
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject);
      this.#udp.bind(port, this.address, resolve);
    });
    this.port = this.#udp.address().port;
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(this.port, this.address, resolve);
    });
  }

  #serve(connection: TcpSocket): void {
    this.#connections.add(connection);
    connection.on('error', () => {});
    connection.on('close', () => this.#connections.delete(connection));
    let received = Buffer.alloc(0);
    connection.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const end = received.readUInt16BE(0) + 2;
        const bytes = received.subarray(2, end);
        received = received.subarray(end);
        void this.#react(bytes, 'tcp').then((packets) => {
          for (const packet of packets) {
            const length = Buffer.alloc(2);
            length.writeUInt16BE(packet.length);
            connection.write(Buffer.concat([length, packet]));
          }
        });
      }
    });
  }

  async #react(bytes: Buffer, via: 'udp' | 'tcp'): Promise<readonly Buffer[]> {
    const packet = decode(bytes);
    const { name = '', type = 'A' } = packet.questions?.[0] ?? {};
    const query = { name, type, via, packet, bytes };
    this.queries.push(query);
    const fromZone = () => this.#fromZone(query);
    const reaction = await this.behave(query, fromZone);
    if (reaction === 'silence') return [];
    if (Buffer.isBuffer(reaction)) return [reaction];
    if (isList(reaction)) return reaction;
    return [encode({ ...fromZone(), ...reaction })];
  }

  #fromZone({ packet, name, type }: ReceivedQuery): Packet {
    const { ttl = 3600, authentic = false, negativeTtl = 300 } = this.#options;
    const answers: Answer[] = [];
    let owner = name;
    let exists = false;
    for (let hops = 0; hops < 50; hops++) {
      const records = this.#recordsOf(owner);
      exists = records !== undefined;
      const found = (records ?? []).filter((text) => typeOf(text) === type);
      const alias = (records ?? []).find((text) => typeOf(text) === 'CNAME');
      for (const text of found) answers.push(parseRecord(owner, text, ttl));
      if (found.length > 0 || alias === undefined) break;
      const record = parseRecord(owner, alias, ttl);
      answers.push(record);
      owner = String('data' in record ? record.data : '');
    }
    const isNegative = !answers.some((answer) => answer.type === type);
    const flags =
      AUTHORITATIVE_ANSWER |
      RECURSION_AVAILABLE |
      (authentic ? AUTHENTIC_DATA : 0) |
      (exists ? RCODES.NOERROR : RCODES.NXDOMAIN);
    return {
      type: 'response',
      id: packet.id ?? 0,
      flags,
      questions: packet.questions ?? [],
      answers,
      authorities: isNegative && negativeTtl !== null ? [soa(owner, negativeTtl)] : [],
    };
  }

  #recordsOf(name: string): readonly string[] | undefined {
    const lower = name.toLowerCase();
    const own = Object.entries(this.zone).find(([key]) => key.toLowerCase() === lower)?.[1];
    if (own !== undefined) return own;
    // A name with others below it exists, without records (RFC 8020).
    return Object.keys(this.zone).some((key) => key.toLowerCase().endsWith(`.${lower}`)) ? [] : undefined;
  }
}

function isList(reaction: Reaction): reaction is readonly Buffer[] {
  return Array.isArray(reaction);
}

function soa(name: string, seconds: number): Answer {
  const zone = name.split('.').slice(-1)[0]!;
  return {
    type: 'SOA',
    name: zone,
    ttl: seconds,
    data: {
      mname: `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: seconds,
    },
  };
}

function typeOf(text: string): string {
  return /^(?:\d+ )?(\S+)/.exec(text)?.[1]?.toUpperCase() ?? '';
}

/** One line of a zone, as dns-packet wants it. */
export function parseRecord(name: string, text: string, defaultTtl: number): Answer {
  const [, ttlText, type = '', value = ''] = /^(?:(\d+) )?(\S+)(?: ([\s\S]*))?$/.exec(text) ?? [];
  const ttl = ttlText === undefined ? defaultTtl : Number(ttlText);
  const words = value.split(' ');
  const head = { name, ttl, class: 'IN' as const };
  switch (type.toUpperCase()) {
    case 'A':
      return { ...head, type: 'A', data: value };
    case 'AAAA':
      return { ...head, type: 'AAAA', data: value };
    case 'CNAME':
      return { ...head, type: 'CNAME', data: value };
    case 'NS':
      return { ...head, type: 'NS', data: value };
    case 'PTR':
      return { ...head, type: 'PTR', data: value };
    case 'MX':
      return { ...head, type: 'MX', data: { preference: Number(words[0]), exchange: words[1] ?? '.' } };
    case 'TXT': {
      const pieces = [...value.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
      const texts = pieces.length > 0 ? pieces : [value];
      return { ...head, type: 'TXT', data: texts.map((piece) => Buffer.from(piece, 'latin1')) };
    }
    case 'SRV': {
      const [priority = '0', weight = '0', port = '0', target = '.'] = words;
      const data = { priority: Number(priority), weight: Number(weight), port: Number(port), target };
      return { ...head, type: 'SRV', data };
    }
    case 'SOA': {
      const [mname = '.', rname = '.', ...numbers] = words;
      const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number);
      return { ...head, type: 'SOA', data: { mname, rname, serial, refresh, retry, expire, minimum } };
    }
    case 'TLSA': {
      const [usage = '3', selector = '1', matchingType = '1', hex = ''] = words;
      return {
        ...head,
        type: 'TLSA',
        data: {
          usage: Number(usage),
          selector: Number(selector),
          matchingType: Number(matchingType),
          certificate: Buffer.from(hex, 'hex'),
        },
      };
    }
    case 'CAA': {
      const [flags = '0', tag = 'issue', caa = ''] = words;
      const known = tag === 'issuewild' || tag === 'iodef' ? tag : 'issue';
      return { ...head, type: 'CAA', data: { flags: Number(flags), tag: known, value: caa } };
    }
    case 'NAPTR': {
      const [order = '0', preference = '0', flags = '', services = '', regexp = '', replacement = '.'] =
        words;
      const data = {
        order: Number(order),
        preference: Number(preference),
        flags,
        services,
        regexp,
        replacement,
      };
      return { ...head, type: 'NAPTR', data };
    }
    default:
      throw new Error(`a zone of tests cannot hold "${text}"`);
  }
}
