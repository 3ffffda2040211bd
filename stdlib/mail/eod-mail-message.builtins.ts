// The class EODMailMessage: the message that an eod script decides about. What `queue()` collects is carried out by the
// script's Accept, and by nothing else (hooks 9).

import { HslArray, method, type NativeClass, nativeClass, ScriptFault } from '#lang';
import type { QueueRequest } from './envelope.js';
import {
  valueToAddress,
  valueToDsnParameters,
  valueToStringList,
  valueToStringMap,
} from './envelope-values.js';
import { MessageState, messageMethods } from './mail-message.builtins.js';
import type { MailDocument } from './mime/document.js';

/** The transaction that an eod message belongs to. */
export interface EodTransaction {
  readonly id: string;
  /** What `priority` is when the script does not say. */
  readonly priority: 0 | 1;
  /** Whether the configuration has that transport. */
  knowsTransport(id: string): boolean;
}

/** A message at end-of-data, and the `queue()` calls made so far. */
export class EodMessage extends MessageState {
  readonly transaction: EodTransaction;
  readonly queued: QueueRequest[] = [];

  constructor(document: MailDocument, transaction: EodTransaction) {
    super(document);
    this.transaction = transaction;
  }
}

export const EODMailMessage: NativeClass<EodMessage> = nativeClass<EodMessage>({
  name: 'EODMailMessage',
  summary: 'The received message in the eod hook.',
  group: 'mail',
  source: 'hooks 9.1',
  methods: [
    ...messageMethods,
    method<EodMessage>()({
      name: 'queue',
      summary: 'Queues the message, as changed so far, for one recipient.',
      details: 'Nothing is queued before Accept, and nothing at all with Reject, Defer or a script error.',
      params: [
        { name: 'sender', type: 'string|array', doc: '`""` is the null sender.' },
        { name: 'recipient', type: 'string|array' },
        { name: 'transportid', type: 'string' },
        {
          name: 'options',
          type: 'options',
          optional: true,
          keys: {
            metadata: { type: 'array', doc: 'Kept with the message: string => string.' },
            hold: { type: 'boolean', default: false, doc: 'Go on hold instead of being delivered.' },
            jobid: { type: 'string|none', doc: 'Job id, a policy field.' },
            tenantid: { type: 'string|none', doc: 'Tenant id, a policy field.' },
            priority: { type: 'number', oneOf: [0, 1], doc: "Default: the connection's priority." },
            delay: { type: 'number', default: 0, doc: 'Seconds before the first attempt.' },
            quotas: { type: 'array', doc: 'Names whose usage is raised until the message leaves the queue.' },
            dsn: { type: 'array', doc: '`envid`, `ret`, `notify`, `orcpt` (RFC 3461).' },
          },
        },
      ],
      returns: 'array',
      errors: 'Exception for a bad address, an unknown transport, or a wrong option.',
      run: (mail, senderValue, recipientValue, transportId, options) => {
        const sender = valueToAddress(senderValue, 'queue: the sender');
        const recipient = valueToAddress(recipientValue, 'queue: the recipient');
        if (recipient.localPart === '' && recipient.domain === '')
          throw new ScriptFault('queue: the recipient is empty');
        if (!mail.transaction.knowsTransport(transportId))
          throw new ScriptFault(`queue: there is no transport "${transportId}" in the configuration`);
        if (!(options.delay >= 0 && options.delay < Number.POSITIVE_INFINITY))
          throw new ScriptFault(`queue: "delay" is ${options.delay}; expected seconds from 0`);
        const number = mail.queued.length + 1;
        mail.queued.push({
          number,
          sender,
          recipient,
          transportId,
          pieces: mail.document.pieces(),
          metadata:
            options.metadata === undefined ? {} : valueToStringMap(options.metadata, 'queue: "metadata"'),
          hold: options.hold,
          ...(typeof options.jobid === 'string' ? { jobId: options.jobid } : undefined),
          ...(typeof options.tenantid === 'string' ? { tenantId: options.tenantid } : undefined),
          priority: (options.priority ?? mail.transaction.priority) === 1 ? 1 : 0,
          delaySeconds: options.delay,
          quotas: options.quotas === undefined ? [] : valueToStringList(options.quotas, 'queue: "quotas"'),
          dsn: options.dsn === undefined ? {} : valueToDsnParameters(options.dsn, 'queue: "dsn"'),
        });
        const id = HslArray.empty();
        id.set('transaction', mail.transaction.id);
        id.set('queue', number);
        return id;
      },
    }),
  ],
});
