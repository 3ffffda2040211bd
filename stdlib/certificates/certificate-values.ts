// Certificates and revocation lists as scripts hand them in: resources, objects of X509 and X509CRL, PEM texts, ids of
// configured ones.

import { X509Certificate } from 'node:crypto';
import { type CallContext, HslArray, HslObject, HslResource, ScriptFault, typeWord, type Value } from '#lang';
import { X509_RESOURCE } from '../loaders/certificates.js';
import { servicesOf } from '../services.js';
import { certificatesInPem } from './certificate.js';
import { RevocationList } from './revocation-list.js';

/** The word scripts see for a parsed revocation list; its payload is a RevocationList. */
export const X509CRL_RESOURCE = 'X509CRLResource';

/** The certificate behind a resource or an object of X509; undefined when it is something else. */
export function certificateBehind(value: Value): X509Certificate | undefined {
  if (value instanceof HslResource)
    return value.type === X509_RESOURCE ? (value.payload as X509Certificate) : undefined;
  return value instanceof HslObject && value.state instanceof X509Certificate ? value.state : undefined;
}

/** The list behind a resource or an object of X509CRL; undefined when it is something else. */
export function revocationListBehind(value: Value): RevocationList | undefined {
  if (value instanceof HslResource)
    return value.type === X509CRL_RESOURCE ? (value.payload as RevocationList) : undefined;
  return value instanceof HslObject && value.state instanceof RevocationList ? value.state : undefined;
}

/** A certificate as a value. */
export const certificateValue = (certificate: X509Certificate): HslResource =>
  new HslResource(X509_RESOURCE, certificate);

/**
 * The certificates that a value stands for: one, a text in PEM with several, `pki:ID` for those of an authority or a key in the
 * configuration, or a list of all these.
 * @param where names the function and the argument, for the message
 * @throws ScriptFault when it is something else, or cannot be read
 */
export function certificatesOf(value: Value, where: string, ctx: CallContext): X509Certificate[] {
  if (value === null) return [];
  if (value instanceof HslArray)
    return value.toList().flatMap((item) => {
      if (item instanceof HslArray) throw unexpected(item, where);
      return certificatesOf(item, where, ctx);
    });
  const certificate = certificateBehind(value);
  if (certificate !== undefined) return [certificate];
  if (typeof value !== 'string') throw unexpected(value, where);
  if (value.startsWith('pki:')) {
    const { configured } = servicesOf(ctx);
    const found = configured.authorities(value) ?? configured.key(value)?.certificates;
    if (found === undefined)
      throw new ScriptFault(`${where}: nothing is configured under "${value.slice(0, 80)}"`);
    return [...found];
  }
  const found = certificatesInPem(value);
  if (found === undefined || found.length === 0)
    throw new ScriptFault(`${where}: the text holds no certificate in PEM that can be read`);
  return found;
}

function unexpected(value: Value, where: string): ScriptFault {
  const found = value instanceof HslResource ? value.type : typeWord(value);
  return new ScriptFault(`${where}: expected X509 resources or objects, or texts in PEM, found ${found}`);
}

/** The revocation lists of a list. @throws ScriptFault when there is something else in it */
export function revocationListsOf(values: HslArray, where: string): RevocationList[] {
  return values.toList().map((value) => {
    const list = revocationListBehind(value);
    if (list === undefined) {
      const found = value instanceof HslResource ? value.type : typeWord(value);
      throw new ScriptFault(`${where}: expected X509CRL resources or objects, found ${found}`);
    }
    return list;
  });
}
