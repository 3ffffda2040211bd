// The HTTP side of submission: routes, what is checked before a body is read, and how everything is answered. Loaded only
// when a server of type http or https starts.

import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { ApiKey } from '../config/submission.js';
import { printable } from '../log/printable.js';
import { answerToJson } from './answer.js';
import { findApiKey } from './api-keys.js';
import type { Connection, Connections } from './connections.js';
import { IdempotentAnswers } from './idempotency.js';
import { documentOptions, responseSchemas } from './openapi.js';
import type { RequestBasis, SubmissionServerOptions, SubmissionServerParts } from './options.js';
import { RequestProblem } from './request-problem.js';
import { RunningRequests } from './running-requests.js';
import { submissionHeaders, submissionQuery } from './schemas.js';
import { type ClientFacts, mostBodyBytes, Submission } from './submission.js';

/** What the application sees of its server. */
export interface ApplicationHost {
  /** Current ones: a reload replaces them, requests under way keep theirs. */
  readonly options: SubmissionServerOptions;
  readonly parts: SubmissionServerParts;
  readonly connections: Connections;
  /** What requests on a connection run on that begin now: these, or those of a staged configuration. */
  basisOf(socket: Socket): RequestBasis;
  /** No more submissions may begin. */
  readonly isStopping: boolean;
  /** Submissions under way, by their requests. */
  readonly running: Map<IncomingMessage, Submission>;
  /** A submission is over: it is not in `running` any more. */
  ended(): void;
}

/** What a request has become so far. */
interface RequestFacts {
  began: number;
  /** Those of the moment it came. */
  options: SubmissionServerOptions;
  parts: SubmissionServerParts;
  connection: Connection | undefined;
  apiKey?: ApiKey;
  /** For the log. */
  submission?: Submission;
  code?: number;
  error?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined only where the URL is so bad that no hook ran. */
    facts: RequestFacts | undefined;
  }
}

const submissionPath = '/v1/submission';
const documentPath = '/v1/openapi.json';
const allowed: Readonly<Record<string, string>> = { [submissionPath]: 'POST', [documentPath]: 'GET' };

/** Builds the application; `makeServer` makes the HTTP server that it answers on. */
export async function buildApplication(
  host: ApplicationHost,
  makeServer: (listener: RequestListener) => Server,
): Promise<FastifyInstance> {
  const { log, clock } = host.parts;
  const app = fastify({
    serverFactory: (listener) => makeServer(listener),
    logger: false,
    // The server answers these itself (server.ts).
    clientErrorHandler: () => {},
    exposeHeadRoutes: false,
    requestIdHeader: false,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: false },
    ajv: { customOptions: { strict: true, strictTypes: false, removeAdditional: false } },
  });
  const answers = new IdempotentAnswers(() => clock.monotonic());
  const running = new RunningRequests();

  // The body is read by the submission itself, as a stream.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  // Answers are texts already; the schemas are for the document.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest('facts');

  app.addHook('onRequest', (request, reply, done) => {
    const { options, parts } = host.basisOf(request.raw.socket);
    const connection = host.connections.of(request.raw.socket);
    request.facts = { began: clock.monotonic(), options, parts, connection };
    if (connection !== undefined) connection.requests++;
    void reply.header('cache-control', 'no-store');
    if (request.raw.socket.destroyed) done(new RequestProblem(400, 'the client has gone'));
    else if (host.isStopping)
      done(new RequestProblem(503, 'the server is stopping', { connection: 'close', 'retry-after': '60' }));
    else done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (host.isStopping) void reply.header('connection', 'close');
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    // Submissions have had their line, because their client may be gone before the answer.
    if (request.facts?.submission === undefined) logRequest(host, request, reply.statusCode);
    drain(request.raw, host.options);
    done();
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0]!;
    const methods = Object.hasOwn(allowed, path) ? allowed[path] : undefined;
    if (methods === undefined)
      throw new RequestProblem(404, `there is nothing here; mail is submitted with POST ${submissionPath}`);
    throw new RequestProblem(405, `${request.method} is not possible here; expected ${methods}`, {
      allow: methods,
    });
  });
  app.setErrorHandler((error: Error & { statusCode?: number; validation?: unknown }, request, reply) => {
    const { status, message, headers } = problemOf(error);
    if (request.facts !== undefined) request.facts.error = message;
    if (status === 500) log.error({ server: host.options.id, err: error }, 'internal error in a submission');
    void reply
      .code(status)
      .headers(headers)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ error: message }, undefined, isPretty(request) ? 4 : undefined));
  });

  await app.register(swagger, documentOptions(submissionPath));

  // Before a byte of the body is read or asked for (RFC 9110 §10.1.1): who it is, and whether there is room.
  const admit = (request: FastifyRequest, _reply: FastifyReply, done: (problem?: Error) => void): void => {
    const facts = request.facts!;
    const { options } = facts;
    const header = request.headers['x-api-key'];
    const apiKey = findApiKey(options.apiKeys, typeof header === 'string' ? header : undefined);
    if (apiKey === undefined) {
      const why =
        header === undefined
          ? 'the header X-API-Key is missing'
          : 'X-API-Key is not a key that is known here';
      done(new RequestProblem(401, why, { 'www-authenticate': 'X-API-Key' }));
      return;
    }
    facts.apiKey = apiKey;
    const most = mostBodyBytes(options);
    const isTooLarge = most !== undefined && Number(request.headers['content-length'] ?? 0) > most;
    done(isTooLarge ? new RequestProblem(413, `the request is larger than ${most} bytes`) : undefined);
  };

  app.post<{ Querystring: { pretty?: boolean }; Headers: { 'idempotency-key'?: string } }>(
    submissionPath,
    {
      onRequest: admit,
      schema: {
        summary: 'Submit a message.',
        operationId: 'submit',
        security: [{ key: [] }],
        consumes: ['multipart/form-data'],
        querystring: submissionQuery,
        headers: submissionHeaders,
        response: responseSchemas,
      },
    },
    async (request, reply) => {
      const facts = request.facts!;
      const { options, parts } = facts;
      const apiKey = facts.apiKey!;
      const contentType = request.headers['content-type'] ?? '';
      if (!/^multipart\/form-data *(?:;|$)/i.test(contentType))
        throw new RequestProblem(
          415,
          `found ${JSON.stringify(contentType.slice(0, 80))}; expected multipart/form-data with the parts "options" and "rfc822"`,
        );
      if (request.headers['content-encoding'] !== undefined)
        throw new RequestProblem(
          415,
          'the request has a Content-Encoding; expected the parts "options.gzip" and "rfc822.gzip" instead',
        );
      const client = clientFacts(host, request);
      // Nobody would tell us any more.
      if (client === undefined || request.raw.socket.destroyed)
        throw new RequestProblem(400, 'the client has gone');
      if (!running.enter(apiKey, options.limits))
        throw new RequestProblem(503, 'too many submissions at once; try again', { 'retry-after': '1' });
      if (request.raw.headers.expect !== undefined) reply.raw.writeContinue();
      const submission = new Submission(
        {
          options,
          parts,
          answers,
          client,
          apiKey,
          idempotencyKey: options.idempotency.keys === 0 ? undefined : request.headers['idempotency-key'],
          contentType,
        },
        request.raw,
      );
      facts.submission = submission;
      host.running.set(request.raw, submission);
      const onClose = () => {
        if (reply.raw.writableFinished) return;
        submission.giveUp('the client has gone');
      };
      reply.raw.once('close', onClose);
      try {
        const { answer, isRepeated } = await submission.carryOut();
        facts.code = answer.code;
        if (!isRepeated) host.parts.onMessage?.(answer.code);
        logRequest(host, request, answer.status);
        if (answer.status === 503) void reply.header('retry-after', '60');
        if (answer.closes) void reply.header('connection', 'close');
        if (isRepeated) void reply.header('idempotent-replayed', 'true');
        void reply.code(answer.status).type('application/json; charset=utf-8');
        return answerToJson(answer, isPretty(request));
      } catch (error) {
        const { status, message } = problemOf(error as Error);
        facts.error = message;
        logRequest(host, request, status);
        throw error;
      } finally {
        host.running.delete(request.raw);
        running.leave(apiKey);
        host.ended();
      }
    },
  );

  let document: string | undefined;
  app.get(documentPath, { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger(), undefined, 2);
    void reply.type('application/json; charset=utf-8').send(document);
  });
  await app.ready();
  return app;
}

