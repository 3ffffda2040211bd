import { describe, expect, test } from 'vitest';
import type { Builtin } from '#lang';
import { catalog } from '#stdlib';
import { environmentOf, type Phase } from '../../hooks/phase.js';
import { phases } from '../../src/scripting/hook-programs.js';

describe.each(Object.values(phases).map((phase) => [phase.name, phase] as const))(
  '%s',
  (name, phase: Phase) => {
    test('documents every variable and every key in a sentence', () => {
      for (const variable of phase.variables) {
        expect(variable.summary).toMatch(/\.$/);
        for (const doc of Object.values(variable.keys ?? {})) expect(doc).toMatch(/\.$/);
      }
    });

    test('documents its actions and their options', () => {
      const actions = phase.declarations.filter(
        (each): each is Builtin => each.kind === 'builtin' && each.ends === true,
      );
      expect(actions.length).toBeGreaterThan(0);
      for (const action of actions) {
        expect(action.name).toMatch(/^[A-Z]/);
        expect(action.summary).toMatch(/\.$/);
        for (const param of action.params)
          for (const key of Object.values(param.keys ?? {})) expect(key.doc).toMatch(/\.$/);
      }
    });

    test('makes an environment with the library and its own actions', () => {
      const environment = environmentOf(phase, catalog);
      expect(environment.name).toBe(name);
      expect(environment.declarations.has('str_find')).toBe(true);
      for (const { name: own } of phase.declarations) expect(environment.declarations.has(own)).toBe(true);
    });
  },
);

test('the rules for scripts that end or fail are those of the reference (hooks 1)', () => {
  const rules = Object.values(phases).map(({ name, atEndOfScript, onScriptError }) => [
    name,
    (atEndOfScript as { kind: string }).kind,
    (onScriptError as { kind: string }).kind,
  ]);
  expect(rules).toEqual([
    ['connect', 'Accept', 'Defer'],
    ['proxy', 'Pass', 'Reply'],
    ['helo', 'Accept', 'Defer'],
    ['auth', 'Reject', 'Defer'],
    ['mailfrom', 'Accept', 'Defer'],
    ['rcptto', 'Accept', 'Defer'],
    ['eod', 'Defer', 'Defer'],
    ['disconnect', 'Pass', 'Pass'],
    ['predelivery', 'Try', 'Queue'],
    ['postdelivery', 'Default', 'Default'],
  ]);
  expect(phases.predelivery.onScriptError).toMatchObject({
    options: { delaySeconds: 300, incrementRetry: false },
  });
});

test('the default replies are those of the reference (hooks 1)', () => {
  const codes = Object.values(phases)
    .filter(({ replies }) => replies !== undefined)
    .map(({ name, replies }) => [name, ...Object.values(replies!).map(({ code }) => code)]);
  expect(codes).toEqual([
    ['connect', 220, 521, 421],
    ['proxy', 250],
    ['helo', 250, 554, 450],
    ['auth', 235, 535, 454],
    ['mailfrom', 250, 554, 450],
    ['rcptto', 250, 554, 450],
    ['eod', 250, 550, 421],
  ]);
});
