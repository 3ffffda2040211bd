// Makes notifications and puts them into the spool: queued messages like any others, from the null sender, each in a transaction of
// its own.

import { randomBytes } from 'node:crypto';
import { type Address, isAscii, type Pieces, type QueueRequest, signMessage } from '#stdlib';
import type { NoticeKind } from '../queue/notice-plan.js';
import type { Notice, Notifier } from '../queue/notices.js';
import { messageIdToText } from '../spool/id-table.js';
import type { MessageId, QueuedMessage, ReceivedMessage, Spool } from '../spool/spool.js';
import { isNoticeId, noticeId } from './notice-id.js';
import { type Original, readOriginal, unreadableOriginal } from './original.js';
import { composeReport, wantsWholeMessage } from './report.js';
import { headerAddress } from './report-addresses.js';

/** What a notifier works with. */
export interface DsnNotifierOptions {
  readonly spool: Pick<Spool, 'open' | 'receive' | 'commit'>;
  /** The name of this host, as notifications give it. */
  readonly hostname: string;
  /** Unix seconds. */
  readonly now: () => number;
  readonly log: {
    warn(fields: object, message: string): void;
  };
  /** A boundary that nobody can guess; drawn when absent. */
  readonly newBoundary?: () => string;
}

/** Signatures take milliseconds; nothing gives them up. */
const NEVER_ABORTED = new AbortController().signal;

/** The maker of DSNs. */
export class DsnNotifier implements Notifier {
  readonly #options: DsnNotifierOptions;

  constructor(options: DsnNotifierOptions) {
    this.#options = options;
  }

  idOf(message: Pick<QueuedMessage, 'id' | 'retry'>, kind: NoticeKind, repeats?: number): MessageId {
    return noticeId(message, kind, repeats);
  }

  isOfNotice(id: MessageId): boolean {
    return isNoticeId(id);
  }

  async make(notice: Notice): Promise<readonly QueuedMessage[]> {
    const { spool, hostname, now, newBoundary = drawBoundary } = this.#options;
    const { id, message } = notice;
    const original = await this.#original(notice);
    if (comesRound(notice, original)) {
      this.#options.log.warn(
        { id: messageIdToText(message.id) },
        'a report to the postmaster fails: nobody is told of it',
      );
      return [];
    }
    const surroundings = { hostname, now: now() };
    const report = composeReport(notice, original, surroundings, newBoundary());
    const received = await this.#receive(report.bytes, message.id);
    let isCommitted = false;
    try {
      const pieces = await this.#signed(received, notice);
      isCommitted = true;
      return await spool.commit({
        id: id.transaction,
        ts: surroundings.now,
        serverId: '',
        senderIp: '',
        senderHelo: '',
        ...(message.stageKey === undefined ? undefined : { stageKey: message.stageKey }),
        message: received,
        beside: message.id,
        requests: [requestOf(notice, pieces, report.needsSmtpUtf8)],
      });
    } finally {
      if (!isCommitted) received.discard();
    }
  }

  /** A message that cannot be read is told of all the same. */
  async #original(notice: Notice): Promise<Original> {
    try {
      return await readOriginal(this.#options.spool.open(notice.message.id), wantsWholeMessage(notice));
    } catch (error) {
      this.#options.log.warn(
        { id: messageIdToText(notice.message.id), err: error },
        'the message cannot be read: its sender is told without its header',
      );
      return unreadableOriginal;
    }
  }

  async #receive(bytes: Buffer, beside: MessageId): Promise<ReceivedMessage> {
    const incoming = this.#options.spool.receive(beside);
    try {
      await incoming.write(bytes);
      return await incoming.finish();
    } catch (error) {
      incoming.discard();
      throw error;
    }
  }

  /** The message with its signatures on top; without them when they cannot be made. */
  async #signed(received: ReceivedMessage, { id, plan }: Notice): Promise<Pieces> {
    const whole: Pieces = [{ kind: 'range', start: 0, end: received.sizeBytes }];
    const requests = plan.options.signatures ?? [];
    if (requests.length === 0) return whole;
    const fields = await signMessage(received, whole, requests, NEVER_ABORTED);
    if (fields === undefined) {
      this.#options.log.warn(
        { dsn: messageIdToText(id) },
        'the notification could not be signed, it goes without',
      );
      return whole;
    }
    const text = fields.map((field) => `${field.text}\r\n`).join('');
    return [{ kind: 'bytes', bytes: Buffer.from(text, 'latin1') }, ...whole];
  }
}

/**
 * A report that was for the postmaster has failed under another name: mail for the postmaster comes back to this host and is passed
 * on to where nobody is. To tell the postmaster of it would never end (RFC 5321 §6.1).
 */
function comesRound({ plan }: Notice, { reportsTo }: Original): boolean {
  if (plan.isForPostmaster !== true || reportsTo === undefined) return false;
  return reportsTo.toLowerCase().includes(headerAddress(plan.recipient).toLowerCase());
}

/** RFC 3461 §6.1: from nobody, and nobody is told of it. */
function requestOf({ plan, message }: Notice, pieces: Pieces, needsSmtpUtf8: boolean): QueueRequest {
  const { options, recipient, transportId } = plan;
  const params: Record<string, string> = {};
  if (needsSmtpUtf8 || !isAscii(recipient.localPart)) params['SMTPUTF8'] = '';
  // It tells what the message was about: it is protected as that was (RFC 8689 §5).
  if (message.sender.params?.['REQUIRETLS'] !== undefined) params['REQUIRETLS'] = '';
  const sender: Address = { localPart: '', domain: '' };
  return {
    number: 1,
    sender: Object.keys(params).length === 0 ? sender : { ...sender, params },
    recipient,
    transportId,
    pieces,
    metadata: options.metadata ?? {},
    hold: options.hold ?? false,
    ...(options.jobId === undefined ? undefined : { jobId: options.jobId }),
    ...(options.tenantId === undefined ? undefined : { tenantId: options.tenantId }),
    priority: options.priority ?? 0,
    delaySeconds: options.delaySeconds ?? 0,
    quotas: options.quotas ?? [],
    dsn: { notify: 'NEVER' },
  };
}

function drawBoundary(): string {
  return `=_${randomBytes(18).toString('hex')}`;
}
