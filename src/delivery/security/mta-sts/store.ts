// The policies on disk: a restart must not be a chance to strip them off (RFC 8461 10.2). One small file, written aside and
// renamed, so that it is whole at any moment; one that cannot be read is as good as none, and said so in the log.

import { open, readFile, rename } from 'node:fs/promises';
import { LONGEST_AGE_SECONDS, type StsPolicy } from './policy.js';

/** A policy with what is to be remembered about it. */
export interface KeptPolicy {
  readonly domain: string;
  /** Of the TXT record it was fetched for. */
  readonly id: string;
  readonly policy: StsPolicy;
  /** Unix time in milliseconds. */
  readonly fetchedAtMs: number;
}

/** Where policies outlive the process. */
export interface PolicyStore {
  /** @throws when there is a file and it cannot be read */
  load(): Promise<readonly KeptPolicy[]>;
  /** @throws when it cannot be written */
  save(policies: readonly KeptPolicy[]): Promise<void>;
}

const VERSION = 1;
const LARGEST_BYTES = 64 * 1024 * 1024;

/** A store in a file, which nobody else writes. */
export function filePolicyStore(file: string): PolicyStore {
  return {
    load: async () => {
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
      if (text.length > LARGEST_BYTES) throw new Error(`${file} is larger than ${LARGEST_BYTES} bytes`);
      const content = contentOf(file, text);
      if (!isRecord(content) || content['version'] !== VERSION || !Array.isArray(content['policies']))
        throw new Error(`${file} holds no MTA-STS policies of version ${VERSION}`);
      return content['policies'].flatMap((entry: unknown) => readEntry(entry) ?? []);
    },
    save: async (policies) => {
      const draft = `${file}.draft`;
      const handle = await open(draft, 'w', 0o640);
      try {
        await handle.writeFile(JSON.stringify({ version: VERSION, policies }));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
    },
  };
}

function contentOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function readEntry(entry: unknown): KeptPolicy | undefined {
  if (!isRecord(entry) || !isRecord(entry['policy'])) return undefined;
  const { domain, id, fetchedAtMs } = entry;
  const { mode, mx, maxAgeSeconds } = entry['policy'];
  if (typeof domain !== 'string' || typeof id !== 'string' || typeof fetchedAtMs !== 'number')
    return undefined;
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined;
  if (typeof maxAgeSeconds !== 'number' || !(maxAgeSeconds >= 0 && maxAgeSeconds <= LONGEST_AGE_SECONDS))
    return undefined;
  if (!Array.isArray(mx) || !mx.every((host) => typeof host === 'string')) return undefined;
  return { domain, id, fetchedAtMs, policy: { mode, mx: mx as string[], maxAgeSeconds } };
}
