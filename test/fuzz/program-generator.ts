// Makes HSL programs out of the grammar (hsl-language 4). Most of them compile; they do senseless things with every
// statement, operator and type, so that odd combinations meet in the compiler and the VM.

import type { SeededRandom } from './random.js';

const variables = ['a', 'b', 'c', 'd', 'list', 'map', 'f', 'o', 's', 'n'];
const binary = '+ - * / % ** . << >> >>> & | ^ < > <= >= == != === !== and or ?? =~ !~'.split(' ');
const compound = '= += -= *= /= %= **= .= ??='.split(' ');
const builtins = [
  'length',
  'string',
  'number',
  'boolean',
  'is_array',
  'is_string',
  'array_keys',
  'array_map',
  'array_filter',
  'array_sort',
  'array_reduce',
  'array_join',
  'array_reverse',
  'array_unique',
  'str_lower',
  'str_split',
  'str_find',
  'str_replace',
  'str_slice',
  'pcre_match',
  'pcre_replace',
  'abs',
  'round',
  'floor',
  'json_encode',
  'json_decode',
  'base64_encode',
  'pack',
  'unpack',
  'chr',
  'Map',
  'Set',
  'Exception',
];

export class ProgramGenerator {
  /** What is left to say: every construct costs, so programs end. */
  #budget = 0;
  #inFunction = 0;
  #inLoop = 0;
  #inClass = false;
  #functions: string[] = [];
  #classes: string[] = [];

  constructor(private readonly random: SeededRandom) {}

  program(size = 60): string {
    this.#budget = size;
    this.#functions = [];
    this.#classes = [];
    const parts: string[] = [];
    for (let i = this.random.below(3); i > 0; i--) parts.push(this.#function(`fn${i}`));
    for (let i = this.random.below(2); i > 0; i--) parts.push(this.#class(`C${i}`));
    // Most variables exist, so that programs get somewhere.
    for (const name of variables)
      parts.push(
        this.random.chance(0.9)
          ? `$${name} = ${this.#literal()};`
          : `if (random_number() < 0.5) $${name} = 1;`,
      );
    while (this.#budget > 0) parts.push(this.#statement());
    return parts.join('\n');
  }

  #spend(): boolean {
    this.#budget--;
    return this.#budget > 0;
  }

  #block(): string {
    const body: string[] = [];
    for (let i = 1 + this.random.below(3); i > 0; i--) body.push(this.#statement());
    return `{ ${body.join(' ')} }`;
  }

  #loop(head: string): string {
    this.#inLoop++;
    const text = `${head} ${this.#block()}`;
    this.#inLoop--;
    return text;
  }

  #statement(): string {
    const { random } = this;
    if (!this.#spend()) return 'echo 0;';
    switch (random.below(20)) {
      case 0:
        return `if (${this.#expression()}) ${this.#block()}${random.chance(0.5) ? ` else ${this.#block()}` : ''}`;
      case 1:
        return this.#loop(`for ($i = 0; $i < ${random.below(5)}; $i++)`);
      case 2:
        return this.#loop(
          `foreach (${random.chance(0.7) ? this.#variable() : this.#expression()} as ${random.chance(0.5) ? '$k => ' : ''}$v)`,
        );
      case 3:
        return `$w = 0; ${this.#loop(`while ($w++ < ${random.below(4)} and ${this.#expression()})`)}`;
      case 4:
        return `switch (${this.#expression()}) { case ${this.#expression()}: ${this.#statement()} ${random.chance(0.5) ? 'break;' : ''} default: ${this.#statement()} }`;
      case 5:
        return `try ${this.#block()} catch ($e) { echo is_object($e); }`;
      case 6:
        return this.#inLoop > 0 ? random.pick(['break;', 'continue;']) : 'echo "loop";';
      case 7:
        return this.#inFunction > 0 ? `return ${this.#expression()};` : `throw ${this.#expression()};`;
      case 8:
        return `unset(${this.#target()});`;
      case 9:
        return `[$a, $b = ${this.#literal()}, ...$list] = ${this.#expression()};`;
      case 10:
        return `${this.#variable()}[${this.#bound()}:${this.#bound()}] = ${this.#expression()};`;
      case 11:
        return `barrier "fuzz" => $s ${this.#block()}`;
      case 12:
      case 13:
        return `echo ${this.#expression()};`;
      default:
        return `${this.#target()} ${random.pick(compound)} ${this.#expression()};`;
    }
  }

  #function(name: string): string {
    const outerLoop = this.#inLoop;
    this.#inLoop = 0;
    this.#inFunction++;
    const params = this.random.pick(['', '$a', '$a, $b = 1', '...$a', '$a, ...$list']);
    const locals = variables
      .filter((one) => one !== 'n' && !params.includes(`$${one}`))
      .map((one) => `$${one} = ${this.#literal()};`);
    const text = `function ${name}(${params}) { global $n; ${locals.join(' ')} ${this.#block()} ${this.random.chance(0.15) ? `yield ${this.#expression()};` : ''} }`;
    this.#inFunction--;
    this.#inLoop = outerLoop;
    this.#functions.push(name);
    return text;
  }

  #class(name: string): string {
    this.#inClass = true;
    this.#inFunction++;
    const text = `class ${name} { $x = ${this.random.below(9)}; private $y = []; static $z = 1; constructor($a = 0) { $this->x = $a; } function get() { ${variables.map((one) => `$${one} = ${this.#literal()};`).join(' ')} return ${this.#expression()}; } static function st() { static::$z += 1; return static::$z; } }`;
    this.#inFunction--;
    this.#inClass = false;
    this.#classes.push(name);
    return text;
  }

  #variable(): string {
    return `$${this.random.pick(variables)}`;
  }

  #bound(): string {
    return this.random.chance(0.3) ? '' : String(this.random.below(7) - 3);
  }

  #target(): string {
    const { random } = this;
    switch (random.below(6)) {
      case 0:
        return `${this.#variable()}[${this.#expression()}]`;
      case 1:
        return `${this.#variable()}["k"]["j"]`;
      case 2:
        return `${this.#variable()}->x`;
      case 3:
        return this.#classes.length > 0 ? `${random.pick(this.#classes)}::$z` : this.#variable();
      default:
        return this.#variable();
    }
  }

