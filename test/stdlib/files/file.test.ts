import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile, type Environment, execute, HslResource, type Value } from '#lang';
import { createLocalServices, nothingConfigured } from '#stdlib';
import { bytesToFile, FILE_RESOURCE, type FileContent } from '../../../stdlib/files/file-content.js';
import { FileReader } from '../../../stdlib/files/file-reader.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';

/** A file that answers later, as one on a disk does, and tells when it is closed. */
class SlowFile implements FileContent {
  readonly path = '/root/slow.txt';
  readonly sizeBytes: number;
  reads = 0;
  closed = 0;
  readonly #bytes: Buffer;
  readonly #failure: Error | undefined;

  constructor(text: string, failure?: Error) {
    this.#bytes = Buffer.from(text, 'latin1');
    this.sizeBytes = this.#bytes.length;
    this.#failure = failure;
  }

  async read(start: number, end: number): Promise<Buffer> {
    this.reads++;
    if (this.closed > 0) throw new Error('read after close');
    if (this.#failure !== undefined) throw this.#failure;
    return this.#bytes.subarray(start, end);
  }

  close(): void {
    this.closed++;
  }
}

const environment: Environment = {
  ...catalogEnvironment(),
  variables: [{ name: 'given', summary: 'A resource.', readonly: true }],
};

/** Runs a script in which `file.txt` is `content` and `$given` is `given`. */
async function run(script: string, content?: FileContent, given: Value = null): Promise<string[]> {
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: script },
    environment,
    createCompileHost(),
  );
  expect(diagnostics).toEqual([]);
  const echoes: string[] = [];
  const services = createLocalServices({
    configured: { ...nothingConfigured, file: async (name) => (name === 'file.txt' ? content : undefined) },
  });
  const host = createRunHost((text) => echoes.push(text));
  const result = await execute(program!, { host, services, variables: [given] }).run();
  if (result.kind === 'failed') echoes.push(`error: ${result.error.message}`);
  return echoes;
}

const resource = (content: FileContent) => new HslResource(FILE_RESOURCE, content);

