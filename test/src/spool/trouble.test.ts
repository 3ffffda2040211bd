import { expect, test } from 'vitest';
import { SpoolError } from '../../../src/spool/spool.js';
import { Trouble } from '../../../src/spool/trouble.js';
import { TestLog } from '../../support/test-log.js';

test('what is thrown says once what is wrong, and why it is', () => {
  const trouble = new Trouble(new TestLog(), '/spool', 'new mail is refused');
  const cause = new Error('ENOSPC');
  const thrown = trouble.tell(new SpoolError('cannot write', true, { cause }), 0);
  expect(thrown).toMatchObject({ message: 'cannot write', noSpace: true, isTold: true, cause });
  expect(trouble.tell(new SpoolError('the disk is full', true), 1).cause).toBeUndefined();
});