  #literal(): string {
    const { random } = this;
    switch (random.below(12)) {
      case 0:
        return 'none';
      case 1:
        return random.pick(['true', 'false']);
      case 2:
        return random.pick(['0', '1', '2.5', '0xff', '1_000', '9007199254740991', '-1']);
      case 3:
        return random.pick([
          '""',
          '"a"',
          '"12"',
          '"0x1f"',
          '"\\xff\\x00"',
          '"a,b,c"',
          "''raw $x''",
          '"/a+/i"',
        ]);
      case 4:
        return random.pick(['[]', '[1, 2, 3]', '["k" => 1, "j" => [1]]', '[5 => "x", "y"]', '[[1, 2], [3]]']);
      case 5:
        return random.pick(['#/a+/', '#/(b)|c/i', '#/^[a-z]*$/']);
      default:
        return String(random.below(10));
    }
  }

  #expression(): string {
    const { random } = this;
    if (!this.#spend()) return this.#literal();
    switch (random.below(24)) {
      case 0:
        return `(${this.#expression()} ${random.pick(binary)} ${this.#expression()})`;
      case 1:
        return `${this.#expression()} ${random.pick(binary)} ${this.#literal()}`;
      case 2:
        return `${random.pick(['-', '+', '!', '~', 'not '])}${this.#variable()}`;
      case 3:
        return `(${this.#expression()} ? ${this.#expression()} : ${this.#expression()})`;
      case 4:
        return `(${this.#variable()} ?: ${this.#expression()})`;
      case 5:
        return `[${this.#expression()}, "k" => ${this.#expression()}, ...[${this.#literal()}]]`;
      case 6:
        return `${this.#variable()}[${this.#expression()}]`;
      case 7:
        return `${this.#variable()}[${this.#bound()}:${this.#bound()}${random.chance(0.3) ? `:${random.below(5) - 2}` : ''}]`;
      case 8:
        // Spread, so that a wrong number of arguments is a matter of run time.
        return `${random.pick(builtins)}(...[${Array.from({ length: 1 + random.below(3) }, () => this.#expression()).join(', ')}])`;
      case 9:
        return this.#functions.length > 0
          ? `${random.pick(this.#functions)}(...[${this.#expression()}])`
          : this.#literal();
      case 10:
        return `function ($x) closure (${variables.map((name) => `$${name}`).join(', ')}) { return ${this.#variable()}; }(${this.#expression()})`;
      case 11:
        return `match (${this.#expression()}) { ${this.#literal()}, ${this.#literal()} => ${this.#expression()}, default => ${this.#literal()} }`;
      case 12:
        return `isset(${this.#target()})`;
      case 13:
        return `"x $n \${s}y ${random.below(9)}"`;
      case 14:
        return `${this.#variable()}${random.pick(['++', '--'])}`;
      case 15:
        return `"%s %5.2f %x" % [${this.#expression()}, ${this.#literal()}, 3]`;
      case 16:
        return this.#classes.length > 0
          ? random.pick([
              `${this.#classes[0]}()`,
              `${this.#classes[0]}(1)->get()`,
              `${this.#classes[0]}::st()`,
            ])
          : this.#literal();
      case 17:
        return `cache ["ttl" => 1] json_encode(${this.#expression()})`;
      case 18:
        return `(${this.#target()} = ${this.#expression()})`;
      case 19:
        return this.#inClass ? '$this->x' : this.#variable();
      default:
        return random.chance(0.6) ? this.#variable() : this.#literal();
    }
  }
}
