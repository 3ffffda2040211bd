import { chmodSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError, problemToText } from '../../../src/config/problem.js';
import { certificate, ecKey, ed25519Key, rsaKey } from '../../support/example-world/keys.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const smtpd = 'version: "6.8"\nservers:\n  - id: in\n    listeners: [{ address: 127.0.0.1, port: 0 }]\n';
const app = 'version: "6.8"\nservers: [{ id: in }]\n';

/** A PEM text as a YAML block under a key. */
const block = (pem: string, indent: number): string =>
  `|\n${pem.replace(/^/gm, ' '.repeat(indent)).trimEnd()}\n`;

interface Files {
  /** Below `pki:` of the two files. */
  readonly smtpd?: string;
  readonly app?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function folderOf({ smtpd: start, app: running, files }: Files): string {
  const below = (text: string | undefined) => (text === undefined ? '' : `pki:\n${text}`);
  const folder = scratchFolder({
    'smtpd.yaml': smtpd + below(start),
    'smtpd-app.yaml': app + below(running),
    ...files,
  });
  for (const name of Object.keys(files ?? {})) chmodSync(path.join(folder, name), 0o600);
  return folder;
}

function problems(files: Files): string {
  const folder = folderOf(files);
  try {
    loadConfiguration(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.replaceAll(`${folder}/`, '');
  }
  return '';
}

test('keys come from files and from texts, with their certificates', () => {
  const folder = folderOf({
    app: `  private:
    - id: files
      privatekey: { path: keys/rsa.key }
      certificate: { path: keys/chain.crt }
    - id: bare
      privatekey:
        data: ${block(ed25519Key, 10)}
  ca:
    - id: root
      certificate: { path: keys/chain.crt }
`,
    files: { 'keys/rsa.key': rsaKey, 'keys/chain.crt': `a comment\n${certificate}` },
  });
  const { running, warnings } = loadConfiguration(folder);
  expect(warnings).toEqual([]);
  expect([...running.keys.keys()]).toEqual(['files', 'bare']);
  const found = running.keys.get('files')!;
  expect(found.key.asymmetricKeyType).toBe('rsa');
  expect(found.certificates.map(({ subject }) => subject)).toEqual([
    'C=SE\nO=Example Ltd\nCN=mx.example.com',
  ]);
  expect(running.keys.get('bare')).toMatchObject({ certificates: [] });
  expect(running.authorities.get('root')).toHaveLength(1);
});

test('the key may stand in smtpd.yaml, the certificate in smtpd-app.yaml', () => {
  const folder = folderOf({
    smtpd: '  private: [{ id: mx, privatekey: { path: mx.key } }]\n',
    app: '  private: [{ id: mx, certificate: { path: mx.crt } }]\n',
    files: { 'mx.key': rsaKey, 'mx.crt': certificate },
  });
  expect(loadConfiguration(folder).running.keys.get('mx')!.certificates).toHaveLength(1);
});

test('a key that everybody can read is warned of', () => {
  const folder = folderOf({
    app: '  private:\n    - id: mx\n      privatekey: { path: mx.key }\n',
    files: { 'mx.key': rsaKey },
  });
  const file = path.join(folder, 'mx.key');
  chmodSync(file, 0o640);
  expect(loadConfiguration(folder).warnings).toEqual([]);
  chmodSync(file, 0o644);
  expect(loadConfiguration(folder).warnings.map(problemToText)).toEqual([
    `${folder}/smtpd-app.yaml:6:27: warning: pki.private[0].privatekey.path: every user of this machine can read the private key in ${file} (mode 0644); take that away with chmod o-rwx`,
  ]);
});

test.each<readonly [string, Files, string]>([
  [
    'a certificate without a key',
    { app: '  private: [{ id: mx, certificate: { path: c } }]\n', files: { c: certificate } },
    'smtpd-app.yaml:4:19: error: pki.private[0].id: there is no private key with the id "mx"',
  ],
  [
    'a certificate of another key',
    {
      app: '  private: [{ id: mx, privatekey: { path: k }, certificate: { path: c } }]\n',
      files: { k: ecKey, c: certificate },
    },
    'smtpd-app.yaml:4:61: error: pki.private[0].certificate: no certificate in it belongs to the private key',
  ],
  [
    'neither file nor text',
    { app: '  private: [{ id: mx, privatekey: {} }]\n' },
    'neither "path" nor "data"; expected one of them',
  ],
  [
    'file and text',
    { app: '  ca: [{ id: mx, certificate: { path: c, data: x } }]\n' },
    'both "path" and "data"; expected one of them',
  ],
  [
    'a file that is not there',
    { app: '  private: [{ id: mx, privatekey: { path: missing.key } }]\n' },
    'the file missing.key cannot be read: ENOENT',
  ],
  [
    'an id twice',
    {
      smtpd: '  private: [{ id: mx, privatekey: { path: k } }]\n',
      app: '  private: [{ id: mx, privatekey: { path: k } }]\n',
      files: { k: ecKey },
    },
    'smtpd-app.yaml:4:19: error: pki.private[0].id: there are two private keys with the id "mx"',
  ],
  [
    'authorities twice',
    {
      app: '  ca: [{ id: a, certificate: { path: c } }, { id: a, certificate: { path: c } }]\n',
      files: { c: certificate },
    },
    'there are two authorities with the id "a"',
  ],
  [
    'an authority that is none',
    { app: '  ca: [{ id: a, certificate: { data: text } }]\n' },
    'there is no certificate in it; expected PEM',
  ],
  [
    'two keys in one file',
    { app: '  private: [{ id: mx, privatekey: { path: k } }]\n', files: { k: ecKey + rsaKey } },
    'the private key cannot be read; expected one in PEM, without a passphrase',
  ],
])('%s is a problem with its place', (_, files, expected) => {
  expect(problems(files)).toContain(expected);
});

test('no message shows a key, wherever it was put', () => {
  const inline = ed25519Key.trimEnd().replaceAll('\n', '\\n');
  const broken = inline.replace('MC4C', 'XXXX');
  for (const text of [
    `  private: [{ id: mx, privatekey: "${inline}" }]\n`,
    `  private: [{ id: mx, privatekey: { data: ["${inline}"] } }]\n`,
    `  private: [{ id: mx, privatekey: { data: "${broken}" } }]\n`,
    `  private: [{ id: mx, privatekey: { path: ["${inline}"] } }]\n`,
    `  private: "${inline}"\n`,
    `  private: ["${inline}"]\n`,
    `  ca: [{ id: mx, certificate: "${inline}" }]\n`,
    `  "${inline}": 1\n`,
    `  private: [{ id: mx, privatekey: { path: "${inline}" } }]\n`,
    `  private: [{ id: mx, privatekey: { data: 7341 } }]\n`,
  ]) {
    const said = problems({ app: text });
    expect(said, text).not.toBe('');
    expect(said, text).not.toMatch(/XXXX|CAQAw|IBAD|IHBo|7341/);
  }
});
