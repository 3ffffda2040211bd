import Type, { type Static } from 'typebox';
import { controlsocket, monitor } from './control.js';
import { listener, proxyprotocol, xclient } from './edge.js';
import { privateKeys } from './pki.js';
import {
  count,
  duration,
  flag,
  heloName,
  ignored,
  later,
  octal,
  size,
  strict,
  text,
  version,
} from './types.js';

// smtpd.yaml: what is read once, at start (queue-and-config 8.3).

const server = strict({
  id: text('Name of the server; smtpd-app.yaml has one of the same id.'),
  type: Type.Optional(
    Type.Enum(['smtp', 'http', 'https', 'plugin'], { description: 'Kind of server; `smtp`.' }),
  ),
  listeners: Type.Optional(Type.Array(listener, { description: 'Where it listens.' })),
  threads: ignored('one process, one event loop'),
  proxyprotocol: proxyprotocol(
    'Who speaks the PROXY protocol (version 1 or 2): from these, and no others, a header is believed, and must come.',
  ),
  xclient: xclient('Who may speak for other clients by XCLIENT; nobody when absent.'),
});

export const smtpdSchema = strict({
  version,
  servers: Type.Array(server, { description: 'The servers and their listeners.' }),
  environment: Type.Optional(
    strict({
      appconf: Type.Optional(text('Path of smtpd-app.yaml, if it is not beside this file.')),
      policyconf: Type.Optional(text('Path of smtpd-policy.yaml.')),
      suspendconf: Type.Optional(text('Path of smtpd-suspend.yaml.')),
      deliveryconf: Type.Optional(text('Path of smtpd-delivery.yaml.')),
      hostname: Type.Optional(
        heloName(
          'Name this host gives itself in banners, HELO and Received; the system hostname when absent.',
        ),
      ),
      umask: Type.Optional(octal('Octal umask, such as "0027".')),
      rlimit: Type.Optional(
        strict({
          nofile: Type.Optional(
            count('Open files wanted; a warning when the system allows fewer and they cannot be had.', 1),
          ),
        }),
      ),
      uuid: Type.Optional(
        strict({
          version: Type.Optional(Type.Enum([1, 4], { description: 'Version of transaction ids; 1.' })),
        }),
      ),
      syslog: Type.Optional(
        strict({
          mask: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 255,
              description: 'Severities that are logged: bit n is severity n, 0 emergency to 7 debug; 255.',
            }),
          ),
        }),
      ),
      shutdown: Type.Optional(
        strict({
          grace: Type.Optional(
            duration('How long running transactions and deliveries may take to finish at SIGTERM; 30s.'),
          ),
        }),
      ),
      licensekey: ignored('no licence is needed'),
      spool: Type.Optional(
        strict({
          path: Type.Optional(
            Type.Unsafe<string | readonly string[]>({
              textOrTexts: true,
              description: 'Older place of spool.path.',
            }),
          ),
        }),
      ),
      controlsocket,
      privdrop: Type.Optional(
        strict({
          user: text('Name or number of the user that the daemon becomes once its ports are bound.'),
          group: Type.Optional(text("Name or number of its group; the user's own when absent.")),
        }),
      ),
      publicsuffix: Type.Optional(
        text('List of public suffixes (publicsuffix.org) to use instead of the one that came with us.'),
      ),
    }),
  ),
  spool: Type.Optional(
    strict({
      path: Type.Optional(
        Type.Unsafe<string | readonly string[]>({
          textOrTexts: true,
          description:
            'Folder of the spool, or several to spread mail over, each of which must be there; `/var/spool/argonite/queue`.',
        }),
      ),
      fsync: Type.Optional(
        flag('Whether 250 waits for the disk; true. Only for tests and throw-away mail may it be false.'),
      ),
      minfree: Type.Optional(
        strict({
          bytes: Type.Optional(size('Below this much free space new mail is answered 452 4.3.1; 0 = off.')),
          inodes: Type.Optional(count('The same for free inodes; 0 = off.')),
        }),
      ),
      corrupt: Type.Optional(
        Type.Enum(['fail', 'rename', 'delete', 'ignore'], {
          description: 'What to do with an unreadable record at start; `rename`.',
        }),
      ),
    }),
  ),
  queues: Type.Optional(
    strict({
      concurrency: Type.Optional(count('Outbound connections at once, over all destinations; 10000.', 1)),
      threads: ignored('one process, one event loop'),
    }),
  ),
  scripting: Type.Optional(
    strict({
      rootpath: Type.Optional(
        text("Root of `file://` access; the configuration folder's `files` when absent."),
      ),
      ffi: later('the foreign function interface'),
    }),
  ),
  plugins: later('native plugins'),
  pki: Type.Optional(strict({ private: privateKeys })),
  cluster: later('clusters'),
  monitor,
});

export type SmtpdFile = Static<typeof smtpdSchema>;
