// I, QueueQuota: what the quotas hold (queue-and-config 6).

import { bytesToText, textToBytes } from '#lang';
import type { Quotas, QuotaUse } from '../../queue/table/quotas.js';
import type { Operation } from '../operation.js';

/** `QueueQuotaRequest`. */
interface QuotaRequest {
  readonly names: readonly string[];
}

/** Tells of the quotas that are named, or of all in use. */
export function queueQuota(quotas: () => Pick<Quotas, 'of' | 'list'>): Operation<QuotaRequest> {
  return {
    run({ names }) {
      const found: (QuotaUse & { name: string })[] =
        names.length === 0
          ? [...quotas().list()].map((quota) => ({ ...quota, name: bytesToText(quota.name) }))
          : names.map((name) => ({ name, ...quotas().of(textToBytes(name)) }));
      found.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { quotas: found.map(({ name, count, bytes }) => ({ name, count, bytes })) };
    },
  };
}
