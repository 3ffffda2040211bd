// The files that examples name, and the message that they call `$mail`.

import type { FileContent } from '../../../stdlib/files/file-content.js';
import { certificate, ecKey, ed25519Key, revocationList, rsaKey } from './keys.js';

/** A message with an attachment; what `$mail` is. */
export const message = [
  'Received: from client.example.org ([198.51.100.7]) by mx.example.com; Fri, 02 Jan 2026 03:04:05 +0000',
  'From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>',
  'To: Alice Example <alice@example.com>, bob@example.com',
  'Subject: Quarterly report',
  'Date: Fri, 02 Jan 2026 03:04:00 +0000',
  'Message-ID: <4711@example.org>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="=_b"',
  '',
  'This is a message in MIME format.',
  '--=_b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Gr=C3=BC=C3=9Fe',
  '--=_b',
  'Content-Type: text/csv; name="figures.csv"',
  'Content-Disposition: attachment; filename="figures.csv"',
  'Content-Transfer-Encoding: base64',
  '',
  'cTEsNDIKcTIsNDMK',
  '--=_b--',
  '',
].join('\r\n');

/** By the name under which scripts import or open them. */
export const files: Readonly<Record<string, string>> = {
  'hello.txt': 'Hello\nWorld\n',
  'message.eml': message,
  'example.crt': certificate,
  'example.crl.txt': revocationList,
  'example.key': rsaKey,
  'example-ed25519.key': ed25519Key,
  'example-ec.key': ecKey,
};

export function fileContent(name: string): FileContent | undefined {
  const text = files[name];
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'latin1');
  return { path: name, sizeBytes: bytes.length, read: (start, end) => bytes.subarray(start, end) };
}
