// What every step of the walk gets along: where it is.

import type { Resolver } from './resolver.js';
import type { FunctionScope, Place } from './scope.js';

export interface Walk {
  readonly resolver: Resolver;
  readonly scope: FunctionScope;
  readonly place: Place;
}
