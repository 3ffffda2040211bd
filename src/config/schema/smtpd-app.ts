import Type, { type Static } from 'typebox';
import { tlsModes } from '#stdlib';
import { monitorApp } from './control.js';
import { banner, concurrency, serverTls } from './edge.js';
import { authorities, privateKeys } from './pki.js';
import { retry } from './retry.js';
import { serverApiKeys, submission } from './submission.js';
import { count, duration, flag, heloName, later, size, strict, text, version } from './types.js';

// smtpd-app.yaml: the running configuration, read at start and at every reload (queue-and-config 8.4).

const hook = (phase: string) =>
  Type.Optional(
    strict({ hook: Type.Optional(text(`Id of the ${phase} script; built-in behaviour when absent.`)) }),
  );

const phases = strict({
  connect: Type.Optional(
    strict({
      hook: Type.Optional(text('Id of the connect script; built-in behaviour when absent.')),
      remoteptr: Type.Optional(
        flag(
          'Look clients up by reverse DNS before they are greeted, or before their first message over HTTP: `remoteptr` of scripts and of the Received field; false.',
        ),
      ),
    }),
  ),
  helo: Type.Optional(
    strict({
      hook: Type.Optional(text('Id of the helo script.')),
      required: Type.Optional(flag('Refuse MAIL before HELO or EHLO; false.')),
    }),
  ),
  mailfrom: Type.Optional(
    strict({
      hook: Type.Optional(text('Id of the mailfrom script.')),
      maxmessages: Type.Optional(count('Messages per connection; 0 = no limit.')),
    }),
  ),
  rcptto: Type.Optional(
    strict({
      hook: Type.Optional(
        Type.Unsafe<string | { id?: string; recipientdomains?: Record<string, string> }>({
          rcpttoHook: true,
          description:
            'Id of the rcptto script, or {id, recipientdomains: {domain: id}} with `id` for all other domains.',
        }),
      ),
      maxrecipients: Type.Optional(count('Recipients per message; 0 = no limit.')),
    }),
  ),
  eod: hook('eod'),
  disconnect: hook('disconnect'),
  data: Type.Optional(
    strict({
      maxsize: Type.Optional(size('Largest message, announced as SIZE; 50MiB.')),
      maxhops: Type.Optional(count('Received fields beyond which mail is refused as looping; 100.', 1)),
      pipelining: Type.Optional(flag('Announce PIPELINING; true.')),
      '8bitmime': Type.Optional(flag('Announce 8BITMIME; true.')),
      chunking: Type.Optional(flag('Announce CHUNKING, that is BDAT; true.')),
      smtputf8: Type.Optional(flag('Announce SMTPUTF8, if 8BITMIME is announced; true.')),
    }),
  ),
  proxy: Type.Optional(
    strict({
      hook: Type.Optional(text('Id of the proxy script.')),
      commands: Type.Optional(
        Type.Array(Type.String({ pattern: '^[^ \\t\\r\\n]+$', form: 'a word without spaces' }), {
          description:
            'First words of the lines it sees, in any case (of ASCII letters), known commands or not; all lines when absent.',
        }),
      ),
    }),
  ),
  auth: Type.Optional(
    strict({
      hook: Type.Optional(text('Id of the auth script; AUTH is not known without one.')),
      enabled: Type.Optional(flag('Announce AUTH, given a script; true.')),
      requiretls: Type.Optional(flag('Neither announce nor take AUTH before TLS; true.')),
      maxfailures: Type.Optional(
        count('Wrong passwords after which the connection is closed; 0 = no limit; 5.'),
      ),
    }),
  ),
});

