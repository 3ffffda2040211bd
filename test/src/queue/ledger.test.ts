import { expect, test } from 'vitest';
import { Ledger } from '../../../src/queue/ledger.js';
import { keptLog, uuid } from '../../support/mail-samples.js';
import { settled, VirtualClock } from '../../support/virtual-clock.js';

const id = { transaction: uuid(1), number: 1 };

/** A spool that refuses both writes once: the change as late as the test says. */
function refusing(clock: VirtualClock, changeAfter: number, removalAfter: number) {
  const written: string[] = [];
  const refusals = { change: 1, removal: 1 };
  const write = async (name: 'change' | 'removal', after: number): Promise<void> => {
    if (refusals[name]-- <= 0) {
      written.push(name);
      return;
    }
    if (after > 0) await clock.sleep(after);
    throw new Error('no space left');
  };
  return {
    written,
    spool: { update: () => write('change', changeAfter), remove: () => write('removal', removalAfter) },
  };
}

test.each([
  [0, 1],
  [1, 0],
])(
  'a removal is repeated until it is done, whatever else failed before (%i s) or after (%i s)',
  async (...seconds) => {
    const clock = new VirtualClock();
    const { written, spool } = refusing(clock, ...seconds);
    let isErased = false;
    const ledger = new Ledger({
      spool,
      clock,
      log: keptLog(),
      stateOf: () => (isErased ? undefined : { retry: 1 }),
      onIdle: () => {},
    });
    ledger.save(id, { metadata: { a: 'b' } });
    void ledger.erase(id, () => {
      isErased = true;
    });
    await settled();
    await clock.advance(30);
    expect(isErased).toBe(true);
    expect(written).toContain('removal');
  },
);
