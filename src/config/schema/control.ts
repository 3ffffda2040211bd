import Type from 'typebox';
import { pemText, privateKey } from './pki.js';
import { apiKeys } from './submission.js';
import { count, flag, octal, strict, text } from './types.js';

// The control socket and the monitor endpoint (queue-and-config 8.3, 8.4 and 11).

/** `environment.controlsocket`. */
export const controlsocket = Type.Optional(
  strict({
    path: Type.Optional(
      text('Path of the UNIX socket by which the daemon is controlled; `/run/argonite/smtpd.ctl`.'),
    ),
    owner: Type.Optional(text('User whom the socket belongs to; the one the daemon runs as when absent.')),
    group: Type.Optional(text('Group whom the socket belongs to.')),
    chmod: Type.Optional(
      octal('Octal permissions of the socket: who can write to it controls the daemon; "0660".'),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: 'TCP port instead of a UNIX socket.' }),
    ),
    address: Type.Optional(text('IP address of that port; 127.0.0.1.')),
    tls: Type.Optional(
      strict({
        server: strict(
          {
            certificate: pemText('the certificate that is shown, and those that vouch for it'),
            privatekey: privateKey,
          },
          'What the daemon shows to those who connect by TCP.',
        ),
        client: Type.Optional(
          strict(
            {
              certificate: pemText('the authority, or the certificate itself, that clients must show'),
              privatekey: Type.Optional(privateKey),
              verify: Type.Optional(flag('Only clients with such a certificate are let in; true.')),
              verifyname: Type.Optional(text("A name that the client's certificate must be for.")),
            },
            'Who may connect; without it everybody may who reaches the port.',
          ),
        ),
      }),
    ),
  }),
);

/** `monitor` of smtpd.yaml. */
export const monitor = Type.Optional(
  strict({
    listener: Type.Optional(
      strict({
        port: Type.Integer({
          minimum: 0,
          maximum: 65535,
          description: 'TCP port of the monitor endpoint (/metrics, /ready, /healthy).',
        }),
        address: Type.Optional(text('IP address to listen on; 127.0.0.1.')),
      }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: 'Older spelling of monitor.listener.port.' }),
    ),
    healthy: Type.Optional(
      strict({
        maxmessages: Type.Optional(
          strict({
            upper: Type.Optional(count('Unhealthy above so many queued messages; 0 = no limit; 0.')),
            lower: Type.Optional(count('Healthy again below so many; `upper` when absent.')),
          }),
        ),
      }),
    ),
  }),
);

/** `monitor` of smtpd-app.yaml. */
export const monitorApp = Type.Optional(
  strict({
    apikeys: apiKeys(
      "Keys of which one must come in X-API-Key for /metrics; everybody may read it without any. Each is a text, or (recommended) `{id, sha256}` with the key's SHA-256 in hex.",
    ),
  }),
);
