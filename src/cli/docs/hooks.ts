// The phases as pages: what their scripts see, how they may end, what else only they can call.

import type { Phase } from '#hooks';
import type { Builtin, NativeClass } from '#lang';
import { type Block, code, heading, link, type Page, paragraph, parseInlines, text } from './blocks.js';
import { describeBuiltin, describeVariables } from './describe.js';

/** The outcome's name; every outcome of a phase is a record with its kind. */
function kindOf(outcome: unknown): string {
  return (outcome as { readonly kind: string }).kind;
}

export function hookPage(phase: Phase): Page {
  const builtins = phase.declarations.filter((one): one is Builtin => one.kind === 'builtin');
  const classes = phase.declarations.filter((one): one is NativeClass => one.kind === 'class');
  const ends = builtins.filter((one) => one.ends === true);
  const others = builtins.filter((one) => one.ends !== true);
  const facts: Extract<Block, { kind: 'facts' }>['facts'] = [
    ...(phase.command === undefined ? [] : [['SMTP command', [code(phase.command)]] as const]),
    ['At the end of the script', [code(kindOf(phase.atEndOfScript))]],
    ['When the script fails', [code(kindOf(phase.onScriptError))]],
  ];
  return {
    path: `hooks/${phase.name}`,
    title: phase.name,
    summary: parseInlines(phase.summary),
    blocks: [
      paragraph(...parseInlines(phase.summary)),
      { kind: 'facts', facts },
      heading(2, 'Variables', 'variables'),
      ...describeVariables(phase.variables, 3),
      ...(ends.length === 0
        ? []
        : [
            heading(2, 'Actions', 'actions'),
            paragraph(text('An action is the outcome of the script, which ends there.')),
          ]),
      ...repliesOf(phase),
      ...ends.flatMap((one) => describeBuiltin(one, 3)),
      ...(others.length === 0 ? [] : [heading(2, 'Functions', 'functions')]),
      ...others.flatMap((one) => describeBuiltin(one, 3)),
      ...(classes.length === 0 ? [] : [heading(2, 'Classes', 'classes')]),
      ...classes.map((one) =>
        paragraph(
          link({ page: `classes/${one.name}` }, code(one.name)),
          text(': '),
          ...parseInlines(one.summary),
        ),
      ),
    ],
  };
}

/** What an action answers when the script does not say. */
function repliesOf({ replies }: Phase): Block[] {
  if (replies === undefined) return [];
  return [
    {
      kind: 'table',
      head: [[text('action')], [text('reply unless the script says another')]],
      rows: Object.entries(replies).map(([action, { code: number, enhanced, text: words }]) => ({
        cells: [
          [code(action)],
          [code([number, enhanced?.join('.'), words].filter((part) => part !== undefined).join(' '))],
        ],
      })),
    },
  ];
}
