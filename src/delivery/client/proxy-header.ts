// The header that we put in front of a connection through a proxy (HAProxy's PROXY protocol, versions 1 and 2): from which of
// our addresses the proxy is to connect, and where to. It is sent before anything is heard; the greeting that follows is the
// destination's.

import { isIPv4, isIPv6 } from 'node:net';
import { addressToBytes } from '#stdlib';

/** A proxy that connects for us. */
export interface OutboundProxy {
  readonly ip: string;
  readonly port: number;
  /** 2, the binary form, when absent. */
  readonly version?: 1 | 2 | undefined;
}

/** Both ends of the connection that the proxy is to make. */
export interface ProxiedEnds {
  readonly sourceIp: string;
  /** 0: whichever is free. */
  readonly sourcePort: number;
  readonly destinationIp: string;
  readonly destinationPort: number;
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2 in the high half, the command PROXY in the low. */
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/** The header, or why there can be none. */
export function writeProxyHeader(version: 1 | 2, ends: ProxiedEnds): Buffer | { readonly problem: string } {
  const { sourceIp, sourcePort, destinationIp, destinationPort } = ends;
  const isFour = isIPv4(sourceIp) && isIPv4(destinationIp);
  const isSix = isPlainIPv6(sourceIp) && isPlainIPv6(destinationIp);
  if (!isFour && !isSix)
    return {
      problem: `the proxy cannot connect from ${sourceIp} to ${destinationIp}: expected addresses of one family`,
    };
  if (version === 1) {
    const family = isFour ? 'TCP4' : 'TCP6';
    return Buffer.from(
      `PROXY ${family} ${sourceIp} ${destinationIp} ${sourcePort} ${destinationPort}\r\n`,
      'latin1',
    );
  }
  const fixed = Buffer.from([VERSION_2_PROXY, isFour ? TCP_OVER_IPV4 : TCP_OVER_IPV6, 0, isFour ? 12 : 36]);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([signature, fixed, bytesOf(sourceIp), bytesOf(destinationIp), ports]);
}

/** A zone names an interface of this machine; it means nothing to the proxy. */
function isPlainIPv6(ip: string): boolean {
  return isIPv6(ip) && !ip.includes('%');
}

function bytesOf(ip: string): Buffer {
  return Buffer.from(addressToBytes(ip)!, 'latin1');
}
