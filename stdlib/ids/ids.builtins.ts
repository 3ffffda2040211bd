// Identifiers, from group 8.

import { builtin } from '#lang';
import { servicesOf } from '../services.js';
import { uuidV1, uuidV4, uuidV5 } from './uuid.js';

const source = 'RFC 9562';

export const uuid = builtin({
  name: 'uuid',
  group: 'time',
  summary: 'Makes a new UUID, of the version that transactions have.',
  params: [],
  returns: 'string',
  example: 'length(uuid())  // 36',
  source,
  run: (ctx) => {
    const random = ctx.host.random.bytes(16);
    return servicesOf(ctx).uuidVersion() === 4 ? uuidV4(random) : uuidV1(ctx.host.clock.now(), random);
  },
});

export const uuidv5 = builtin({
  name: 'uuidv5',
  group: 'time',
  summary: 'Makes a UUID of a namespace and a name: equal ones give the same.',
  params: [
    { name: 'namespace', type: 'string', doc: 'A UUID as text.' },
    { name: 'value', type: 'string', doc: 'The name.' },
  ],
  returns: 'string|none',
  errors: 'None when the namespace is no UUID.',
  example:
    'uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "halon.example")  // "1d3ac9b7-1faf-5af2-a504-a84bf6d9be81"',
  source,
  pure: true,
  run: (namespace, value) => uuidV5(namespace, value) ?? null,
});

export const ids = [uuid, uuidv5];
