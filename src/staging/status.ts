import type { Stage } from './stage.js';

/** How a staged configuration does. */
export interface StageStatus {
  readonly id: string;
  /** So far. */
  readonly connections: number;
  readonly elapsedSeconds: number;
  /** Undefined: until it is cancelled. */
  readonly totalSeconds: number | undefined;
}

/** What there is to know of a stage at that moment of the monotonic clock. */
export function statusOf(stage: Stage<unknown>, now: number): StageStatus {
  return {
    id: stage.id,
    connections: stage.connections,
    elapsedSeconds: now - stage.startedAt,
    totalSeconds: stage.conditions.time,
  };
}

/** `t1: 2 connection(s), 30/3600 runtime`, in whole seconds (queue-and-config 9.1). */
export function statusToText({ id, connections, elapsedSeconds, totalSeconds }: StageStatus): string {
  const total = totalSeconds === undefined ? 'unlimited' : Math.ceil(totalSeconds);
  return `${id}: ${connections} connection(s), ${Math.floor(elapsedSeconds)}/${total} runtime`;
}
