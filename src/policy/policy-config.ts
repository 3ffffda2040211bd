// What a pickup policy is made of, as it comes out of smtpd-policy.yaml (queue-and-config 3.1). Only what exists so far: field
// sets with a default concurrency. Conditions, rates, connect intervals and suspensions get their keys here when they come.

/** A property of a message and its next hop that a policy may group by. `localip` joins when there is a choice of them. */
export type PolicyField =
  | 'tenantid'
  | 'jobid'
  | 'transportid'
  | 'grouping'
  | 'remoteip'
  | 'remotemx'
  | 'recipientdomain';

/** The values of one message. */
export type PolicyFacts = Readonly<Record<PolicyField, string>>;

/** What a policy allows to one entry. */
export interface Thresholds {
  /** Deliveries in flight; 0 or absent = no limit. */
  readonly concurrency?: number;
}

/** One counter definition. */
export interface PolicyDefinition {
  /** None = one counter for everything. */
  readonly fields: readonly PolicyField[];
  readonly default?: Thresholds;
}

/** All policies, in the order of the file. */
export interface PolicyConfig {
  readonly policies: readonly PolicyDefinition[];
}

/** Nothing is limited. */
export const noPolicies: PolicyConfig = { policies: [] };
