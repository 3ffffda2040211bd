// What a rule gets to see, and the walk that all of them share. A rule looks at the entry file and what it includes:
// imported modules are files of their own, linted when somebody asks for them.

import type { Node } from '../ast/nodes.js';
import { forEachChild } from '../ast/walk.js';
import type { Declaration, Environment } from '../declare.js';
import type { MessageCode, MessageParams } from '../diagnostics/messages.js';
import type { Reporter } from '../resolver/reporter.js';
import type { ResolvedModule, ResolvedProgram } from '../resolver/resolved.js';
import type { Place } from '../resolver/scope.js';
import type { Span } from '../source/source-file.js';
import { languageDeclarations } from '../vm/language-declarations.js';

/** One kind of warning. */
export type Rule = (context: LintContext) => void;

/** A node on the way: where it stands and what is around it. */
export interface Visit {
  readonly node: Node;
  readonly place: Place;
  /** From the script down to the node's parent. Only valid during the visit. */
  readonly around: readonly Node[];
}

/** The entry module with every name understood. */
export class LintContext {
  constructor(
    readonly program: ResolvedProgram,
    readonly module: ResolvedModule,
    readonly environment: Environment,
    readonly reporter: Reporter,
  ) {}

  /** Every node of the module, parents first, included files in the place of their include statement. */
  visitAll(visit: (visit: Visit) => void): void {
    const around: Node[] = [];
    const go = (node: Node, place: Place): void => {
      visit({ node, place, around });
      around.push(node);
      const included = node.kind === 'Include' ? this.program.graph.includes.get(node) : undefined;
      if (included === undefined) forEachChild(node, (child) => go(child, place));
      else go(included.script, included);
      around.pop();
    };
    go(this.module.script, { file: this.module.file, includedFrom: [] });
  }

  report<C extends MessageCode>(
    code: C,
    place: Place,
    at: { readonly span: Span },
    params: MessageParams<C>,
    hint?: string,
  ): void {
    this.reporter.report(code, place, at, params, hint);
  }

  /** What the library or the language declares under a name. */
  declarationOf(name: string): Declaration | undefined {
    return this.environment.declarations.get(name) ?? languageDeclarations.get(name);
  }
}
