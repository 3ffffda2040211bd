// o, p, H and r: taking what is in the configuration files, all of a file or nothing of it (queue-and-config 8.1).

import { ControlError, type Operation } from '../operation.js';

/** What came of a reload: `problems` is why nothing has changed, with file, line and column. */
export interface ReloadResult {
  readonly problems?: string;
}

/** Reloads everything, the policies with the suspensions, or the settings of deliveries. */
export function reloading(reload: (what: 'all' | 'policies' | 'delivery') => Promise<ReloadResult>): {
  readonly r: Operation;
  readonly o: Operation;
  readonly p: Operation;
  readonly H: Operation;
} {
  const of = (what: 'all' | 'policies' | 'delivery'): Operation => ({
    async run() {
      const { problems } = await reload(what);
      if (problems !== undefined) throw new ControlError(problems);
      return undefined;
    },
  });
  // Suspensions and policies are read and applied together.
  return { r: of('all'), o: of('policies'), p: of('policies'), H: of('delivery') };
}
