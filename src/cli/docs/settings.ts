// The configuration files' schemas as a page.

import { fileSchemas } from '../../config/schema/files.js';
import {
  anchorOf,
  code,
  heading,
  type Inlines,
  type Page,
  paragraph,
  parseInlines,
  plainCode,
  type Row,
  text,
} from './blocks.js';

interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly onlyFor?: readonly unknown[];
  readonly unit?: string;
  readonly patternProperties?: unknown;
  readonly later?: string;
}

const files: Readonly<Record<string, unknown>> = fileSchemas;

/** What settings of more than one form are, by the keyword of ours that checks them. */
const shapes: Readonly<Record<string, string>> = {
  textOrTexts: 'string or array',
  textOrFlag: 'string or boolean',
  flagOrTexts: 'boolean or array',
  rcpttoHook: 'string or map',
};

function typeOf(node: SchemaNode): Inlines {
  const choices = node.enum ?? node.onlyFor;
  if (choices !== undefined)
    return choices.flatMap((value, index) => [
      ...(index === 0 ? [] : [text(', ')]),
      plainCode(String(value)),
    ]);
  const shape = Object.entries(shapes).find(([keyword]) => keyword in node)?.[1];
  if (shape !== undefined) return [text(shape)];
  if (node.patternProperties !== undefined) return [text('map')];
  return [text(node.unit ?? [node.type ?? ''].flat().join(' or '))];
}

function* rowsOf(file: string, node: SchemaNode, path: string): Iterable<Row> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const isList = child.type === 'array';
    const here = `${path === '' ? key : `${path}.${key}`}${isList ? '[]' : ''}`;
    if (child.later !== undefined) continue;
    const inner = isList ? child.items : child;
    const hasKeys = inner?.properties !== undefined;
    if (!hasKeys || isList)
      yield {
        anchor: `${anchorOf(file)}.${here.replaceAll('[]', '')}`,
        cells: [[code(here)], typeOf(child), parseInlines(child.description ?? '')],
      };
    if (hasKeys) yield* rowsOf(file, inner, here);
  }
}

/** Every setting of every file that has an effect. */
export function settingsPage(): Page {
  return {
    path: 'settings',
    title: 'Settings',
    summary: [text('Every key of the configuration files.')],
    blocks: [
      paragraph(
        ...parseInlines('Sizes: a number of bytes or `50MiB`. Durations: a number of seconds or `1h30m`.'),
      ),
      ...Object.entries(files).flatMap(([name, schema]) => [
        heading(2, [code(name)], anchorOf(name)),
        {
          kind: 'table' as const,
          head: [[text('key')], [text('type')], [text('meaning')]],
          rows: [...rowsOf(name, schema as SchemaNode, '')],
        },
      ]),
    ],
  };
}
