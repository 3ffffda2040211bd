// E, QueueImport (control-api 4.4): takes a message in, from a file that `unload` wrote or as bytes with an envelope. It is answered when
// the message is on disk. A message that is in the queue is not taken in a second time.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { QueueRequest } from '#hooks';
import { textToBytes } from '#lang';
import type { MessageQueue } from '../../queue/message-queue.js';
import { messageIdToText } from '../../spool/id-table.js';
import { type MessageId, type QueuedMessage, type Spool, SpoolError } from '../../spool/spool.js';
import { LineEnds } from '../../submission/line-ends.js';
import { ControlError, type Operation } from '../operation.js';
import { readQueueFile } from '../transfer/queue-file.js';
import { readAddress } from './queue-update.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const CHUNK_BYTES = 64 * 1024;
const MOST_RECIPIENTS = 10_000;

interface GivenAddress {
  readonly localpart?: string;
  readonly domain?: string;
}

/** `QueueImportRequest`. */
export interface QueueImportRequest {
  readonly path?: string;
  readonly file?: Buffer;
  readonly message?: Buffer;
  readonly envelope?: {
    readonly sender?: GivenAddress;
    readonly recipients: readonly GivenAddress[];
    readonly transportid?: string;
    readonly jobid?: string;
    readonly tenantid?: string;
    readonly priority?: number;
    readonly metadata: Readonly<Record<string, string>>;
    readonly quotas: readonly string[];
    readonly hold?: boolean;
    readonly serverid?: string;
  };
}

/** What the operation works on. */
export interface QueueImportParts {
  readonly queue: Pick<MessageQueue, 'find' | 'accept' | 'noticeOfEnd'>;
  readonly spool: Pick<Spool, 'receive' | 'commit' | 'hasRoomFor' | 'open'>;
  readonly newId: () => string;
  readonly now: () => number;
  readonly knowsTransport: (id: string) => boolean;
  readonly log: { info(fields: object, message: string): void };
}

type Envelope = Omit<QueuedMessage, 'sizeBytes' | 'stageKey'>;

/** Takes messages in. */
export class QueueImport implements Operation<QueueImportRequest> {
  readonly #parts: QueueImportParts;
  /** Being taken in: not twice at the same time. */
  readonly #coming = new Set<string>();

  constructor(parts: QueueImportParts) {
    this.#parts = parts;
  }