const server = strict({
  id: text('Name of the server, as in smtpd.yaml.'),
  type: Type.Optional(
    Type.Enum(['smtp', 'http', 'https', 'plugin'], { description: 'Kind of server, as in smtpd.yaml.' }),
  ),
  protocol: Type.Optional(
    Type.Enum(['smtp', 'lmtp'], {
      description: 'Protocol of a server of type smtp; `lmtp` greets with LHLO and answers each recipient.',
    }),
  ),
  transport: Type.Optional(text('Transport of its recipients, unless a script names another.')),
  phases: Type.Optional(phases),
  timeout: Type.Optional(
    strict({
      idle: Type.Optional(
        duration(
          'How long the next command, or piece of a message, may take; beyond it the session ends. 5m.',
        ),
      ),
      greeting: Type.Optional(duration('The same until the client has greeted; `idle`.')),
      transaction: Type.Optional(duration('The same for commands between MAIL and DATA; `idle`.')),
      data: Type.Optional(duration('The same for the next piece of a message; `idle`.')),
      message: Type.Optional(duration('How long a whole message may take; 1h.')),
      linger: Type.Optional(
        duration('How long a client may take to read a reply, or to hang up after the last one; 30s.'),
      ),
      handshake: Type.Optional(duration('How long a handshake of TLS may take; 30s.')),
      proxyheader: Type.Optional(duration('How long the header of a proxy may take; 10s.')),
    }),
  ),
  concurrency,
  banner,
  logging: Type.Optional(
    strict({
      verbose: Type.Optional(
        flag('Log every line said on either side, at level debug, without passwords; false.'),
      ),
    }),
  ),
  tls: serverTls,
  apikeys: serverApiKeys,
  submission,
});

const script = strict({
  id: text('Id by which servers[].phases name it.'),
  data: text('The script.'),
});

const scripts = (phase: string) =>
  Type.Optional(Type.Array(script, { description: `The ${phase} scripts.` }));

const mailHosts = (what: string) =>
  Type.Optional(
    Type.Array(text('A host name, or `*.` and a domain for names of one label more.'), { description: what }),
  );

const sourceAddresses = (family: string) =>
  Type.Optional(
    Type.Unsafe<boolean | string[]>({
      flagOrTexts: true,
      description: `Send to ${family} addresses (true, from the address that the system chooses), or not; or ids of \`addresses\` to send from in turns, one that stands twice having twice the share.`,
    }),
  );

const connection = strict({
  server: Type.Optional(
    text(
      "Host name or IP address of the next hop; the mail hosts (MX) of the recipient's domain when absent.",
    ),
  ),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Port of the next hop; 25.' })),
  lookup: Type.Optional(
    Type.Enum(['address', 'mx'], {
      description:
        "`address`: `server` is a host; `mx`: its mail hosts are meant, or those of the recipient's domain when there is no `server`. `address` with a `server`.",
    }),
  ),
  sourceip: Type.Optional(
    strict({
      ipv4: sourceAddresses('IPv4'),
      ipv6: sourceAddresses('IPv6'),
    }),
  ),
  proxy: Type.Optional(
    strict({
      address: Type.Optional(text('IP address of a proxy that connects for us (PROXY protocol).')),
      port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Its port.' })),
      version: Type.Optional(Type.Enum([1, 2], { description: 'Of the PROXY protocol; 2.' })),
    }),
  ),
  mx: Type.Optional(
    strict({
      include: mailHosts('Mail hosts that may be used; all when absent.'),
      exclude: mailHosts('Mail hosts that are not used.'),
    }),
  ),
});

const session = strict({
  protocol: Type.Optional(
    Type.Enum(['smtp', 'lmtp'], { description: 'Protocol spoken to the next hop; `smtp`.' }),
  ),
  helo: Type.Optional(heloName('Name given in EHLO; the hostname when absent.')),
  tls: Type.Optional(
    strict({
      mode: Type.Optional(
        Type.Enum([...tlsModes], {
          description:
            '`disabled` (the default); `optional`: when it can be had; `require`: or the mail waits; with `_verify` the certificate must be trusted. `dane`: a host with TLSA records must prove with them who it is, any other is as with `optional`, or as with what `dane_fallback_require` and `dane_fallback_require_verify` name; `dane_require`: no other.',
        }),
      ),
      implicit: Type.Optional(flag('TLS from the first byte, as on port 465; false.')),
      protocols: Type.Optional(text('Protocols, `!` excludes; `!SSLv2,!SSLv3`.')),
      ciphers: Type.Optional(text("OpenSSL's list of ciphers; the library's own when absent.")),
      sni: Type.Optional(
        Type.Unsafe<string | boolean>({
          textOrFlag: true,
          description:
            'Server name to ask for; true: the name of the host; false. Where DANE or MTA-STS asks for a certificate it is always the name that they speak of.',
        }),
      ),
      verifyhost: Type.Optional(flag('The certificate must be for the host; false.')),
      verifyname: Type.Optional(
        Type.Array(Type.String(), { description: 'The certificate must be for one of these names.' }),
      ),
      defaultca: Type.Optional(
        flag('Trust the authorities of the system beside those of pki.ca; true when there are none.'),
      ),
      clientcert: Type.Optional(text('Id of the key in pki.private to show when asked.')),
      mtasts: Type.Optional(
        flag("Heed the MTA-STS policy of the recipient's domain (RFC 8461), where mode allows TLS; false."),
      ),
    }),
  ),
  saslusername: Type.Optional(text('Log in with this name before mail is sent.')),
  saslpassword: Type.Optional(Type.String({ secret: true, description: 'The password to it.' })),
  saslunverified: Type.Optional(
    flag(
      'Log in although TLS does not show with whom the session is; false. Without effect with tls.mode `disabled`.',
    ),
  ),
});