describe('File', () => {
  test('reads lines and bytes in turns', async () => {
    const script = `
      $f = File("file.txt");
      echo $f->readline(); echo $f->tell(); echo $f->read(2); echo $f->readline();
      echo json_encode([$f->readline(), $f->readline(), $f->readline(), $f->read(), $f->tell()]);`;
    expect(await run(script, new SlowFile('one\r\ntwo\n\nlast'))).toEqual([
      'one',
      '5',
      'tw',
      'o',
      '["","last",false,"",14]',
    ]);
  });

  test('is none when there is no such file', async () => {
    expect(await run('echo json_encode([File("other.txt"), File::read("other.txt")]);')).toEqual([
      '[null,null]',
    ]);
    expect(await run('$f = File("other.txt"); if (!$f) echo "missing";')).toEqual(['missing']);
  });

  test('moves its position', async () => {
    const script = `
      $f = File::String("abcdef");
      echo json_encode([$f->seek(2), $f->read(1), $f->seek(-2, "SEEK_CUR"), $f->read(1), $f->seek(-1, "SEEK_END"), $f->read()]);
      echo json_encode([$f->seek(-1), $f->tell(), $f->seek(100), $f->read(), $f->readline(), $f->tell(), $f->seek(0.9), $f->read(0)]);
      echo json_encode([$f->seek(-7, "SEEK_END"), $f->seek(0, "SEEK_END")]);`;
    expect(await run(script)).toEqual(['[2,"c",1,"b",5,"f"]', '[null,6,100,"",false,100,0,""]', '[null,6]']);
  });

  test('tells its path when it has one', async () => {
    expect(
      await run(
        'echo json_encode([File("file.txt")->getPath(), File::String("")->getPath()]);',
        new SlowFile('x'),
      ),
    ).toEqual(['["\\/root\\/slow.txt",null]'.replaceAll('\\/', '/')]);
  });

  test('cannot be used when it is closed, and may be closed again', async () => {
    for (const [use, name] of [
      ['read()', 'read'],
      ['readline()', 'readline'],
      ['seek(0)', 'seek'],
      ['tell()', 'tell'],
    ] as const)
      expect(await run(`$f = File::String("x"); $f->close(); $f->close(); $f->${use};`)).toEqual([
        `error: File->${name}: the file is closed`,
      ]);
    expect(await run('$f = File::String("x"); $f->close(); echo json_encode($f->getPath());')).toEqual([
      'null',
    ]);
  });

  test('that a script opened is closed once: by the script, or when it ends', async () => {
    for (const script of [
      'File("file.txt")->close();',
      'echo File("file.txt")->read(1);',
      '$f = File("file.txt"); $f->close(); $f->close();',
      'echo File::read("file.txt");',
      '$f = File("file.txt"); throw Exception("x");',
    ]) {
      const content = new SlowFile('x');
      await run(script, content);
      expect(content.closed, script).toBe(1);
    }
  });

  test('over a resource leaves it to its owner', async () => {
    const content = new SlowFile('one\ntwo\n');
    const script = `
      $a = File($given); echo $a->readline(); $a->close();
      $b = File($given); echo $b->read(); echo File::read($given);`;
    expect(await run(script, undefined, resource(content))).toEqual(['one', 'one\ntwo\n', 'one\ntwo\n']);
    expect(content.closed).toBe(0);
  });

  test('refuses another resource', async () => {
    expect(await run('File($given);', undefined, new HslResource('Regex', undefined))).toEqual([
      'error: argument 1 (file) of File must be a string or a FileResource, not a Regex',
    ]);
    expect(await run('File(5);')).toEqual([
      'error: argument 1 (file) of File must be a string or a resource, not a number',
    ]);
  });

  test('gives none when the disk fails, and stays usable', async () => {
    const failing = () => new SlowFile('x\ny', Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
    const script =
      '$f = File("file.txt"); echo json_encode([$f->read(), $f->readline(), $f->tell(), File::read("file.txt")]);';
    expect(await run(script, failing())).toEqual(['[null,null,0,null]']);
  });

  test('refuses lengths and places that cannot be', async () => {
    expect(await run('File::String("x")->read(-1);')).toEqual([
      'error: argument 1 (length) of File->read must be a number from 0, not -1',
    ]);
    expect(await run('File::String("x")->seek(0, "END");')).toEqual([
      'error: argument 2 (whence) of File->seek must be "SEEK_SET", "SEEK_CUR" or "SEEK_END", not "END"',
    ]);
  });

  test('keeps bytes as they are', async () => {
    expect(
      await run('echo File::String("\\x00\\xff\\r")->readline() == "\\x00\\xff\\r" ? "same" : "changed";'),
    ).toEqual(['same']);
  });
});

describe('reading ahead', () => {
  test('lines of a large file cost a read for each block, not for each line', async () => {
    const content = new SlowFile('0123456789abcde\n'.repeat(65_536));
    const script =
      '$f = File("file.txt"); $n = 0; while (($l = $f->readline()) !== false) $n += length($l); echo $n;';
    expect(await run(script, content)).toEqual([String(15 * 65_536)]);
    expect(content.reads).toBeLessThan(40);
  });

  test('a line longer than a block is read whole', async () => {
    const content = new SlowFile(`${'x'.repeat(300_000)}\r\n${'y'.repeat(70_000)}`);
    const script =
      '$f = File("file.txt"); echo length($f->readline()); echo length($f->readline()); echo json_encode($f->readline());';
    expect(await run(script, content)).toEqual(['300000', '70000', 'false']);
  });

  test('a file that became shorter ends early', async () => {
    const short: FileContent = {
      path: undefined,
      sizeBytes: 100,
      read: (start, end) => Buffer.from('ab\ncd').subarray(start, end),
    };
    expect(
      await run(
        '$f = File("file.txt"); echo json_encode([$f->readline(), $f->readline(), $f->readline(), $f->read()]);',
        short,
      ),
    ).toEqual(['["ab","cd",false,""]']);
  });

  /** What a file must do, on a plain string. */
  class Model {
    position = 0;
    constructor(readonly text: string) {}
    read(most: number): string {
      const read = this.text.slice(this.position, this.position + most);
      this.position += read.length;
      return read;
    }
    readLine(): string | undefined {
      if (this.position >= this.text.length) return undefined;
      const lineFeed = this.text.indexOf('\n', this.position);
      const end = lineFeed === -1 ? this.text.length : lineFeed;
      const line = this.text.slice(this.position, end);
      this.position = lineFeed === -1 ? end : end + 1;
      return lineFeed === -1 ? line : line.replace(/\r$/, '');
    }
  }

  test('reads, lines and moves in any order are those of a plain text', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('read' as const), count: fc.nat(12) }),
      fc.record({ kind: fc.constant('line' as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant('seek' as const), count: fc.nat(60) }),
    );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(step, { maxLength: 20 }), fc.boolean(), async (one, steps, isSlow) => {
        const reader = new FileReader(isSlow ? new SlowFile(one) : bytesToFile(Buffer.from(one)));
        const model = new Model(one);
        for (const { kind, count } of steps) {
          if (kind === 'read') expect(await reader.read(count, () => {})).toBe(model.read(count));
          else if (kind === 'line') expect(await reader.readLine(() => {})).toBe(model.readLine());
          else {
            reader.position = count;
            model.position = count;
          }
          expect(reader.position).toBe(model.position);
        }
      }),
    );
  });
});
