// A Dovecot, unpacked and private, that takes mail by LMTP on loopback into mail folders below one scratch folder. It knows the
// paths of its programs by heart, so it runs in a mount namespace of its own, where the unpacked files seem to be installed.

import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { freePort, type Peer, peerFile, skipReason, stopChild, untilListening } from './peers.js';
import { scratchFolder } from './scratch-folder.js';

/** What Debian calls the user "nobody" and the group "nogroup". */
const nobody = 65534;

/** Lays the unpacked files over the installed ones, for this process and what it starts. */
const mounts = ['usr/lib', 'usr/bin']
  .map((place) => `mount -t overlay overlay -o lowerdir=${peerFile(place)}:/${place} /${place}`)
  .join(' && ');

/** Why Dovecot cannot run here, or undefined when it can. */
export function dovecotObstacle(): string | undefined {
  const missing = skipReason('dovecot');
  if (missing !== undefined) return missing;
  if (process.getuid?.() !== 0) return 'Dovecot needs root';
  const { status } = spawnSync('unshare', ['-m', 'sh', '-c', mounts], { stdio: 'ignore' });
  return status === 0 ? undefined : 'file systems cannot be laid over each other here';
}

export interface DovecotPeer extends Peer {
  /** The messages in a user's mail folder, one character per byte. */
  messages(user: string): readonly string[];
}

/**
 * Starts a Dovecot that knows these users (local parts, any domain); nobody else has a mailbox (550). One whose mailbox is
 * `broken` is told only after the message (451). Needs root.
 */
export async function startDovecot(
  users: Readonly<Record<string, 'ready' | 'broken'>>,
): Promise<DovecotPeer> {
  const folder = scratchFolder();
  chmodSync(folder, 0o755);
  const place = (name: string): string => path.join(folder, name);
  for (const name of ['run', 'state', 'mail']) mkdirSync(place(name));
  chownSync(place('mail'), nobody, nobody);
  writeFileSync(
    place('users'),
    Object.entries(users)
      .map(([user, mailbox]) => {
        const extra = mailbox === 'broken' ? 'userdb_mail=maildir:/proc/none' : '';
        return `${user}:{PLAIN}x:${nobody}:${nobody}::${place('mail')}::${extra}\n`;
      })
      .join(''),
  );
  const port = await freePort();
  const known = (kind: string): string => `${kind} {\n driver = passwd-file\n args = ${place('users')}\n}`;
  writeFileSync(
    place('dovecot.conf'),
    [
      `base_dir = ${place('run')}`,
      `state_dir = ${place('state')}`,
      `log_path = ${place('log')}`,
      'import_environment = TZ LD_LIBRARY_PATH=/usr/lib/dovecot',
      'protocols = lmtp',
      'ssl = no',
      'default_internal_user = nobody',
      'default_internal_group = nogroup',
      'default_login_user = daemon',
      'first_valid_uid = 1',
      'auth_mechanisms = plain',
      'auth_username_format = %n',
      `mail_location = maildir:${place('mail')}/%n`,
      'postmaster_address = postmaster@dovecot.test',
      known('userdb'),
      known('passdb'),
      `service lmtp {\n inet_listener lmtp {\n address = 127.0.0.1\n port = ${port}\n }\n}`,
      'service anvil {\n chroot =\n}',
      'service stats {\n chroot =\n}',
      '',
    ].join('\n'),
  );
  const child = spawn(
    'unshare',
    [
      '-m',
      'sh',
      '-c',
      `${mounts} && exec /usr/bin/env "$@"`,
      'sh',
      'LD_LIBRARY_PATH=/usr/lib/dovecot',
    ].concat(peerFile('usr/sbin/dovecot'), '-F', '-c', place('dovecot.conf')),
    { stdio: 'ignore' },
  );
  try {
    await untilListening(port, child);
  } catch (error) {
    await stopChild(child);
    const log = existsSync(place('log')) ? readFileSync(place('log'), 'utf8') : '';
    throw new Error(`Dovecot did not start: ${String(error)}\n${log}`);
  }
  return {
    port,
    pid: child.pid!,
    messages: (user) => {
      const arrived = path.join(place('mail'), user, 'new');
      if (!existsSync(arrived)) return [];
      return readdirSync(arrived).map((name) => readFileSync(path.join(arrived, name), 'latin1'));
    },
    stop: () => stopChild(child),
  };
}
