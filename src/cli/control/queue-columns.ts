// The columns of message lists for people.

import type { Column } from './table.js';

/** A message as the daemon lists it. */
export type ListedItem = Readonly<Record<string, unknown>>;

/** What a list shows unless it is told. */
export const views: Readonly<Record<string, readonly string[]>> = {
  default: ['id', 'state', 'ts', 'sender', 'recipient', 'transportid', 'retrycount', 'reason'],
  defer: ['id', 'sender', 'recipient', 'retrycount', 'retryts', 'retrydelay', 'reason'],
  active: ['id', 'sender', 'recipient', 'transportid', 'priority', 'remotemx', 'suspended'],
  connections: ['id', 'recipient', 'localips', 'remoteip', 'remotemx', 'duration', 'connectionid'],
};

const numbers = new Set(['size', 'priority', 'retrycount', 'retrydelay', 'duration']);

/** Before the key of one entry. */
const METADATA = 'metadata.';

/** The column of a field. */
export function columnOf(field: string): Column {
  // The keys of metadata are the scripts', and stay as they are.
  if (field.startsWith(METADATA)) return { title: field };
  return { title: field.toUpperCase(), isNumber: numbers.has(field), isWhole: field === 'id' };
}

/** A field's value for people. */
export function cellOf(item: ListedItem, field: string): string {
  if (field.startsWith(METADATA)) {
    const metadata = (item['metadata'] ?? {}) as Readonly<Record<string, string>>;
    const key = field.slice(METADATA.length);
    return Object.hasOwn(metadata, key) ? metadata[key]! : '';
  }
  const value = item[field];
  if (value === undefined || value === null) return '';
  if (field === 'id') return idText(value);
  if (field === 'sender' || field === 'recipient') return addressText(value);
  if (Array.isArray(value)) return value.map(String).join(', ');
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([key, inner]) => `${key}=${String(inner)}`)
      .join(', ');
  return String(value as string | boolean);
}

function idText(value: unknown): string {
  const { transaction = '', queue = '' } = value as {
    readonly transaction?: string;
    readonly queue?: number;
  };
  return `${transaction}:${queue}`;
}

function addressText(value: unknown): string {
  const { localpart = '', domain = '' } = value as { readonly localpart?: string; readonly domain?: string };
  return localpart === '' && domain === '' ? '<>' : `${localpart}@${domain}`;
}
