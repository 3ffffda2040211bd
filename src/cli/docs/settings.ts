// The configuration files' schemas as pages.

import { deliverySchema, policySchema, suspendSchema } from '../../config/schema/policies.js';
import { smtpdSchema } from '../../config/schema/smtpd.js';
import { appSchema } from '../../config/schema/smtpd-app.js';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly unit?: string;
  readonly later?: string;
}

const files: Readonly<Record<string, unknown>> = {
  'smtpd.yaml': smtpdSchema,
  'smtpd-app.yaml': appSchema,
  'smtpd-policy.yaml': policySchema,
  'smtpd-suspend.yaml': suspendSchema,
  'smtpd-delivery.yaml': deliverySchema,
};

function typeOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  return node.unit ?? node.type ?? '';
}

function* rowsOf(node: SchemaNode, path: string): Iterable<string> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const here = path === '' ? key : `${path}.${key}`;
    if (child.later !== undefined) continue;
    const inner = child.type === 'array' ? child.items : child;
    const hasKeys = inner?.properties !== undefined;
    if (!hasKeys || child.type === 'array') {
      yield `| \`${here}${child.type === 'array' ? '[]' : ''}\` | ${typeOf(child)} | ${(child.description ?? '').replaceAll('|', '\\|')} |`;
    }
    if (hasKeys) yield* rowsOf(inner, `${here}${child.type === 'array' ? '[]' : ''}`);
  }
}

/** Every setting of every file that has an effect. */
export function settingsToMarkdown(): string {
  const parts = [
    '# Settings',
    '',
    'Sizes: a number of bytes or `50MiB`. Durations: a number of seconds or `1h30m`.',
    '',
  ];
  for (const [name, schema] of Object.entries(files)) {
    parts.push(
      `## ${name}`,
      '',
      '| key | type | meaning |',
      '| --- | --- | --- |',
      ...rowsOf(schema as SchemaNode, ''),
      '',
    );
  }
  return parts.join('\n');
}
