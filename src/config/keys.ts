// The keys and authorities that scripts and transports name (queue-and-config 8.3, 8.4). They are read here once: a slip
// is told with its line, and nobody meets a broken key while mail flows. No message shows any part of a key.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type ConfiguredKey, certificatesInPem, privateKeyInPem } from '#stdlib';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';

/** What `pki` has, by id without `pki:`. */
export interface ConfiguredKeys {
  readonly keys: ReadonlyMap<string, ConfiguredKey>;
  readonly authorities: ReadonlyMap<string, readonly X509Certificate[]>;
}

/** A text that is a file or stands in the configuration itself. */
interface TextSetting {
  readonly path?: string;
  readonly data?: string;
}

type Place = readonly (string | number)[];
type Entry = NonNullable<NonNullable<AppFile['pki']>['private']>[number];

/** What the two files say about one id, each with the place where it is said. */
interface Parts {
  readonly at: () => ConfigProblem;
  key?: { readonly value: KeyObject | undefined };
  certificates?: {
    readonly value: readonly X509Certificate[] | undefined;
    readonly problem: (message: string) => ConfigProblem;
  };
}

/** The keys by id, with what is wrong in them put on the list. */
export function collectKeys(
  smtpd: ConfigDocument<SmtpdFile>,
  app: ConfigDocument<AppFile>,
  folder: string,
  problems: ConfigProblem[],
): ConfiguredKeys {
  const parts = new Map<string, Parts>();
  readPrivate(smtpd, smtpd.value.pki?.private, folder, parts, problems);
  readPrivate(app, app.value.pki?.private, folder, parts, problems);
  const keys = new Map<string, ConfiguredKey>();
  for (const [id, found] of parts) {
    const key = joined(found, problems);
    if (key !== undefined) keys.set(id, key);
  }
  return { keys, authorities: readAuthorities(app, folder, problems) };
}

function readPrivate(
  file: ConfigDocument<unknown>,
  entries: readonly Entry[] | undefined,
  folder: string,
  parts: Map<string, Parts>,
  problems: ConfigProblem[],
): void {
  entries?.forEach(({ id, privatekey, certificate }, index) => {
    const at: Place = ['pki', 'private', index];
    const found = parts.get(id) ?? {
      at: () => file.problemAt([...at, 'id'], `there is no private key with the id "${id}"`),
    };
    parts.set(id, found);
    const twice = (what: string) =>
      problems.push(file.problemAt([...at, 'id'], `there are two ${what} with the id "${id}"`));
    if (privatekey !== undefined) {
      if (found.key !== undefined) twice('private keys');
      found.key = { value: readKey(file, [...at, 'privatekey'], privatekey, folder, problems) };
    }
    if (certificate !== undefined) {
      if (found.certificates !== undefined) twice('certificates');
      const place = [...at, 'certificate'];
      found.certificates = {
        value: readCertificates(file, place, certificate, folder, problems),
        problem: (message) => file.problemAt(place, message),
      };
    }
  });
}

/** Key and certificates together; undefined when something is wrong with them. */
function joined({ at, key, certificates }: Parts, problems: ConfigProblem[]): ConfiguredKey | undefined {
  if (key === undefined) {
    problems.push(at());
    return undefined;
  }
  if (key.value === undefined) return undefined;
  if (certificates?.value === undefined) return { key: key.value, certificates: [] };
  const privateKey = key.value;
  const own = certificates.value.find((one) => one.checkPrivateKey(privateKey));
  if (own === undefined) {
    problems.push(certificates.problem('no certificate in it belongs to the private key'));
    return undefined;
  }
  return { key: privateKey, certificates: [own, ...certificates.value.filter((one) => one !== own)] };
}

function readAuthorities(
  app: ConfigDocument<AppFile>,
  folder: string,
  problems: ConfigProblem[],
): ReadonlyMap<string, readonly X509Certificate[]> {
  const authorities = new Map<string, readonly X509Certificate[]>();
  app.value.pki?.ca?.forEach(({ id, certificate }, index) => {
    const at: Place = ['pki', 'ca', index];
    if (authorities.has(id))
      problems.push(app.problemAt([...at, 'id'], `there are two authorities with the id "${id}"`));
    const found = readCertificates(app, [...at, 'certificate'], certificate, folder, problems);
    authorities.set(id, found ?? []);
  });
  return authorities;
}

function readKey(
  file: ConfigDocument<unknown>,
  at: Place,
  setting: TextSetting,
  folder: string,
  problems: ConfigProblem[],
): KeyObject | undefined {
  const text = readText(file, at, setting, folder, problems);
  if (text === undefined) return undefined;
  if (setting.path !== undefined) warnOfOpenFile(file, [...at, 'path'], setting.path, folder, problems);
  const key = privateKeyInPem(text);
  if (key === undefined)
    problems.push(
      file.problemAt(at, 'the private key cannot be read; expected one in PEM, without a passphrase'),
    );
  return key;
}

/** A key that every account of the machine can read is none of ours alone. */
function warnOfOpenFile(
  file: ConfigDocument<unknown>,
  at: Place,
  name: string,
  folder: string,
  problems: ConfigProblem[],
): void {
  const full = path.resolve(folder, name);
  const mode = statSync(full, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o004) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  problems.push(
    file.problemAt(
      at,
      `every user of this machine can read the private key in ${full} (mode ${octal}); take that away with chmod o-rwx`,
      'warning',
    ),
  );
}

function readCertificates(
  file: ConfigDocument<unknown>,
  at: Place,
  setting: TextSetting,
  folder: string,
  problems: ConfigProblem[],
): readonly X509Certificate[] | undefined {
  const text = readText(file, at, setting, folder, problems);
  if (text === undefined) return undefined;
  const found = certificatesInPem(text);
  if (found !== undefined && found.length > 0) return found;
  const what = found === undefined ? 'a certificate in it cannot be read' : 'there is no certificate in it';
  problems.push(file.problemAt(at, `${what}; expected PEM`));
  return undefined;
}

/** The text of a setting that is a file or stands there itself; undefined when a problem was told. */
export function readText(
  file: ConfigDocument<unknown>,
  at: Place,
  setting: TextSetting,
  folder: string,
  problems: ConfigProblem[],
): string | undefined {
  const { path: name, data } = setting;
  if ((name === undefined) === (data === undefined)) {
    const found = name === undefined ? 'neither "path" nor "data"' : 'both "path" and "data"';
    problems.push(file.problemAt(at, `${found}; expected one of them`));
    return undefined;
  }
  if (name === undefined) return data;
  // Without the text: it is where the secret is.
  if (name.includes('-----BEGIN ')) {
    problems.push(
      file.problemAt(
        [...at, 'path'],
        'found a text in PEM, expected the name of a file; write it under "data"',
      ),
    );
    return undefined;
  }
  const full = path.resolve(folder, name);
  try {
    return readFileSync(full, 'latin1');
  } catch (error) {
    problems.push(
      file.problemAt([...at, 'path'], `the file ${full} cannot be read: ${(error as Error).message}`),
    );
    return undefined;
  }
}
