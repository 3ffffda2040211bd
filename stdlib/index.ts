// The door of the standard library.

export type { MessageSource, Piece, Pieces } from './mail/message-source.js';
export { piecesSize } from './mail/message-source.js';
