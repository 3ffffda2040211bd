// The door of the hooks.

export type * from './outcomes.js';
