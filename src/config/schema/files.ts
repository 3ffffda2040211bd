// The schema of each configuration file, by the name that the file has where nobody gives it another.

import { deliverySchema } from './delivery.js';
import { policySchema, suspendSchema } from './policies.js';
import { smtpdSchema } from './smtpd.js';
import { appSchema } from './smtpd-app.js';

export const fileSchemas = {
  'smtpd.yaml': smtpdSchema,
  'smtpd-app.yaml': appSchema,
  'smtpd-policy.yaml': policySchema,
  'smtpd-suspend.yaml': suspendSchema,
  'smtpd-delivery.yaml': deliverySchema,
} as const;

/** A configuration file's own name. */
export type SettingsFile = keyof typeof fileSchemas;
