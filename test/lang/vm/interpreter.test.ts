import { describe, expect, test } from 'vitest';
import {
  type BuiltinSteps,
  builtin,
  call,
  type ExecutionResult,
  execute,
  HslArray,
  ScriptFault,
  type Value,
  wait,
} from '#lang';
import { HandlerKind } from '../../../lang/bytecode/function-code.js';
import { Op } from '../../../lang/bytecode/opcodes.js';
import { type HandProgram, handAssembled, required } from '../../support/hand-assembled.js';
import { RamHost } from '../../support/ram-host.js';

function start(program: HandProgram, host = new RamHost()) {
  const execution = execute(handAssembled(program), { host });
  return { execution, host, result: execution.run() };
}

function run(program: HandProgram): { readonly result: ExecutionResult; readonly echoed: readonly string[] } {
  const { result, host } = start(program);
  if (result instanceof Promise) throw new Error('it waits');
  return { result, echoed: host.echoed };
}

/** sum = 0; for (i = 0; i < 10; i++) sum += i; echo sum */
const sumLoop: HandProgram = {
  functions: [
    {
      code: [
        [Op.LoadInt, 0, 0],
        [Op.LoadInt, 1, 0],
        [Op.JumpIfNotLessInt, 1, 10, 6],
        [Op.Add, 0, 0, 1],
        [Op.Increment, 1, 1, 1],
        [Op.LoopIfLessInt, 1, 10, 3],
        [Op.Echo, 0],
        [Op.ReturnNone],
      ],
    },
  ],
};

/** fib(15) by recursion. */
const fib: HandProgram = {
  functions: [
    { code: [[Op.LoadInt, 1, 15], [Op.Call, 0, 1, 1], [Op.Echo, 0], [Op.ReturnNone]] },
    {
      name: 'fib',
      parameters: [required('n')],
      code: [
        [Op.JumpIfNotLessInt, 0, 2, 2],
        [Op.Return, 0],
        [Op.SubInt, 3, 0, 1],
        [Op.Call, 1, 1, 3],
        [Op.SubInt, 3, 0, 2],
        [Op.Call, 2, 1, 3],
        [Op.Add, 1, 1, 2],
        [Op.Return, 1],
      ],
    },
  ],
};

describe('the loop', () => {
  test('counts', () => {
    expect(run(sumLoop)).toEqual({ result: { kind: 'finished' }, echoed: ['45'] });
  });

  test('calls script functions without the JavaScript stack', () => {
    expect(run(fib).echoed).toEqual(['610']);
  });

  test('refuses calls that are nested too deeply, as an exception', () => {
    const endless: HandProgram = {
      functions: [
        {
          code: [[Op.Call, 0, 1, 1], [Op.Echo, 0], [Op.CallMethod, 0, 0, 0], [Op.Echo, 0], [Op.ReturnNone]],
          handlers: [[0, 1, 2, 0, HandlerKind.Catch]],
        },
        {
          name: 'f',
          code: [
            [Op.Call, 0, 1, 1],
            [Op.Return, 0],
          ],
        },
      ],
      constants: ['message'],
    };
    expect(run(endless).echoed).toEqual(['calls are nested more than 512 deep']);
  });

  test('gives an uncaught exception its message, place and stack', () => {
    const { result } = run({
      functions: [
        { code: [[Op.LoadNone, 1], [Op.Call, 0, 1, 1], [Op.ReturnNone]] },
        {
          name: 'f',
          parameters: [required('x')],
          code: [
            [Op.AddInt, 1, 0, 1],
            [Op.Return, 1],
          ],
        },
      ],
    });
    expect(result.kind === 'failed' && result.error.toText()).toBe(
      [
        '+ does not work on none and number (main.hsl:1:1)',
        '    at f (main.hsl:1:1)',
        '    at main.hsl:2:1',
      ].join('\n'),
    );
  });

  test('runs handlers that clean up and then goes on with the exception', () => {
    const { result, echoed } = run({
      functions: [
        {
          code: [
            [Op.LoadConst, 0, 0],
            [Op.Throw, 0],
            [Op.LoadConst, 2, 1],
            [Op.Echo, 2],
            [Op.Rethrow, 1],
            [Op.Echo, 3],
            [Op.ReturnNone],
          ],
          handlers: [
            [0, 2, 2, 1, HandlerKind.Cleanup],
            [0, 5, 5, 3, HandlerKind.Catch],
          ],
        },
      ],
      constants: ['boom', 'cleaning'],
    });
    expect(echoed).toEqual(['cleaning', 'boom']);
    expect(result.kind).toBe('finished');
  });
});