function problemOf(error: Error & { statusCode?: number; validation?: unknown }): {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (error instanceof RequestProblem) return error;
  const { statusCode = 500 } = error;
  // What fastify finds itself: query and header fields that do not fit their schema, a bad URL.
  if (statusCode >= 400 && statusCode < 500)
    return { status: statusCode, message: error.message, headers: {} };
  return { status: 500, message: 'internal error; try again later', headers: {} };
}

function isPretty({ query }: FastifyRequest): boolean {
  const { pretty } = (query ?? {}) as { readonly pretty?: unknown };
  return pretty === true || pretty === 'true';
}

/** Who sends a request; undefined when the connection has gone. */
function clientFacts(
  { connections }: ApplicationHost,
  { raw: { socket }, facts }: FastifyRequest,
): ClientFacts | undefined {
  const connection = connections.of(socket);
  if (connection === undefined) return undefined;
  const { id: connectionId, ends, tls } = connection;
  const { options, parts } = facts!;
  const reverseName =
    options.reverseNames && parts.resolver !== undefined
      ? connections.nameOf(socket, parts.resolver)
      : undefined;
  return { connectionId, ends, tls, reverseName };
}

/**
 * What a client still sends that has its answer is read, or it might never see the answer; but not for ever and not without
 * end.
 */
function drain(request: IncomingMessage, { limits, timeouts }: SubmissionServerOptions): void {
  if (request.complete) return;
  const { socket } = request;
  let left = Math.min(
    limits.messageBytes === 0 ? Number.POSITIVE_INFINITY : limits.messageBytes,
    16 * 1024 * 1024,
  );
  const timer = setTimeout(() => socket.destroy(), timeouts.lingerSeconds * 1000);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  request.once('close', () => clearTimeout(timer));
  request.on('error', () => {});
  request.resume();
}

function logRequest(host: ApplicationHost, { facts, method, url }: FastifyRequest, status: number): void {
  const { options, parts } = host;
  const { apiKey, submission, code, error } = facts ?? {};
  const fields = {
    server: options.id,
    connection: facts?.connection?.id,
    remoteip: facts?.connection?.ends.remoteIp,
    ...(apiKey?.id === undefined ? undefined : { apikey: printable(apiKey.id) }),
    ...submission?.logFields,
    status,
    ...(code === undefined ? undefined : { code }),
    ...(error === undefined ? undefined : { error: printable(error) }),
    ...(facts === undefined ? undefined : { ms: Math.round((parts.clock.monotonic() - facts.began) * 1000) }),
  };
  if (status !== 200)
    parts.log.info({ ...fields, request: printable(`${method} ${url}`, 120) }, 'submission refused');
  else if (submission === undefined) parts.log.debug(fields, 'request answered');
  else parts.log.info(fields, submission.isDropped ? 'message accepted and dropped' : 'message accepted');
}
