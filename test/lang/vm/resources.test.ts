import { describe, expect, test } from 'vitest';
import {
  type BuiltinSteps,
  builtin,
  type CallContext,
  call,
  callAtomic,
  method,
  nativeClass,
  staticMethod,
  type Value,
} from '#lang';
import { RamHost } from '../../support/ram-host.js';
import { echoOf, startScript } from '../../support/ram-script.js';

const released: string[] = [];

class Door {
  #isOpen = true;
  constructor(
    readonly name: string,
    readonly context: CallContext,
  ) {
    context.own(this);
  }
  release(): void {
    if (!this.#isOpen) throw new Error('released twice');
    this.#isOpen = false;
    released.push(this.name);
  }
}

const on = method<Door>();
const doorClass = nativeClass<Door>({
  name: 'Door',
  group: 'sockets',
  summary: 'Something to close.',
  constructorOf: staticMethod({
    name: 'Door',
    summary: 'Opens.',
    params: [{ name: 'name', type: 'string' }],
    returns: 'object',
    run: (name: string, context) => new Door(name, context),
  }),
  methods: [
    on({
      name: 'close',
      summary: 'Closes.',
      params: [],
      returns: 'none',
      run: (self) => {
        self.context.disown(self);
        self.release();
        return null;
      },
    }),
  ],
});

const pause = builtin({
  name: 'pause',
  group: 'time',
  summary: 'Never ends.',
  params: [],
  returns: 'none',
  suspends: true,
  run: () => new Promise<null>(() => {}),
});

const declarations = [doorClass, pause];

async function releasedBy(script: string): Promise<readonly string[]> {
  released.length = 0;
  const { result, execution } = await startScript(script, { declarations });
  if (result instanceof Promise) {
    execution.cancel('enough');
    execution.cancel('enough');
    await result;
  }
  return [...released];
}

describe('what an execution owns is released exactly once', () => {
  test('by its own close, or at the end', async () => {
    expect(await releasedBy('$a = Door("a"); $b = Door("b"); $b->close(); echo "end";')).toEqual(['b', 'a']);
  });

  test('when the script fails', async () => {
    expect(await releasedBy('$a = Door("a"); throw "x";')).toEqual(['a']);
  });

  test('when it is cancelled while it waits', async () => {
    expect(await releasedBy('$a = Door("a"); $b = Door("b"); $b->close(); pause();')).toEqual(['b', 'a']);
  });
});

test('a failing release does not keep the others from being released, and is reported', async () => {
  const bad = builtin({
    name: 'bad',
    group: 'sockets',
    summary: 'Owns something broken.',
    params: [],
    returns: 'none',
    run: (context) => {
      context.own({
        release: () => {
          throw new Error('stuck');
        },
      });
      return null;
    },
  });
  released.length = 0;
  const start = startScript('bad(); Door("a");', { declarations: [...declarations, bad] });
  await expect(start).rejects.toThrow('stuck');
  expect(released).toEqual(['a']);
});

test('a callback called under a lock must not wait', async () => {
  const locked = builtin({
    name: 'locked',
    group: 'state',
    summary: 'Calls under a lock.',
    params: [{ name: 'fn', type: 'function' }],
    returns: 'any',
    callbacks: true,
    *run(fn, context): BuiltinSteps<Value> {
      try {
        return yield callAtomic(fn);
      } finally {
        context.host.echo('unlocked');
      }
    },
  });
  const script = `
    try { locked(function () { pause(); }); } catch ($e) { echo $e->message(); }
    echo locked(function () { return 5; });`;
  expect(await echoOf(script, { declarations: [locked, pause] })).toEqual([
    'unlocked',
    'a function called while a key of the shared memory is locked must not wait',
    'unlocked',
    '5',
  ]);
});

test('an action inside a callback ends the script, and the builtin cleans up', async () => {
  const around = builtin({
    name: 'around',
    group: 'arrays',
    summary: 'Calls.',
    params: [{ name: 'fn', type: 'function' }],
    returns: 'any',
    callbacks: true,
    *run(fn, context): BuiltinSteps<Value> {
      try {
        return yield call(fn);
      } finally {
        context.host.echo('cleaned up');
      }
    },
  });
  const finish = builtin({
    name: 'Finish',
    group: 'actions',
    summary: 'Ends.',
    params: [{ name: 'reply', type: 'string' }],
    returns: 'none',
    ends: true,
    run: (reply) => ({ reply }),
  });
  const script = 'try { around(function () { Finish("ok"); echo "never"; }); } catch ($e) { echo "never"; }';
  const { host, result } = await startScript(script, { declarations: [around, finish] });
  expect(result).toEqual({ kind: 'ended', action: 'Finish', outcome: { reply: 'ok' } });
  expect(host.echoed).toEqual(['cleaned up']);
});

describe('a function value kept beyond its execution', () => {
  const keep = builtin({
    name: 'keep',
    group: 'state',
    summary: 'Keeps a value.',
    params: [{ name: 'value', type: 'any' }],
    returns: 'none',
    run: (value, context) => {
      context.host.memory.set('kept', value);
      return null;
    },
  });
  const kept = builtin({
    name: 'kept',
    group: 'state',
    summary: 'The kept value.',
    params: [],
    returns: 'any',
    run: (context) => context.host.memory.get('kept') ?? null,
  });

  test('still sees its own globals, constants and class when another program calls it', async () => {
    const host = new RamHost();
    const surroundings = { host, declarations: [keep, kept] };
    const first = `
      class C { private $n = 5; function get() { return $this->n; } }
      $count = 0;
      $o = C();
      keep(["up" => function () closure ($count, $o) { $count++; return "first: $count " . $o->get(); }, "object" => C()]);`;
    const second = `
      $x = "mine"; $y = 1; $z = 2;
      function loop($k) { return [$k["up"](), $k["up"](), $k["object"]->get()]; }
      echo loop(kept()); echo "$x $y $z";`;
    await echoOf(first, surroundings);
    expect(await echoOf(second, surroundings)).toEqual([
      '[0=>"first: 1 5",1=>"first: 2 5",2=>5]',
      'mine 1 2',
    ]);
  });
});

test('a native constructor that gives none makes none', async () => {
  const picky = nativeClass<Door>({
    name: 'Picky',
    group: 'sockets',
    summary: 'Refuses.',
    constructorOf: staticMethod({
      name: 'Picky',
      summary: 'Refuses.',
      params: [],
      returns: 'object|none',
      run: () => null,
    }),
    methods: [],
  });
  expect(await echoOf('echo Picky() === none;', { declarations: [picky] })).toEqual(['true']);
});

test('callbacks in a long list let the event loop turn', async () => {
  const each = builtin({
    name: 'each',
    group: 'arrays',
    summary: 'Calls for ever.',
    params: [{ name: 'fn', type: 'function' }],
    returns: 'none',
    callbacks: true,
    *run(fn): BuiltinSteps<Value> {
      for (let i = 0; i < 100_000; i++) yield call(fn, i);
      return null;
    },
  });
  const { host, result } = await startScript('each(function ($x) { return $x; });', { declarations: [each] });
  expect(await result).toEqual({ kind: 'finished' });
  expect(host.turns).toBeGreaterThan(0);
});
