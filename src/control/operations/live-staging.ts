// a, b and c: live staging (queue-and-config 9.1).

import type { Deployment, DeployResult } from '../../staging/staging.js';
import { type StageStatus, statusToText } from '../../staging/status.js';
import type { StageConditions } from '../../staging/traffic.js';
import { ControlError, type Operation } from '../operation.js';

/** `ConfigGreenDeployRequest`. */
interface DeployRequest {
  readonly id?: string;
  readonly config?: string;
  readonly connectionbound?: boolean;
  readonly conditions?: StageConditions;
}

/** Deploys, tells how it does, and cancels. */
export function liveStaging(staging: {
  deploy(deployment: Deployment): Promise<DeployResult>;
  status(): StageStatus | undefined;
  cancel(): boolean;
}): { readonly a: Operation<DeployRequest>; readonly b: Operation; readonly c: Operation } {
  return {
    a: {
      async run({ id = '', config = '', connectionbound, conditions }, { signal, stream }) {
        const result = await staging.deploy({
          id,
          config,
          ...(conditions === undefined ? undefined : { conditions }),
          ...(connectionbound === true ? { boundTo: signal } : undefined),
        });
        if (result.kind === 'refused') throw new ControlError(result.problems);
        if (connectionbound === true) stream.keep();
        return undefined;
      },
    },
    b: {
      run() {
        const status = staging.status();
        if (status === undefined) return undefined;
        const { id, connections, elapsedSeconds, totalSeconds } = status;
        return {
          id,
          connections,
          elapsed: elapsedSeconds,
          ...(totalSeconds === undefined ? undefined : { total: totalSeconds }),
          text: statusToText(status),
        };
      },
    },
    c: {
      run() {
        staging.cancel();
        return undefined;
      },
    },
  };
}
