// Public suffixes: the part of a domain below which anybody can register (publicsuffix.org). Both halves of the list
// count, registries (`co.uk`) and hosters (`github.io`): two customers of a hoster are as much strangers to each other as
// two customers of a registry, and what asks is mostly alignment in DMARC.

import { domainToASCII } from 'node:url';
import { loadTldts } from '../lazy-packages.js';

/** A list of public suffixes. */
export interface SuffixList {
  /** How many labels of the domain, from its end, are its public suffix; 0 when its top level is not in the list. */
  countLabels(labels: readonly string[]): number;
}

/** RFC 1035 §2.3.4, with room for names that are not yet in their ASCII form. */
const LONGEST_DOMAIN = 1024;

/**
 * The public suffix of a domain: its last labels in lower case, in the form they have there (Unicode or `xn--`).
 * Undefined when the top level is unknown or a label is empty; a root's dot at the end is left out.
 */
export function publicSuffix(domain: string, list: SuffixList): string | undefined {
  if (domain.length > LONGEST_DOMAIN) return undefined;
  const labels = domain.toLowerCase().split('.');
  if (labels.length > 1 && labels.at(-1) === '') labels.pop();
  if (labels.includes('')) return undefined;
  const count = list.countLabels(labels);
  return count === 0 ? undefined : labels.slice(-count).join('.');
}

/** The list that came with us; loaded at its first use. */
export const builtInSuffixes: SuffixList = {
  countLabels(labels) {
    const known = (domain: string): string | null => {
      const { publicSuffix: suffix, isIcann, isPrivate } = loadTldts().parse(domain, options);
      return isIcann === true || isPrivate === true ? suffix : null;
    };
    const suffix = known(labels.join('.'));
    if (suffix !== null) return suffix.split('.').length;
    // A top level that has only a wildcard rule (`*.ck`) is found by what lies below it.
    return labels.length === 1 && known(`x.${labels[0]}`) !== null ? 1 : 0;
  },
};

const options = {
  allowPrivateDomains: true,
  extractHostname: false,
  validateHostname: false,
  detectIp: false,
  detectSpecialUse: false,
} as const;

interface RuleNode {
  readonly below: Map<string, RuleNode>;
  rule: 'suffix' | 'exception' | undefined;
}

/** More than this is no list of suffixes: the real one has 0.3 MB. */
const LONGEST_LIST = 16 * 1024 * 1024;

/**
 * Reads a list in the format of publicsuffix.org: a rule a line, up to its first blank; `//` begins a comment, `*` is any
 * label, `!` an exception. @returns the list, or a sentence that says what is wrong
 */
export function readSuffixList(text: string): SuffixList | { readonly problem: string } {
  if (text.length > LONGEST_LIST)
    return {
      problem: `it has ${text.length} characters; a list of public suffixes has at most ${LONGEST_LIST}`,
    };
  const root: RuleNode = { below: new Map(), rule: undefined };
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    const rule = /^\s*(\S*)/.exec(line)![1]!;
    if (rule === '' || rule.startsWith('//')) continue;
    const isException = rule.startsWith('!');
    const labels = rule.replace(/^[!.]/, '').split('.').map(asciiLabel);
    if (labels.includes(''))
      return {
        problem: `line ${index + 1} is no rule: "${rule.slice(0, 80)}"; expected labels with dots between them`,
      };
    let node = root;
    for (const label of labels.reverse()) {
      let next = node.below.get(label);
      if (next === undefined) {
        next = { below: new Map(), rule: undefined };
        node.below.set(label, next);
      }
      node = next;
    }
    node.rule = isException ? 'exception' : 'suffix';
  }
  if (root.below.size === 0) return { problem: 'there is no rule in it' };
  return { countLabels: (labels) => countByRules(root, labels) };
}

/** The algorithm of publicsuffix.org, but without its `*` for top levels that are not in the list. */
function countByRules(root: RuleNode, labels: readonly string[]): number {
  let longest = 0;
  let exception = 0;
  const visit = (node: RuleNode, depth: number): void => {
    if (node.rule === 'exception') exception = depth;
    else if (node.rule === 'suffix') longest = Math.max(longest, depth);
    if (depth === labels.length) return;
    const label = asciiLabel(labels[labels.length - 1 - depth]!);
    for (const next of [node.below.get(label), node.below.get('*')])
      if (next !== undefined) visit(next, depth + 1);
  };
  visit(root, 0);
  if (exception > 0) return exception - 1;
  if (longest > 0) return longest;
  // A top level that only has rules below it (`*.ck`) is one nevertheless.
  return root.below.has(asciiLabel(labels.at(-1)!)) ? 1 : 0;
}

/** A label in its ASCII form and lower case; what has none stays, and is then in no list. */
function asciiLabel(label: string): string {
  if (/^[\x00-\x7f]*$/.test(label)) return label.toLowerCase();
  return domainToASCII(label) || label;
}
