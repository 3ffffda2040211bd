// What an operation is: a letter's work, whichever door it was asked through. Its request and its answer are plain objects in the
// shape of control.proto; how they come over the wire is nobody's affair here.

/** The request cannot be done; the message is for the person who asked. Nothing else has changed. */
export class ControlError extends Error {}

/** What an operation may know of the connection that asks. */
export interface Caller {
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
  /** Sends an `=` frame: an object in the shape of that message. */
  readonly stream: FrameStream;
}

/** The way of `=` frames to a caller. */
export interface FrameStream {
  /** Sends one. @returns false when so much waits for the peer that no more should come before `onRoom` */
  send(messageName: string, frame: object): boolean;
  /** Called once when there is room again. */
  onRoom(call: () => void): void;
  /** A connection with a stream that goes on is not idle. */
  keep(): void;
}

/** An operation; the types are those of control.proto, whose shape the request has been brought into. */
export interface Operation<Request = never, Response = object | undefined> {
  /** @throws ControlError */
  run(request: Request, caller: Caller): Response | Promise<Response>;
}

/** Lets other work of the event loop go on. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