const transportSettings = {
  connection: Type.Optional(connection),
  session: Type.Optional(session),
  retry: Type.Optional(retry),
  dsn: Type.Optional(
    strict({
      transport: Type.Optional(
        text(
          'Transport that carries delivery status notifications; without it failures delete the message and tell nobody.',
        ),
      ),
      from: Type.Optional(
        text('From of notifications: an address, or `Name <address>`; MAILER-DAEMON at the hostname.'),
      ),
      subject: Type.Optional(text('Subject of notifications; a sentence by what happened.')),
    }),
  ),
};

const transport = strict({
  id: text('Name of the transport; unique over all groups.'),
  ...transportSettings,
});

const address = strict({
  id: text('Name by which scripts ask for it.'),
  address: text('An IP address of this machine.'),
  hostname: Type.Optional(heloName('Name given in EHLO from that address.')),
});

const labelForm = 'letters, digits and _, beginning with neither a digit nor __';

const metric = strict({
  name: Type.String({
    pattern: '^[a-zA-Z_:][a-zA-Z0-9_:]*$',
    form: 'letters, digits, _ and :, beginning with no digit',
    description: 'Name by which scripts count; /metrics shows it.',
  }),
  type: Type.Enum(['counter', 'gauge', 'histogram'], {
    description:
      'A counter only grows, a gauge goes up and down, a histogram spreads observations over buckets.',
  }),
  help: Type.Optional(text('What it counts, for the reader of /metrics; the name when absent.')),
  labels: Type.Optional(
    Type.Array(Type.String({ pattern: '^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$', form: labelForm }), {
      description:
        'Label names; a script gives a value for each. At most 1000 combinations of values are kept.',
    }),
  ),
  buckets: Type.Optional(
    Type.Array(Type.Number(), {
      minItems: 1,
      description: 'Upper bounds of the buckets of a histogram, ascending; from 0.005 to 10 when absent.',
    }),
  ),
});

const list = (field: string, form: string) =>
  Type.Optional(
    Type.Record(Type.String({ pattern: '.' }), Type.Array(Type.String()), {
      description: `Lists of values of ${field} (${form}) by id, which conditions name as \`@id\`.`,
    }),
  );

const lists = strict({
  tenantid: list('tenantid', 'texts or /regex/'),
  jobid: list('jobid', 'texts or /regex/'),
  transportid: list('transportid', 'texts or /regex/'),
  localip: list('localip', 'addresses or networks'),
  remoteip: list('remoteip', 'addresses or networks'),
  remotemx: list('remotemx', 'names, *.domain or /regex/'),
  recipientdomain: list('recipientdomain', 'domains, *.domain or /regex/'),
  grouping: later('groupings'),
});

const hostRecords = (type: string, form: string) =>
  Type.Optional(Type.Array(Type.String(), { description: `${type} records: ${form}.` }));

