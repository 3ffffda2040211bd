// What is in a message, decoded for reading: header fields, texts, attachments. mailparser reads it, here and not in the daemon; nothing
// that goes out is ever made of this.

import { forTerminal, linesForTerminal } from './terminal-text.js';

/** A message for reading. */
export interface Preview {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly text: string;
  /** There is HTML, and the text was made of it. */
  readonly isFromHtml: boolean;
  readonly attachments: readonly {
    readonly name: string;
    readonly type: string;
    readonly size: number;
  }[];
}

const MOST_TEXT = 20_000;
/** Fields that say what a message is about. */
const shownFields = ['from', 'to', 'cc', 'subject', 'date', 'message-id', 'reply-to', 'list-id'];

/** Reads a message, or as much of it as there is. */
export async function previewOf(message: Buffer): Promise<Preview> {
  const { simpleParser } = await import('mailparser');
  const parsed = await simpleParser(message, { skipTextToHtml: true, skipImageLinks: true });
  const text = parsed.text ?? '';
  return {
    headers: parsed.headerLines.map(({ key, line }) => ({
      name: line.slice(0, line.indexOf(':')),
      value: shownFields.includes(key) ? decoded(parsed.headers.get(key), line) : unfolded(line),
    })),
    text: text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}\n[…]` : text,
    isFromHtml:
      typeof parsed.html === 'string' && !/^content-type:\s*text\/plain/im.test(headOf(parsed.headerLines)),
    attachments: parsed.attachments.map(({ filename, contentType, size }) => ({
      name: filename ?? '',
      type: contentType,
      size,
    })),
  };
}

function headOf(lines: readonly { readonly line: string }[]): string {
  return lines.map(({ line }) => line).join('\n');
}

function decoded(value: unknown, line: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string')
    return value.text;
  return unfolded(line);
}

function unfolded(line: string): string {
  return line
    .slice(line.indexOf(':') + 1)
    .replace(/\r?\n[ \t]+/g, ' ')
    .trim();
}

/** A preview on a terminal. */
export function previewText({ headers, text, isFromHtml, attachments }: Preview): string {
  const important = headers.filter(({ name }) => shownFields.includes(name.toLowerCase()));
  return [
    ...important.map(({ name, value }) => `${forTerminal(name)}: ${forTerminal(value)}`),
    ...attachments.map(
      ({ name, type, size }) => `Attachment: ${forTerminal(name)} (${forTerminal(type)}, ${size} bytes)`,
    ),
    '',
    ...(isFromHtml ? ['(from HTML)'] : []),
    linesForTerminal(text.trimEnd()),
  ].join('\n');
}
