// Messages as files, and files as messages.

import { describe, expect, test } from 'vitest';
import { compile, execute, HslObject, HslResource, type Program, type ProgramCache } from '#lang';
import { FILE_RESOURCE, type FileContent } from '../../../stdlib/files/file-content.js';
import { MailMessage, MessageState } from '../../../stdlib/mail/mail-message.builtins.js';
import { fileToSource, piecesToFile } from '../../../stdlib/mail/message-file.js';
import type { MessageSource } from '../../../stdlib/mail/message-source.js';
import { MailDocument } from '../../../stdlib/mail/mime/document.js';
import { FakeContext } from '../../support/fake-context.js';
import { run } from '../../support/run-script.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

function onDisk(text: string, headBytes: number): MessageSource & { readonly reads: [number, number][] } {
  const whole = Buffer.from(text, 'latin1');
  const reads: [number, number][] = [];
  return {
    sizeBytes: whole.length,
    head: whole.subarray(0, headBytes),
    isComplete: false,
    reads,
    read: async (start, end) => {
      reads.push([start, end]);
      return whole.subarray(start, end);
    },
  };
}

test('an edited message reads like its bytes, at any place', async () => {
  const text = `A: 1\r\nB: 2\r\nC: 3\r\n\r\n${'0123456789'.repeat(20)}`;
  const source = onDisk(text, 30);
  const document = new MailDocument(source);
  document.root.edits.add('X', Buffer.from('X: new\r\n'));
  document.root.edits.delete(document.root.header, 'B', undefined);
  document.editContent({ start: 100, end: 105, bytes: Buffer.from('-') });
  const whole = (await document.toBytes()).toString();
  const file = piecesToFile(source, document.pieces());
  expect(file.sizeBytes).toBe(whole.length);
  for (let start = 0; start <= whole.length; start += 7)
    for (const length of [0, 1, 13, 500]) {
      const end = Math.min(whole.length, start + length);
      expect((await file.read(start, end)).toString()).toBe(whole.slice(start, end));
    }
});

test('toFile is the message as it was at that moment', async () => {
  expect(
    await run(`
      $m = MailMessage::String("A: 1\\r\\n\\r\\nbody");
      $m->addHeader("X", "1");
      $f = $m->toFile();
      $m->reset();
      echo $f->readline();
      echo MailMessage::File($f)->toString() == "X: 1\\r\\nA: 1\\r\\n\\r\\nbody";
      echo MIME()->setBody("x")->toFile()->readline();
      try { MailMessage::File(Map("string", "string")); } catch ($e) { echo $e->message(); }`),
  ).toEqual([
    'X: 1',
    'true',
    'MIME-Version: 1.0',
    'argument 1 (file) of MailMessage::File must be a File or a FileResource',
  ]);
});

test('a large file stays where it is until it is asked for', async () => {
  const bytes = Buffer.from(`Subject: large\r\n\r\n${'x'.repeat(3 * 1024 * 1024)}`);
  let read = 0;
  const content: FileContent = {
    path: undefined,
    sizeBytes: bytes.length,
    read: async (start, end) => {
      read += end - start;
      return bytes.subarray(start, end);
    },
  };
  const source = await fileToSource(content);
  expect(source.isComplete).toBe(false);
  expect(read).toBe(1024 * 1024);
  const ctx = new FakeContext();
  const state = new MessageState(new MailDocument(source));
  const message = new HslObject(MailMessage, undefined, state);
  expect(ctx.method(message, 'getHeader', 'subject')).toBe('large');
  expect(read).toBe(1024 * 1024);
  const body = (await (ctx.method(message, 'getBody') as unknown as Promise<string>)) as string;
  expect(body.length).toBe(3 * 1024 * 1024);
});

test('a file that cannot be read makes no message, and later an exception that says where', async () => {
  let fails = false;
  const bytes = Buffer.from(
    `Content-Type: multipart/mixed; boundary=B\r\n\r\n${'x'.repeat(2 * 1024 * 1024)}`,
  );
  const resource = new HslResource(FILE_RESOURCE, {
    path: undefined,
    sizeBytes: bytes.length,
    read: async (start, end) => {
      if (fails) throw new Error('disk error');
      return bytes.subarray(start, end);
    },
  } satisfies FileContent);
  const ctx = new FakeContext();
  const open = () =>
    MailMessage.statics['File']!.run(resource as never, ctx as never) as unknown as Promise<HslObject | null>;
  const message = (await open())!;
  fails = true;
  expect(await open()).toBe(null);
  for (const [name, ...args] of [
    ['toString'],
    ['getBody'],
    ['getParts'],
    ['getErrors'],
    ['findByType', 'x'],
  ] as const)
    await expect(ctx.method(message, name, ...args)).rejects.toThrow(
      `${name}: the message could not be read: disk error`,
    );
});

describe('an imported message', () => {
  const files = { 'a.eml': 'Subject: imported\r\n\r\nbody', 'm.hsl': 'import $eml from "a.eml";' };

  test('is a message', async () => {
    expect(
      await run('import $eml from "a.eml"; echo $eml->getHeader("subject"); echo $eml->getBody();', files),
    ).toEqual(['imported', 'body']);
  });

  test('is the same one wherever an execution imports it from a module', async () => {
    const script =
      'import { $eml } from "m.hsl"; import * as m from "m.hsl"; $eml->addHeader("X", "1"); echo m::$eml->toString();';
    expect(await run(script, files)).toEqual(['X: 1\r\nSubject: imported\r\n\r\nbody']);
  });

  test('is as it was for the next execution, also of a program that comes out of the cache', async () => {
    const stored = new Map<string, Uint8Array>();
    const cache: ProgramCache = {
      read: (key) => stored.get(key),
      write: (key, bytes) => void stored.set(key, bytes),
    };
    const host = { ...createCompileHost(files), cache };
    const script =
      'import $eml from "a.eml"; $eml->delHeader("Subject"); $eml->setBody("new"); echo $eml->toString();';
    const once = async (): Promise<Program> =>
      (await compile({ name: 'main.hsl', text: script }, catalogEnvironment(), host)).program!;
    const first = await once();
    const second = await once();
    expect(stored.size).toBe(1);
    expect(second).not.toBe(first);
    for (const program of [first, first, second, second]) {
      const echoes: string[] = [];
      await execute(program, { host: createRunHost((text) => echoes.push(text)) }).run();
      expect(echoes).toEqual(['\r\nnew']);
    }
  });
});