const later = builtin({
  name: 'later',
  summary: 'Waits for the test.',
  group: 'time',
  params: [],
  returns: 'number',
  suspends: true,
  run: (context) => (context.services as { promise: Promise<number> }).promise,
});

const map = builtin({
  name: 'map',
  summary: 'Maps.',
  group: 'arrays',
  params: [
    { name: 'fn', type: 'function' },
    { name: 'list', type: 'array' },
  ],
  returns: 'array',
  callbacks: true,
  *run(fn, list): BuiltinSteps<Value> {
    const result: Value[] = [];
    for (const value of list.values()) result.push(yield call(fn, value));
    return HslArray.fromList(result);
  },
});

const LATER = 1;
const MAP = 2;

/** echo map(x => later() + x, [1, 2]) */
const waitingCallback: HandProgram = {
  declarations: [later, map],
  constants: [HslArray.fromList([1, 2])],
  functions: [
    {
      code: [
        [Op.LoadFunction, 0, 1],
        [Op.LoadConst, 1, 0],
        [Op.CallBuiltin2, 2, MAP, 0],
        [Op.Echo, 2],
        [Op.ReturnNone],
      ],
    },
    {
      name: 'f',
      parameters: [required('x')],
      code: [
        [Op.CallBuiltin, 1, LATER, 0],
        [Op.Add, 1, 1, 0],
        [Op.Return, 1],
      ],
    },
  ],
};

describe('suspending', () => {
  test('crosses a builtin that calls the function that waits', async () => {
    const host = new RamHost();
    const services = { promise: Promise.resolve(40) };
    const result = execute(handAssembled(waitingCallback), { host, services }).run();
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ kind: 'finished' });
    expect(host.echoed).toEqual(['[0=>41,1=>42]']);
  });

  test('ends in an exception where the builtin was called when the promise fails', async () => {
    const host = new RamHost();
    const services = { promise: Promise.reject(new ScriptFault('the server is gone')) };
    const result = await execute(handAssembled(waitingCallback), { host, services }).run();
    expect(result.kind === 'failed' && result.error.toText()).toBe(
      'the server is gone (main.hsl:1:1)\n    at f (main.hsl:1:1)\n    at main.hsl:3:1',
    );
  });

  test('can be cancelled, and what comes later is ignored', async () => {
    const host = new RamHost();
    let settle: (value: number) => void = () => {};
    const services = {
      promise: new Promise<number>((resolve) => {
        settle = resolve;
      }),
    };
    const execution = execute(handAssembled(waitingCallback), { host, services });
    const result = execution.run();
    execution.cancel('the client went away');
    settle(1);
    expect(await result).toEqual({ kind: 'cancelled', reason: 'the client went away' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.echoed).toEqual([]);
  });

  test('is ended by the time limit, and aborts what was waited for', async () => {
    let aborted: unknown;
    const stuck = builtin({
      name: 'stuck',
      summary: 'Never ends.',
      group: 'time',
      params: [],
      returns: 'none',
      callbacks: true,
      *run(context) {
        context.signal.addEventListener('abort', () => {
          aborted = context.signal.reason;
        });
        try {
          yield wait(new Promise(() => {}));
        } finally {
          context.host.echo('left');
        }
        return null;
      },
    });
    const { host, result } = start({
      declarations: [stuck],
      functions: [{ code: [[Op.CallBuiltin, 0, 1, 0], [Op.ReturnNone]] }],
    });
    host.clock.push(299);
    host.clock.push(2);
    const ended = await result;
    expect(ended.kind === 'failed' && ended.error.message).toBe('the script ran longer than 300 seconds');
    expect(host.echoed).toEqual(['left']);
    expect(aborted).toBeDefined();
  });
});

test('a loop without end lets the event loop turn and can be cancelled', async () => {
  const { execution, host, result } = start({ functions: [{ code: [[Op.Loop, 0, 0, 0]] }] });
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(host.turns).toBeGreaterThan(0);
  execution.cancel('enough');
  expect(await result).toEqual({ kind: 'cancelled', reason: 'enough' });
});

test('an opcode that does not exist is a fault of ours, thrown to the caller', () => {
  expect(() => run({ functions: [{ code: [[9999 as Op]] }] })).toThrow('there is no opcode 9999');
});
