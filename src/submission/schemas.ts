// What goes in and what comes out, once: `options` is checked against these schemas, and the OpenAPI document shows them.

import Type, { type Static } from 'typebox';

const domain = (what: string) =>
  Type.String({
    maxLength: 255,
    description: `${what}; international names as they are read (U-labels) or in ASCII.`,
  });
const localPart = Type.String({
  maxLength: 512,
  description: 'What stands before the @, without the quotes that the grammar of mail may ask for.',
});

const recipient = Type.Object(
  {
    localpart: localPart,
    domain: domain('Domain or address literal'),
    transportid: Type.Optional(
      Type.String({ description: "Transport of this recipient; the server's own when absent." }),
    ),
  },
  { additionalProperties: false },
);

/** The part `options`. */
export const submissionOptions = Type.Object(
  {
    sender: Type.Object(
      { localpart: localPart, domain: domain('Domain or address literal') },
      { additionalProperties: false, description: 'Envelope sender; both texts empty for none.' },
    ),
    recipients: Type.Array(recipient, { minItems: 1, description: 'Envelope recipients.' }),
    metadata: Type.Optional(
      Type.Unknown({ description: 'For the script: `$arguments["metadata"]`. Any JSON.' }),
    ),
  },
  { additionalProperties: false },
);

/** The part `options`, as it passed the schema. */
export type SubmissionOptions = Static<typeof submissionOptions>;

/** `?pretty=true`. */
export const submissionQuery = Type.Object({
  pretty: Type.Optional(Type.Boolean({ description: 'Answer with line breaks; false.' })),
});

/** Header fields that mean something here. */
export const submissionHeaders = Type.Object({
  'x-api-key': Type.String({ description: 'Who submits.' }),
  'idempotency-key': Type.Optional(
    Type.String({
      maxLength: 255,
      pattern: '^[\\x21-\\x7e]+$',
      description:
        'Repeating a request with the same key, and the same API key and content, gives the first answer again and queues nothing again. Kept for a limited time and not over a restart of the server.',
    }),
  ),
});

/** The answer when the message was judged. */
export const submissionResult = Type.Object(
  {
    result: Type.Object(
      {
        code: Type.Integer({
          description: 'Reply code as in SMTP: 250 is accepted, 4xx for now, 5xx for good.',
        }),
        enhanced: Type.Array(Type.Integer(), {
          minItems: 3,
          maxItems: 3,
          description: 'Enhanced status code (RFC 3463).',
        }),
        reason: Type.Array(Type.String(), { description: 'Lines of text.' }),
      },
      { additionalProperties: false },
    ),
    transaction: Type.Object(
      { id: Type.String({ description: 'Transaction id: the first half of the queued messages’ ids.' }) },
      { additionalProperties: false },
    ),
    metadata: Type.Unknown({
      description: 'What the script gave back with Accept; an empty object if nothing.',
    }),
  },
  { additionalProperties: false },
);

/** The answer when the request could not be carried out. */
export const submissionError = Type.Object(
  { error: Type.String({ description: 'What is wrong, for a person.' }) },
  { additionalProperties: false },
);
