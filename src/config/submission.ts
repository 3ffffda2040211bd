// Settings of servers of type http and https: who may submit, and how much at once. Of a key only its SHA-256 is kept.

import { createHash } from 'node:crypto';
import path from 'node:path';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';
import type { AppFile } from './schema/smtpd-app.js';
import { parseDuration, parseSize } from './units.js';

/** A key that is accepted. */
export interface ApiKey {
  /** What scripts and the log call it; keys given as text have none. */
  readonly id: string | undefined;
  readonly sha256: Buffer;
}

/** What a server of type http or https has beside what SMTP servers have. */
export interface SubmissionSettings {
  readonly apiKeys: readonly ApiKey[];
  readonly optionsBytes: number;
  readonly requestSeconds: number;
  /** 0 = no limit. */
  readonly requests: number;
  readonly requestsPerKey: number;
  readonly idempotencySeconds: number;
  /** 0 = off. */
  readonly idempotencyKeys: number;
}

/** One server in both files, with its place in each. */
export interface ConfiguredServer {
  readonly start: SmtpdFile['servers'][number];
  readonly startIndex: number;
  readonly app: AppFile['servers'][number];
  readonly appIndex: number;
}

/** Whether a value can be an entry of `apikeys`. */
export function isApiKey(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  if (typeof value !== 'object' || value === null) return false;
  const { id, sha256, ...rest } = value as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    id !== '' &&
    typeof sha256 === 'string' &&
    /^[0-9a-fA-F]{64}$/.test(sha256) &&
    Object.keys(rest).length === 0
  );
}

/** The keys of a list. */
export function apiKeysOf(
  list: readonly (string | { readonly id: string; readonly sha256: string })[] = [],
): readonly ApiKey[] {
  return list.map((key) =>
    typeof key === 'string'
      ? { id: undefined, sha256: createHash('sha256').update(key, 'utf8').digest() }
      : { id: key.id, sha256: Buffer.from(key.sha256, 'hex') },
  );
}

/** The settings, with defaults filled in. */
export function submissionSettings({
  apikeys = [],
  submission = {},
}: ConfiguredServer['app']): SubmissionSettings {
  const { concurrency = {}, idempotency = {} } = submission;
  return {
    apiKeys: apiKeysOf(apikeys),
    optionsBytes: parseSize(submission.maxoptions) ?? 1024 * 1024,
    requestSeconds: parseDuration(submission.timeout) ?? 600,
    requests: concurrency.total ?? 500,
    requestsPerKey: concurrency.key ?? 0,
    idempotencySeconds: parseDuration(idempotency.ttl) ?? 3600,
    idempotencyKeys: idempotency.keys ?? 10_000,
  };
}

/** What is wrong with a server of type http or https beyond its schema, or is probably not meant. */
export function checkSubmission(
  smtpd: ConfigDocument<SmtpdFile>,
  app: ConfigDocument<AppFile>,
  { start, startIndex, app: server, appIndex }: ConfiguredServer,
  problems: ConfigProblem[],
): void {
  const listeners = start.listeners ?? [];
  if (listeners.length > 1)
    problems.push(
      smtpd.problemAt(
        ['servers', startIndex, 'listeners', 1],
        `server "${start.id}" has ${listeners.length} listeners; a server of type ${start.type} has one`,
      ),
    );
  if (start.type === 'https' && server.tls === undefined)
    problems.push(
      smtpd.problemAt(
        ['servers', startIndex, 'type'],
        `server "${start.id}" has no certificates; a server of type https needs servers[].tls.certs in ${path.basename(app.file)}`,
      ),
    );
  const isInTheClear = listeners.some(
    ({ address, path: socket }) =>
      start.type === 'http' &&
      socket === undefined &&
      (address === undefined || !/^(127\.|::1$)/.test(address)),
  );
  if (isInTheClear)
    problems.push(
      smtpd.problemAt(
        ['servers', startIndex, 'type'],
        `server "${start.id}" listens beyond loopback without TLS: API keys and mail cross the network in the clear. Use type https, or a proxy with TLS in front`,
        'warning',
      ),
    );
  if (start.xclient !== undefined || listeners.some(({ xclient }) => xclient !== undefined))
    problems.push(
      smtpd.problemAt(
        ['servers', startIndex],
        `"xclient" is without effect for server "${start.id}": XCLIENT is a command of SMTP`,
        'warning',
      ),
    );
  const keys = server.apikeys ?? [];
  if (keys.length === 0)
    problems.push(
      app.problemAt(
        ['servers', appIndex],
        `server "${start.id}" has no apikeys: every submission is answered 401`,
        'warning',
      ),
    );
  const ids = new Set<string>();
  keys.forEach((key, index) => {
    if (typeof key === 'string') return;
    if (ids.has(key.id))
      problems.push(
        app.problemAt(['servers', appIndex, 'apikeys', index], `there are two keys with the id "${key.id}"`),
      );
    ids.add(key.id);
  });
  for (const [phase, settings] of Object.entries(server.phases ?? {})) {
    if (phase === 'eod' || phase === 'data') continue;
    // What they have beside a script counts here too: maxrecipients, remoteptr.
    if ((phase === 'rcptto' || phase === 'connect') && !('hook' in settings)) continue;
    problems.push(
      app.problemAt(
        ['servers', appIndex, 'phases', phase],
        'without effect: of the scripts, HTTP submission runs that of eod only',
        'warning',
      ),
    );
  }
}
