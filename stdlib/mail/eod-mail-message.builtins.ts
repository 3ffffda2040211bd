// The class EODMailMessage: the message that an eod script decides about. What `queue()` collects is carried out by the
// script's Accept, and by nothing else (hooks 9).

import { method, type NativeClass, nativeClass, ScriptFault } from '#lang';
import type { QueueRequest } from './envelope.js';
import { MessageState, messageMethods } from './mail-message.builtins.js';
import type { MailDocument } from './mime/document.js';
import { checkQueueRequest, queuedIdToValue, queueParameters, withPieces } from './queue-request.js';

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
  example: 'echo $mail->getHeader("Subject");  // Quarterly report',
  group: 'mail',
  source: 'hooks 9.1',
  methods: [
    ...messageMethods,
    method<EodMessage>()({
      name: 'queue',
      summary: 'Queues the message, as changed so far, for one recipient.',
      details: 'Nothing is queued before Accept, and nothing at all with Reject, Defer or a script error.',
      params: queueParameters,
      returns: 'array',
      errors: 'Exception for a bad address, an unknown transport, or a wrong option.',
      example: [
        '$id = $mail->queue("joerg@example.org", "alice@example.com", "outbound");',
        'echo $id["queue"];  // 1',
      ].join('\n'),
      source: 'hooks 9.1',
      run: (mail, sender, recipient, transportId, options) => {
        const { id, priority } = mail.transaction;
        const number = mail.queued.length + 1;
        const request = checkQueueRequest(sender, recipient, transportId, options, { number, priority });
        if (!mail.transaction.knowsTransport(transportId))
          throw new ScriptFault(`queue: there is no transport "${transportId}" in the configuration`);
        mail.queued.push(withPieces(request, mail.document.pieces()));
        return queuedIdToValue({ transaction: id, queue: number });
      },
    }),
  ],
});
