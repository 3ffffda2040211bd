// The words of ours that a schema may use besides JSON Schema's own. They take part in every check of a file, so this
// module stays light: no schema library, no compiler of schemas.

import { isNetworkSetting } from '../../smtp/edge/networks.js';
import { isApiKey } from '../submission.js';
import { parseDuration, parseSize } from '../units.js';

/** What stands at a keyword, and whether a value agrees with it; without `validate` it is a remark for messages. */
interface Keyword {
  readonly schemaType: 'string' | 'boolean' | 'array';
  readonly validate?: (schema: never, value: unknown) => boolean;
}

/** Keyword by keyword. Compiled schemas call them by these names. */
export const keywords = {
  later: { schemaType: 'string', validate: () => false },
  unit: {
    schemaType: 'string',
    validate: (unit: string, value: unknown) =>
      (unit === 'size' ? parseSize(value) : parseDuration(value)) !== undefined,
  },
  rcpttoHook: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) => typeof value === 'string' || isRcptToHook(value),
  },
  onlyFor: {
    schemaType: 'array',
    validate: (allowed: readonly unknown[], value: unknown) => allowed.includes(value),
  },
  feature: { schemaType: 'string' },
  /** What a text with a `pattern` has to be, in words. */
  form: { schemaType: 'string' },
  textOrFlag: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) => typeof value === 'string' || typeof value === 'boolean',
  },
  textOrTexts: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) =>
      typeof value === 'string' || (isTextList(value) && value.length > 0),
  },
  flagOrTexts: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) => typeof value === 'boolean' || isTextList(value),
  },
  retryInterval: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) => isRetryInterval(value),
  },
  secret: { schemaType: 'boolean' },
  apiKey: { schemaType: 'boolean', validate: (_: boolean, value: unknown) => isApiKey(value) },
  network: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) => typeof value === 'string' && isNetworkSetting(value),
  },
  rate: {
    schemaType: 'boolean',
    validate: (_: boolean, value: unknown) =>
      typeof value === 'string' && /^[1-9][0-9]{0,8}\/[1-9][0-9]{0,8}$/.test(value),
  },
  onlyFields: {
    schemaType: 'array',
    validate: (allowed: readonly unknown[], value: unknown) =>
      Array.isArray(value) &&
      value.length === allowed.length &&
      allowed.every((field) => value.includes(field)),
  },
} as const satisfies Readonly<Record<string, Keyword>>;

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isRetryInterval(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return parseDuration(value) !== undefined;
  const { interval, notify, ...unknown } = value as Readonly<Record<string, unknown>>;
  return (
    parseDuration(interval) !== undefined &&
    (notify === undefined || typeof notify === 'boolean') &&
    Object.keys(unknown).length === 0
  );
}

function isRcptToHook(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([key, inner]) => {
    if (key === 'id') return typeof inner === 'string';
    if (key !== 'recipientdomains' || typeof inner !== 'object' || inner === null) return false;
    return Object.values(inner).every((id) => typeof id === 'string');
  });
}
