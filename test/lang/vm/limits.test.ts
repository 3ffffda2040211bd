import { describe, expect, test } from 'vitest';
import { execute, HslArray, type Limits } from '#lang';
import { HandlerKind } from '../../../lang/bytecode/function-code.js';
import { Op } from '../../../lang/bytecode/opcodes.js';
import { type HandFunction, handAssembled } from '../../support/hand-assembled.js';
import { RamHost } from '../../support/ram-host.js';

function end(limits: Partial<Limits>, code: HandFunction['code']) {
  const host = new RamHost();
  // Every limit is tried inside a try: none may be caught.
  const handlers = [[0, code.length, code.length, 9, HandlerKind.Catch]] as const;
  const program = handAssembled({
    functions: [{ code: [...code, [Op.Echo, 9], [Op.ReturnNone]], handlers }],
    constants: ['x'.repeat(1000), HslArray.fromList([1, 2, 3])],
  });
  const result = execute(program, { host, limits }).run();
  if (result instanceof Promise) throw new Error('it waits');
  return result.kind === 'failed' ? result.error.message : `${result.kind}: ${host.echoed.join()}`;
}

describe('an execution is ended, uncatchably, when it', () => {
  test('runs too many instructions', () => {
    expect(end({ instructions: 10_000 }, [[Op.Loop, 0, 0, 0]])).toBe(
      'the script ran more than 10000 instructions',
    );
  });

  test('prints too much', () => {
    expect(
      end({ output: 2500 }, [
        [Op.LoadConst, 0, 0],
        [Op.Echo, 0],
        [Op.Loop, 0, 0, 1],
      ]),
    ).toBe('the script printed more than 2500 bytes');
  });

  test('holds too much in one array', () => {
    expect(
      end({ memory: 100_000 }, [
        [Op.NewArray, 0, 0, 0],
        [Op.LoadInt, 1, 5],
        [Op.Append, 0, 1],
        [Op.Loop, 0, 0, 2],
      ]),
    ).toBe('the script uses more than 100000 bytes of memory for strings and arrays');
  });

  test('holds too long a string', () => {
    expect(
      end({ memory: 100_000 }, [
        [Op.LoadConst, 0, 0],
        [Op.Concat, 0, 0, 0],
        [Op.Loop, 0, 0, 1],
      ]),
    ).toBe('the script uses more than 100000 bytes of memory for strings and arrays');
  });
});

test('what an execution has let go does not count: a loop may allocate without end', () => {
  expect(
    end({ memory: 100_000, instructions: 100_000 }, [
      [Op.LoadConst, 0, 0],
      [Op.NewArray, 1, 0, 1],
      [Op.Concat, 2, 0, 0],
      [Op.Loop, 0, 0, 1],
    ]),
  ).toBe('the script ran more than 100000 instructions');
});

test('the time limit ends a loop that never waits', () => {
  const host = new RamHost();
  const execution = execute(handAssembled({ functions: [{ code: [[Op.Loop, 0, 0, 0]] }] }), {
    host,
    limits: { time: 5 },
  });
  // Time passes while it runs.
  let looks = 0;
  const pushed = host.clock.monotonic.bind(host.clock);
  host.clock.monotonic = () => pushed() + looks++ * 0.1;
  const result = execution.run();
  return Promise.resolve(result).then((ended) => {
    expect(ended.kind === 'failed' && ended.error.message).toBe('the script ran longer than 5 seconds');
  });
});
