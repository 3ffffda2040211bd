// The options of Try about where we come from (hooks 12.1): addresses of ours, by id or as they are, each with its HELO name.

import { type CallContext, HslArray, type OptionKeys, ScriptFault, type Value } from '#lang';
import { isIpAddress, servicesOf } from '#stdlib';
import { present } from './outcome.js';
import type { SourceAddress, SourceOptions } from './outcomes.js';

/** The options, as scripts write them. */
export const sourceOptionKeys = {
  sourceip: {
    type: 'array',
    doc: 'Addresses to come from in place of those of the transport: ids of `addresses`, or arrays with `id` or `address`, and `helo`. They take turns; one that stands twice has twice the share.',
  },
  sourceip_random: {
    type: 'boolean|none',
    doc: 'false: not in turns, always the first one that may be used, of the family of the address that is connected to: whether IPv6 or IPv4 comes first is for the next hop to say. Default true.',
  },
  nonlocal_source: {
    type: 'boolean|none',
    doc: 'The addresses need not be of this machine, whose network sends what comes back to it all the same. Default false.',
  },
} as const satisfies OptionKeys;

interface WrittenSourceOptions {
  readonly sourceip: HslArray | undefined;
  readonly sourceip_random: boolean | null | undefined;
  readonly nonlocal_source: boolean | null | undefined;
}

/** Where a script wants to come from. @throws ScriptFault */
export function readSourceOptions(
  { sourceip, sourceip_random, nonlocal_source }: WrittenSourceOptions,
  ctx: CallContext,
): SourceOptions {
  return present({
    sources: sourceip === undefined ? undefined : readSources(sourceip, ctx),
    takesFirstSource: sourceip_random === false || undefined,
    isSourceNonlocal: nonlocal_source === true || undefined,
  });
}

function readSources(list: HslArray, ctx: CallContext): readonly SourceAddress[] {
  const items = list.toList();
  if (items.length === 0) throw new ScriptFault('Try: "sourceip" is empty; expected at least one address');
  return items.map((item, index) => {
    if (typeof item === 'string') return configured(item, ctx);
    if (item instanceof HslArray) return readEntry(item, index, ctx);
    throw new ScriptFault(
      `Try: item ${index} of "sourceip" must be the id of an address, or an array with "id" or "address"`,
    );
  });
}

function readEntry(entry: HslArray, index: number, ctx: CallContext): SourceAddress {
  const text = (key: string): string | undefined => {
    const value: Value = entry.get(key) ?? null;
    if (value === null || typeof value === 'string') return value ?? undefined;
    throw new ScriptFault(`Try: "${key}" in item ${index} of "sourceip" must be a string`);
  };
  const id = text('id');
  const address = text('address');
  const helo = text('helo');
  if (id !== undefined && address === undefined) return { ...configured(id, ctx), ...present({ helo }) };
  if (address === undefined || id !== undefined)
    throw new ScriptFault(`Try: item ${index} of "sourceip" must have either "id" or "address"`);
  if (!isIpAddress(address))
    throw new ScriptFault(
      `Try: "address" in item ${index} of "sourceip" is "${address.slice(0, 40)}"; expected an IP address`,
    );
  return { ip: address, ...present({ helo }) };
}

function configured(id: string, ctx: CallContext): SourceAddress {
  const known = servicesOf(ctx).configured.address(id);
  if (known === undefined)
    throw new ScriptFault(
      `Try: "${id.slice(0, 40)}" in "sourceip" is not among the configured addresses (addresses in smtpd-app.yaml)`,
    );
  return { ip: known.address, id, ...present({ helo: known.hostname }) };
}
