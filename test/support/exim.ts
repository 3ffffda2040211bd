// An Exim, unpacked and private, as a next hop: it takes mail into a spool below one scratch folder, on loopback only, and
// delivers nothing. Exim looks up a user of its own as soon as it starts; where no package has made one, nss_wrapper makes
// it believe in one.

import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  freePort,
  type Peer,
  peerEnvironment,
  peerFile,
  peerProgram,
  stopChild,
  untilListening,
} from './peers.js';
import type { TestCertificate } from './test-authority.js';

/** What Debian calls the user "nobody" and the group "nogroup". */
const nobody = 65534;

export interface EximPeer extends Peer {
  /** Lines of its main log: `<=` is a message taken, with `P=` the protocol, `X=` the cipher, `K` for BDAT. */
  log(): readonly string[];
  /** The messages in its spool: header and body as it keeps them. */
  messages(): readonly { readonly header: string; readonly body: string }[];
}

/** Starts an Exim that takes mail for everybody but `refused@` (550) and `later@` (450). Needs root. */
export async function startExim(certificate?: TestCertificate): Promise<EximPeer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-exim-'));
  chmodSync(folder, 0o755);
  const [spool, logs] = ['spool', 'log'].map((name) => path.join(folder, name)) as [string, string];
  for (const made of [spool, logs]) {
    mkdirSync(made);
    chownSync(made, nobody, nobody);
  }
  const users = path.join(folder, 'passwd');
  const groups = path.join(folder, 'group');
  copyFileSync('/etc/passwd', users);
  copyFileSync('/etc/group', groups);
  appendFileSync(users, `Debian-exim:x:${nobody}:${nobody}::/:/bin/false\n`);
  appendFileSync(groups, `Debian-exim:x:${nobody}:\n`);
  const tls: string[] = [];
  if (certificate !== undefined) {
    for (const [name, source] of [
      ['crt', certificate.certificateFile],
      ['key', certificate.keyFile],
    ] as const) {
      const file = path.join(folder, name);
      copyFileSync(source, file);
      chownSync(file, nobody, nobody);
      tls.push(`tls_${name === 'crt' ? 'certificate' : 'privatekey'} = ${file}`);
    }
  }
  const port = await freePort();
  const configuration = path.join(folder, 'exim.conf');
  appendFileSync(
    configuration,
    [
      'exim_user = nobody',
      'exim_group = nogroup',
      'never_users =',
      'keep_environment =',
      `exim_path = ${peerProgram('exim4')}`,
      `spool_directory = ${spool}`,
      `log_file_path = ${logs}/%slog`,
      `pid_file_path = ${spool}/pid`,
      'log_selector = +tls_cipher +smtp_protocol_error',
      'primary_hostname = exim.test',
      'local_interfaces = 127.0.0.1',
      `daemon_smtp_ports = ${port}`,
      'queue_only',
      'disable_ipv6',
      'host_lookup =',
      'chunking_advertise_hosts = *',
      'dsn_advertise_hosts = *',
      'smtputf8_advertise_hosts = *',
      `tls_advertise_hosts = ${certificate === undefined ? '' : '*'}`,
      ...tls,
      'acl_smtp_rcpt = check',
      'begin acl',
      'check:',
      '  deny  local_parts = refused',
      '        message = nobody of that name',
      '  defer local_parts = later',
      '  accept',
      '',
    ].join('\n'),
  );
  const environment = peerEnvironment();
  const child = spawn(peerProgram('exim4'), ['-C', configuration, '-bdf'], {
    env: {
      ...environment,
      LD_PRELOAD: peerFile('usr/lib/x86_64-linux-gnu/libnss_wrapper.so'),
      NSS_WRAPPER_PASSWD: users,
      NSS_WRAPPER_GROUP: groups,
    },
    stdio: 'ignore',
  });
  const log = () => readIfThere(path.join(logs, 'mainlog')).split('\n').slice(0, -1);
  try {
    await untilListening(port, child);
  } catch (error) {
    await stopChild(child);
    throw new Error(`Exim did not start: ${String(error)}\n${log().join('\n')}`);
  }
  return {
    port,
    pid: child.pid!,
    log,
    messages: () =>
      readdirSync(path.join(spool, 'input'))
        .filter((name) => name.endsWith('-H'))
        .map((name) => ({
          header: readIfThere(path.join(spool, 'input', name)),
          body: readIfThere(path.join(spool, 'input', name.replace(/-H$/, '-D'))),
        })),
    async stop() {
      await stopChild(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
