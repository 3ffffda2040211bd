// The control socket and the monitor endpoint as the daemon takes them: where they listen and whom they let in.

import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { defaultControlPath } from './control-path.js';
import type { ConfigDocument } from './document.js';
import { readText } from './keys.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';
import { type ApiKey, apiKeysOf } from './submission.js';

/** TLS of a control socket on TCP. */
export interface ControlTlsSettings {
  /** In PEM. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** Absent: clients show nothing. */
  readonly client?: {
    readonly certificate: string;
    readonly verify: boolean;
    readonly verifyName: string | undefined;
  };
}

/** Where the control socket is. */
export interface ControlSocketSettings {
  /** Undefined: on TCP. */
  readonly path: string | undefined;
  readonly mode: number;
  readonly owner: string | undefined;
  readonly group: string | undefined;
  readonly address: string;
  readonly port: number;
  readonly tls: ControlTlsSettings | undefined;
  /** Nobody asked for it at this place: where it cannot be had the daemon runs without. */
  readonly isDefault: boolean;
}

/** Where the monitor endpoint is, and when all is well. */
export interface MonitorSettings {
  readonly address: string;
  readonly port: number;
  /** Unhealthy above so many messages; 0 = no limit. */
  readonly upperMessages: number;
  /** Healthy again below so many. */
  readonly lowerMessages: number;
}

const DEFAULT_MODE = 0o660;

type Setting = NonNullable<NonNullable<SmtpdFile['environment']>['controlsocket']>;
const at = ['environment', 'controlsocket'] as const;

/** The settings of the control socket; relative paths begin at `folder`. */
export function controlSettings(
  smtpd: ConfigDocument<SmtpdFile>,
  folder: string,
  problems: ConfigProblem[],
): ControlSocketSettings {
  const setting: Setting = smtpd.value.environment?.controlsocket ?? {};
  const { path: given, port, owner, group, chmod, address = '127.0.0.1', tls } = setting;
  const tell = (key: string, message: string, severity?: 'warning') =>
    problems.push(smtpd.problemAt([...at, key], message, severity));
  if (port === undefined) {
    for (const key of ['address', 'tls'] as const)
      if (setting[key] !== undefined) tell(key, `a UNIX socket has no "${key}"; add "port", or remove it`);
  } else {
    for (const key of ['path', 'owner', 'group', 'chmod'] as const)
      if (setting[key] !== undefined) tell(key, `only a UNIX socket has "${key}"; remove it or "port"`);
    if (tls?.client === undefined && !/^(127\.|::1$)/.test(address))
      tell(
        'address',
        `whoever reaches ${address} port ${port} controls the daemon; ask for tls.client certificates`,
        'warning',
      );
  }
  return {
    path: port === undefined ? path.resolve(folder, given ?? defaultControlPath) : undefined,
    mode: chmod === undefined ? DEFAULT_MODE : Number.parseInt(chmod, 8),
    owner,
    group,
    address,
    port: port ?? 0,
    tls: tls === undefined ? undefined : tlsOf(smtpd, tls, folder, problems),
    isDefault: given === undefined && port === undefined,
  };
}

function tlsOf(
  smtpd: ConfigDocument<SmtpdFile>,
  { server, client }: NonNullable<Setting['tls']>,
  folder: string,
  problems: ConfigProblem[],
): ControlTlsSettings | undefined {
  const place = [...at, 'tls'];
  const certificate = readText(
    smtpd,
    [...place, 'server', 'certificate'],
    server.certificate,
    folder,
    problems,
  );
  const key = readText(smtpd, [...place, 'server', 'privatekey'], server.privatekey, folder, problems);
  const clients =
    client && readText(smtpd, [...place, 'client', 'certificate'], client.certificate, folder, problems);
  if (certificate === undefined || key === undefined || (client !== undefined && clients === undefined))
    return undefined;
  try {
    createSecureContext({ cert: certificate, key, ...(clients === undefined ? {} : { ca: clients }) });
  } catch (error) {
    // OpenSSL's words hold nothing of the key.
    problems.push(
      smtpd.problemAt(
        place,
        `certificate and key cannot be used together: ${(error as Error).message}; expected PEM`,
      ),
    );
    return undefined;
  }
  return {
    server: { certificate, key },
    ...(client === undefined
      ? {}
      : {
          client: {
            certificate: clients!,
            verify: client.verify ?? true,
            verifyName: client.verifyname,
          },
        }),
  };
}

/** The settings of the monitor endpoint; undefined when it is nowhere. */
export function monitorSettings(
  smtpd: ConfigDocument<SmtpdFile>,
  problems: ConfigProblem[],
): MonitorSettings | undefined {
  const { listener, port: olderPort, healthy } = smtpd.value.monitor ?? {};
  if (listener !== undefined && olderPort !== undefined)
    problems.push(smtpd.problemAt(['monitor', 'port'], 'monitor.listener says it already; remove "port"'));
  const port = listener?.port ?? olderPort;
  const { upper = 0, lower = upper } = healthy?.maxmessages ?? {};
  if (lower > upper)
    problems.push(
      smtpd.problemAt(
        ['monitor', 'healthy', 'maxmessages', 'lower'],
        `found ${lower}, above "upper" (${upper}); expected at most that`,
      ),
    );
  if (port === undefined) return undefined;
  return {
    address: listener?.address ?? '127.0.0.1',
    port,
    upperMessages: upper,
    lowerMessages: lower,
  };
}

/** Who may read the metrics. */
export function monitorKeys(app: ConfigDocument<AppFile>): readonly ApiKey[] {
  return apiKeysOf(app.value.monitor?.apikeys);
}