  async run({ path: file, file: bytes, message, envelope }: QueueImportRequest): Promise<object> {
    const given = [file, bytes, message].filter((one) => one !== undefined).length;
    if (given !== 1) throw new ControlError(`found ${given} of path, file and message; expected one of them`);
    const taken =
      message !== undefined
        ? await this.#raw(message, envelope)
        : bytes !== undefined
          ? await this.#file(once(bytes))
          : await this.#file(chunksOfFile(file!));
    this.#parts.log.info(
      { command: 'QueueImport', ids: taken.map(messageIdToText) },
      'messages were taken in from outside',
    );
    const ids = taken.map(({ transaction, number }) => ({ transaction, queue: number }));
    return { id: ids[0], ids };
  }

  /** Puts a copy of a message of the queue into it. @throws SpoolError */
  async duplicate(id: MessageId): Promise<MessageId> {
    const found = this.#parts.queue.find(id);
    if (found === undefined) throw new ControlError(`there is no message ${messageIdToText(id)}`);
    const { sizeBytes, ...message } = found.message;
    const copy = { ...message, id: { transaction: this.#parts.newId(), number: 1 } };
    await this.#take([copy], sizeBytes, this.#parts.spool.open(id).chunks());
    return copy.id;
  }

  /** The file is closed in the end, read or refused. */
  async #file(chunks: AsyncGenerator<Buffer>): Promise<readonly MessageId[]> {
    try {
      const { message, body } = await readQueueFile(chunks);
      const { sizeBytes, ...envelope } = message;
      return await this.#take([envelope], sizeBytes, body);
    } finally {
      await chunks.return(undefined);
    }
  }

  async #raw(bytes: Buffer, envelope: QueueImportRequest['envelope']): Promise<readonly MessageId[]> {
    if (envelope === undefined) throw new ControlError('expected "envelope" with the message');
    const { recipients, transportid = '', priority = 0 } = envelope;
    if (recipients.length === 0 || recipients.length > MOST_RECIPIENTS)
      throw new ControlError(
        `envelope.recipients: found ${recipients.length}; expected 1 to ${MOST_RECIPIENTS}`,
      );
    if (!this.#parts.knowsTransport(textToBytes(transportid)))
      throw new ControlError(`envelope.transportid: there is no transport ${JSON.stringify(transportid)}`);
    if (priority !== 0 && priority !== 1)
      throw new ControlError(`envelope.priority: found ${priority}; expected 0 or 1`);
    const transaction = this.#parts.newId();
    const common = {
      ts: this.#parts.now(),
      serverId: textToBytes(envelope.serverid ?? ''),
      senderIp: '',
      senderHelo: '',
      sender: readAddress(envelope.sender ?? {}, 'envelope.sender', true),
      transportId: textToBytes(transportid),
      metadata: Object.fromEntries(
        Object.entries(envelope.metadata).map(([key, value]) => [textToBytes(key), textToBytes(value)]),
      ),
      ...(envelope.jobid ? { jobId: textToBytes(envelope.jobid) } : undefined),
      ...(envelope.tenantid ? { tenantId: textToBytes(envelope.tenantid) } : undefined),
      priority: priority === 1 ? (1 as const) : (0 as const),
      quotas: envelope.quotas.map(textToBytes),
      dsn: {},
      hold: envelope.hold ?? false,
      retry: 0,
      nextTry: 0,
    };
    const messages = recipients.map((recipient, index) => ({
      ...common,
      id: { transaction, number: index + 1 },
      recipient: readAddress(recipient, `envelope.recipients[${index}]`, false),
    }));
    const body = withLineEnds(bytes);
    return this.#take(messages, body.length, once(body));
  }

  /** Messages with the same bytes and the same origin. */
  async #take(
    messages: readonly Envelope[],
    sizeBytes: number,
    body: AsyncIterable<Buffer>,
  ): Promise<readonly MessageId[]> {
    const { queue, spool } = this.#parts;
    const ids = messages.map(({ id }) => id);
    const names = ids.map(messageIdToText);
    for (const [index, id] of ids.entries()) {
      if (queue.find(id) !== undefined || this.#coming.has(names[index]!))
        throw new ControlError(
          `the message ${names[index]} is in the queue already; it was not taken in again`,
        );
      // Found beside it at a start, the notification would say that the message is at its end.
      const notice = queue.noticeOfEnd(id);
      if (notice !== undefined)
        throw new ControlError(
          `the sender of ${names[index]} is being told that it has ended, by the message ${messageIdToText(notice)}, which is still in the queue; import it when that has been sent, or delete that first`,
        );
    }
    if (!spool.hasRoomFor(sizeBytes)) throw new ControlError('the spool has no room for the message');
    for (const name of names) this.#coming.add(name);
    try {
      queue.accept(await this.#commit(messages, sizeBytes, body));
      return ids;
    } catch (error) {
      if (error instanceof SpoolError) throw new ControlError(`the spool: ${error.message}`);
      throw error;
    } finally {
      for (const name of names) this.#coming.delete(name);
    }
  }

  async #commit(
    messages: readonly Envelope[],
    sizeBytes: number,
    body: AsyncIterable<Buffer>,
  ): Promise<readonly QueuedMessage[]> {
    const { spool } = this.#parts;
    const incoming = spool.receive();
    try {
      let received = 0;
      for await (const chunk of body) {
        received += chunk.length;
        if (received > sizeBytes) break;
        await incoming.write(chunk);
      }
      if (received !== sizeBytes)
        throw new ControlError(
          `the message has ${received > sizeBytes ? 'more than' : 'only'} ${Math.min(received, sizeBytes)} bytes; expected ${sizeBytes}`,
        );
    } catch (error) {
      incoming.discard();
      throw error;
    }
    const message = await incoming.finish();
    const [first] = messages;
    const { id, ts, serverId, senderIp, senderHelo, saslUsername, retry, nextTry, reason } = first!;
    return spool.commit({
      id: id.transaction,
      ts,
      serverId,
      senderIp,
      senderHelo,
      ...(saslUsername === undefined ? undefined : { saslUsername }),
      message,
      requests: messages.map((one) => requestOf(one, sizeBytes)),
      imported: { retry, nextTry, ...(reason === undefined ? undefined : { reason }) },
    });
  }
}

function requestOf(message: Envelope, sizeBytes: number): QueueRequest {
  const { id, sender, recipient, transportId, metadata, hold, jobId, tenantId, priority, quotas, dsn } =
    message;
  return {
    number: id.number,
    sender,
    recipient,
    transportId,
    pieces: [{ kind: 'range', start: 0, end: sizeBytes }],
    metadata,
    hold,
    ...(jobId === undefined ? undefined : { jobId }),
    ...(tenantId === undefined ? undefined : { tenantId }),
    priority,
    delaySeconds: 0,
    quotas,
    dsn,
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** A file's bytes. Links, pipes and devices are none. @throws ControlError */
async function* chunksOfFile(name: string): AsyncGenerator<Buffer> {
  if (!path.isAbsolute(name))
    throw new ControlError(`path: found ${JSON.stringify(name)}; expected an absolute path`);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw new ControlError(`path: ${adviceOn(error as NodeJS.ErrnoException)}`);
  }
  try {
    if (!(await file.stat()).isFile()) throw new ControlError('path: this is no file');
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function adviceOn({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file where the daemon runs';
    case 'EACCES':
    case 'EPERM':
      return 'the daemon may not read this file; give it to the user that the daemon runs as';
    case 'ELOOP':
    case 'EMLINK':
      return 'this is a link; expected the file itself';
    default:
      return `the file cannot be read: ${message}`;
  }
}

/** The message with line ends as mail has them. */
function withLineEnds(bytes: Buffer): Buffer {
  const lineEnds = new LineEnds();
  return Buffer.concat([lineEnds.feed(bytes), lineEnds.end()]);
}
