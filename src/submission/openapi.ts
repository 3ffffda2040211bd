// What the OpenAPI document says beside the schemas that check: the form, the answers, the key.

import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import Type from 'typebox';
import { submissionError, submissionOptions, submissionResult } from './schemas.js';

/** Options of the plugin that writes the document. */
export function documentOptions(submissionPath: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Submission of mail',
        description:
          'Hands a message to the mail server, which asks its end-of-data script what to do with it.',
        version: '1',
      },
      components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } },
    },
    transform: ({ schema, url }) =>
      url === submissionPath ? { schema: { ...schema, body: formSchema }, url } : { schema, url },
  };
}

/** The body, for the document: what is checked of it is checked while it is read. */
const formSchema = Type.Unsafe({
  type: 'object',
  properties: {
    options: submissionOptions,
    rfc822: {
      type: 'string',
      format: 'binary',
      description: 'The message (RFC 5322). A bare LF becomes CR LF, a missing last one is added.',
    },
    'options.gzip': {
      type: 'string',
      format: 'binary',
      description: 'Instead of `options`: packed with gzip.',
    },
    'rfc822.gzip': {
      type: 'string',
      format: 'binary',
      description: 'Instead of `rfc822`: packed with gzip.',
    },
  },
});

const error = (description: string) => ({ ...submissionError, description });
const result = (description: string) => ({ ...submissionResult, description });

/** What is answered, by status. */
export const responseSchemas = {
  200: result('The message was accepted; what the script queued is on disk.'),
  400: error('The request is malformed.'),
  401: error('The API key is missing or not known.'),
  408: error('The request took too long to arrive.'),
  413: error('The message, its options or the list of recipients is too large.'),
  415: error('The content is of another kind than expected.'),
  422: {
    anyOf: [submissionResult, submissionError],
    description: 'The message was refused for good, or the Idempotency-Key was used with other content.',
  },
  500: {
    anyOf: [submissionResult, submissionError],
    description: 'The script failed, or we did; nothing was queued.',
  },
  503: {
    anyOf: [submissionResult, submissionError],
    description: 'Not now: nothing was queued, try again later.',
  },
};
