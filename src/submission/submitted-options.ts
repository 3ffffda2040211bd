// The part `options`: from whom to whom, and what the submitter wants the script to know.

import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Address, Recipient } from '#hooks';
import { HslArray, textToBytes, type Value } from '#lang';
import { decodeJson, domainToAscii, isAscii, isDomain, isLocalPart } from '#stdlib';
import { RequestProblem } from './request-problem.js';
import type { SubmissionOptions } from './schemas.js';
import { validators } from './validators.js';

/** What the part says, checked. */
export interface SubmittedOptions {
  readonly sender: Address;
  readonly recipients: readonly Recipient[];
  readonly metadata: Value;
}

/** What recipients are checked against. */
export interface OptionRules {
  readonly mostRecipients: number;
  readonly transportId: string | undefined;
  readonly knowsTransport: (id: string) => boolean;
}

/** Reads the part. @throws RequestProblem */
export function readOptions(bytes: Buffer, rules: OptionRules): SubmittedOptions {
  // Read twice: as values of a script, which keeps metadata as it was written and limits its depth, and as what the schema
  // is written for.
  const decoded = decodeJson(bytes.toString('latin1'), false);
  if ('problem' in decoded)
    throw new RequestProblem(400, `the part "options" is no JSON: line ${decoded.line}: ${decoded.problem}`);
  const options: unknown = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
  const validate = validators.options();
  if (!validate(options)) throw new RequestProblem(400, schemaProblem(validate.errors?.[0]));
  const { sender, recipients } = options;
  if (rules.mostRecipients > 0 && recipients.length > rules.mostRecipients)
    throw new RequestProblem(
      413,
      `options.recipients: found ${recipients.length}; at most ${rules.mostRecipients} are possible`,
    );
  const isNull = sender.localpart === '' && sender.domain === '';
  const metadata = (decoded.value as HslArray).get('metadata');
  return {
    sender: isNull ? { localPart: '', domain: '' } : readAddress(sender, 'options.sender'),
    recipients: recipients.map((recipient, index) => {
      const place = `options.recipients[${index}]`;
      return {
        address: readAddress(recipient, place),
        transportId: readTransport(recipient.transportid, place, rules),
      };
    }),
    metadata: metadata === undefined ? HslArray.empty() : metadata,
  };
}

function readAddress({ localpart, domain }: SubmissionOptions['sender'], place: string): Address {
  if (localpart === '' || /\p{Surrogate}/u.test(localpart) || !isLocalPart(textToBytes(localpart)))
    throw new RequestProblem(
      400,
      `${place}.localpart: found ${shown(localpart)}; expected a text without control characters, not empty`,
    );
  const bytes = textToBytes(domain);
  const ascii = isAscii(bytes) ? bytes : domainToAscii(bytes);
  if (ascii === undefined || !isDomain(ascii))
    throw new RequestProblem(
      400,
      `${place}.domain: found ${shown(domain)}; expected a domain such as "example.com" or an address literal`,
    );
  return { localPart: textToBytes(localpart), domain: ascii };
}

function readTransport(given: string | undefined, place: string, rules: OptionRules): string {
  const transportId = given === undefined ? rules.transportId : textToBytes(given);
  if (transportId === undefined)
    throw new RequestProblem(
      400,
      `${place}.transportid: missing, and this server has no transport of its own`,
    );
  if (!rules.knowsTransport(transportId))
    throw new RequestProblem(400, `${place}.transportid: there is no transport ${shown(transportId)}`);
  return transportId;
}

/** What the schema has against it: where, and what was expected. */
function schemaProblem(error: ErrorObject | undefined): string {
  const place = (error?.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
  const why =
    error?.keyword === 'additionalProperties'
      ? `unknown key ${shown(String(error.params['additionalProperty']))}`
      : (error?.message ?? 'is not valid');
  return `options${place}: ${why}`;
}

/** A text of the submitter, safe in an answer and a log. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
