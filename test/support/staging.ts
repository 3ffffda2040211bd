// A staging engine in virtual time, whose configurations are names and whose chance is seeded.

import { type Deployment, type Preparation, Staging } from '../../src/staging/staging.js';
import type { ConnectionOrigin } from '../../src/staging/traffic.js';
import { seededRandom } from './mail-samples.js';
import { TestLog } from './test-log.js';
import { VirtualClock } from './virtual-clock.js';

/** What is staged here: something with a name. */
export interface NamedWork {
  readonly name: string;
  isClosed: boolean;
  close(): Promise<void>;
}

/** A client of that address at the server `in`. */
export function from(remoteIp: string, serverId = 'in'): ConnectionOrigin {
  return { remoteIp, serverId };
}

/** The engine with its clock. The text of a configuration that begins with "broken" is refused with itself. */
export function namedStaging(seed = 1) {
  const clock = new VirtualClock();
  const log = new TestLog();
  const works: NamedWork[] = [];
  const living: (string | undefined)[] = [];
  const endedKeys: string[] = [];
  let keys = 0;
  const setup = {
    /** Deployments wait for it while they are being read. */
    reading: Promise.resolve() as Promise<void>,
  };
  const prepare = async ({ config }: Deployment): Promise<Preparation<NamedWork>> => {
    await setup.reading;
    if (config.startsWith('broken')) return { kind: 'refused', problems: config };
    const work: NamedWork = {
      name: config,
      isClosed: false,
      close: async () => {
        work.isClosed = true;
      },
    };
    works.push(work);
    return { kind: 'ready', work, warnings: '' };
  };
  const staging = new Staging<NamedWork>({
    now: () => clock.now(),
    after: (seconds, call) => clock.setTimer(seconds, call),
    random: seededRandom(seed),
    newKey: () => `key-${++keys}`,
    serverIds: ['in', 'out'],
    prepare,
    onLiving: (work) => living.push(work?.name),
    onEnded: (key) => endedKeys.push(key),
    log,
  });
  return { staging, clock, log, works, living, endedKeys, setup };
}