const resolver = strict({
  servers: Type.Optional(
    Type.Array(text('`ip`, `ip:port` or `[ipv6]:port`.'), {
      description: 'DNS servers, asked in this order; those of /etc/resolv.conf when absent.',
    }),
  ),
  trusted: Type.Optional(
    Type.Array(text('An IP address.'), {
      description:
        'Servers that validate DNSSEC and are reached over a safe path: their AD bit is believed. Those on this machine when absent.',
    }),
  ),
  timeout: Type.Optional(duration('How long one server is waited for; 2s.')),
  retries: Type.Optional(count('Rounds over all servers after the first; 2.')),
  cache: Type.Optional(strict({ size: Type.Optional(count('Answers kept; 0 = none; 10000.')) })),
  hosts: Type.Optional(
    Type.Record(
      Type.String({ pattern: '.' }),
      strict({
        a: hostRecords('A', 'IPv4 addresses'),
        aaaa: hostRecords('AAAA', 'IPv6 addresses'),
        mx: hostRecords('MX', '`10 mx1.example.com`'),
        txt: hostRecords('TXT', 'texts'),
        ptr: hostRecords('PTR', 'host names'),
        tlsa: hostRecords('TLSA', '`3 1 1 0123ab`'),
        secure: Type.Optional(flag('Answers count as validated; false.')),
      }),
      {
        description:
          'Names that no server is asked about: `{name: {a: [], aaaa: [], mx: [], txt: [], ptr: [], tlsa: [], secure: false}}`.',
      },
    ),
  ),
});

export const appSchema = strict({
  version,
  servers: Type.Array(server, { description: 'The servers and their phases.' }),
  scripting: Type.Optional(
    strict({
      hooks: Type.Optional(
        strict({
          connect: scripts('connect'),
          proxy: scripts('proxy'),
          helo: scripts('helo'),
          auth: scripts('auth'),
          mailfrom: scripts('mailfrom'),
          rcptto: scripts('rcptto'),
          eod: scripts('eod'),
          disconnect: scripts('disconnect'),
          predelivery: Type.Optional(text('The predelivery script.')),
          postdelivery: Type.Optional(text('The postdelivery script.')),
        }),
      ),
      files: Type.Optional(
        Type.Array(
          strict({
            id: text('Name by which scripts include or import it.'),
            data: Type.Optional(text('Its content; base64 when `binary`.')),
            binary: Type.Optional(flag('`data` is base64; false.')),
            path: Type.Optional(text('A file to read instead of `data`.')),
          }),
          { description: 'Files that scripts can include or import.' },
        ),
      ),
      limits: Type.Optional(
        strict({
          depth: Type.Optional(count('Calls within calls; 512.', 1)),
          memory: Type.Optional(size('Strings and arrays of one execution; 256MiB.')),
          time: Type.Optional(duration('Wall time of one execution, waiting included; 300s.')),
          output: Type.Optional(size('Bytes of echo of one execution; 1MiB.')),
          instructions: Type.Optional(count('Instructions of one execution; 0 = no limit.')),
        }),
      ),
    }),
  ),
  transportgroups: Type.Optional(
    Type.Array(
      strict({
        id: text('Name of the group.'),
        transports: Type.Array(transport, { description: 'Its transports; each may override the group.' }),
        ...transportSettings,
      }),
      { description: 'How mail leaves.' },
    ),
  ),
  queues: Type.Optional(
    strict({
      pooling: Type.Optional(
        strict({
          size: Type.Optional(count('Idle outbound connections kept at once; 1000.', 1)),
          policy: Type.Optional(
            Type.Unsafe<'remoteip' | 'remotemx'>({
              onlyFor: ['remoteip', 'remotemx'],
              feature: 'pooling by grouping',
              description:
                'Whose idle connection may be used: `remoteip`, of the same address; `remotemx`, of any address of the host; `remoteip`.',
            }),
          ),
        }),
      ),
      grouping: later('groupings'),
    }),
  ),
  metrics: Type.Optional(Type.Array(metric, { description: 'What scripts count with `metrics_*`.' })),
  addresses: Type.Optional(Type.Array(address, { description: 'Addresses to send from, by name.' })),
  lists: Type.Optional(lists),
  resolver: Type.Optional(resolver),
  pki: Type.Optional(strict({ private: privateKeys, ca: authorities })),
  postmaster: Type.Optional(
    strict({
      address: Type.Optional(
        text(
          'Where mail to `postmaster` without a domain goes, and reports of failed messages that have no sender.',
        ),
      ),
    }),
  ),
  monitor: monitorApp,
  plugins: later('native plugins'),
});

export type AppFile = Static<typeof appSchema>;
