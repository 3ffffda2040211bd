// The header field `TLS-Required: No` (RFC 8689 5): the sender would rather have the message arrive than have the
// recipient's domain insist on its TLS. It says nothing when MAIL came with REQUIRETLS.

import { parseHeaderSection } from '#stdlib';
import type { MessageReader } from '../../spool/spool.js';
import type { MessageSecurity } from './demand.js';

/** Header sections longer than this say nothing. */
const LONGEST_HEADER_BYTES = 1024 * 1024;

/** What a message says about its transport. `parameters` are those of its MAIL command. */
export function messageSecurity(
  parameters: Readonly<Record<string, unknown>> | undefined,
  message: MessageReader,
): MessageSecurity {
  const requiresTls = parameters !== undefined && 'REQUIRETLS' in parameters;
  let waives: Promise<boolean> | undefined;
  return {
    requiresTls,
    waivesTls: () => {
      // A message that cannot be read is not sent anyway, and whoever reads it to send it tells why.
      waives ??= requiresTls ? Promise.resolve(false) : headerOf(message).then(waivesTlsIn, () => false);
      return waives;
    },
  };
}

/** Whether a header section says `TLS-Required: No`, once. */
export function waivesTlsIn(header: Buffer): boolean {
  const fields = parseHeaderSection(header).fields.filter(({ name }) => name === 'tls-required');
  const [field] = fields;
  if (field === undefined || fields.length > 1) return false;
  return /^\s*no\s*$/i.test(header.toString('latin1', field.valueStart, field.end));
}

async function headerOf(message: MessageReader): Promise<Buffer> {
  const whole = message.whole();
  if (whole !== undefined) return whole;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.chunks()) {
    chunks.push(chunk);
    size += chunk.length;
    const header = Buffer.concat(chunks);
    if (parseHeaderSection(header).isClosed || size >= LONGEST_HEADER_BYTES) return header;
  }
  return Buffer.concat(chunks);
}
