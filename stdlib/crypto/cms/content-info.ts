// The outermost structure of CMS (RFC 5652 §3): what kind of content this is. Signed and encrypted things are wrapped in
// each other by mail programs; every one is a ContentInfo of its own.

import {
  context,
  type DerElement,
  readOid,
  readWhole,
  tags,
  unlessMalformed,
} from '../../certificates/der-reader.js';
import * as der from '../../certificates/der-writer.js';

/** The object identifiers of content types. */
export const contentTypes = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  envelopedData: '1.2.840.113549.1.7.3',
  authEnvelopedData: '1.2.840.113549.1.9.16.1.23',
} as const;

/** Their names in OpenSSL, which scripts see. */
const names: Readonly<Record<string, string>> = {
  [contentTypes.data]: 'pkcs7-data',
  [contentTypes.signedData]: 'pkcs7-signedData',
  [contentTypes.envelopedData]: 'pkcs7-envelopedData',
  '1.2.840.113549.1.7.4': 'pkcs7-signedAndEnvelopedData',
  '1.2.840.113549.1.7.5': 'pkcs7-digestData',
  '1.2.840.113549.1.7.6': 'pkcs7-encryptedData',
  '1.2.840.113549.1.9.16.1.2': 'id-smime-ct-authData',
  '1.2.840.113549.1.9.16.1.4': 'id-smime-ct-TSTInfo',
  '1.2.840.113549.1.9.16.1.9': 'id-smime-ct-compressedData',
  [contentTypes.authEnvelopedData]: 'id-smime-ct-authEnvelopedData',
};

/** A content and its type. */
export interface ContentInfo {
  readonly type: string;
  readonly content: DerElement;
}

/** @throws MalformedDer */
export function readContentInfo(bytes: Buffer): ContentInfo {
  const fields = readWhole(bytes).expect(tags.sequence).fields();
  const type = readOid(fields.next());
  const content = fields.next(context(0)).inner();
  fields.end();
  return { type, content };
}

/** Wraps a content. */
export const writeContentInfo = (type: string, content: Buffer): Buffer =>
  der.sequence(der.oid(type), der.tagged(0, content));

/** The name of what bytes hold; undefined when they are no CMS, or a type that nobody knows. */
export function contentTypeName(bytes: Buffer): string | undefined {
  return unlessMalformed(() => names[readContentInfo(bytes).type]);
}
