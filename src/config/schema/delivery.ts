import Type, { type Static } from 'typebox';
import { smtpStates } from '#stdlib';
import { retryTable } from './retry.js';
import { count, duration, flag, later, strict, text, version } from './types.js';

// smtpd-delivery.yaml: what holds for a destination (queue-and-config 5).

/** The states whose timeouts can be set (hooks 14), and the older name of the first. */
const states = ['CONNECT', ...smtpStates].join('|');

const settings = strict({
  tls: Type.Optional(
    strict({
      mode: Type.Optional(
        Type.Enum(['disabled', 'optional', 'optional_verify', 'require', 'require_verify'], {
          description: "TLS with this destination; the transport's when absent.",
        }),
      ),
      protocols: Type.Optional(text("Protocols, `!` excludes; the transport's when absent.")),
    }),
  ),
  pooling: Type.Optional(
    strict({
      enabled: Type.Optional(flag('Reuse connections; false.')),
      transactions: Type.Optional(
        count('Close a connection after this many messages; no limit when absent.', 1),
      ),
      timeout: Type.Optional(duration('Idle life of a connection; 5s.')),
      evictable: Type.Optional(flag('May be closed to make room in a full pool; true.')),
    }),
  ),
  timeout: Type.Optional(
    strict({
      connect: Type.Optional(duration('TCP connect; 30s.')),
      smtp: Type.Optional(
        Type.Record(
          Type.String({ pattern: `^(${states})$` }),
          duration('Wait for the reply in this state.'),
          { additionalProperties: false },
        ),
      ),
    }),
  ),
  retry: Type.Optional(retryTable),
});

export type DeliveryFileSettings = Static<typeof settings>;

const values = (field: string, form: string) =>
  Type.Optional(
    Type.Unsafe<string | string[]>({ textOrTexts: true, description: `The ${field}: ${form}, or several.` }),
  );

const condition = strict({
  if: Type.Optional(
    strict({
      tenantid: values('tenant id', 'a text, /regex/ or @list'),
      jobid: values('job id', 'a text, /regex/ or @list'),
      transportid: values('transport', 'its id, /regex/ or @list'),
      localip: values('address that we send from', 'address, network or @list'),
      grouping: later('groupings'),
      remoteip: values('address of the next hop', 'address, network or @list'),
      remotemx: values('next hop', 'a name, *.domain, /regex/ or @list'),
      recipientdomain: values("recipient's domain", 'a domain, *.domain, /regex/ or @list'),
    }),
  ),
  // biome-ignore lint/suspicious/noThenProperty: the key of the file.
  then: settings,
});

export const deliverySchema = strict({
  version,
  delivery: Type.Optional(
    strict({
      conditions: Type.Optional(
        Type.Array(condition, { description: 'Settings by destination; the first that matches holds.' }),
      ),
      default: Type.Optional(settings),
    }),
  ),
});

export type DeliveryFile = Static<typeof deliverySchema>;
