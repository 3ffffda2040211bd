// Which names an authority may vouch for (RFC 5280 §4.2.1.10): DNS names, mailboxes, addresses and distinguished names. A name
// of another form that is constrained refuses the chain, as we could not say whether it may be there.

import type { CertificateFields } from './certificate.js';
import { context, type DerElement, MalformedDer, readOid, tags } from './der-reader.js';
import { extensionOids, extensionValue } from './extensions.js';
import { comparableName } from './names.js';

/** What a name is held against; values are raw. */
interface NamedBase {
  /** The identifier octet of the GeneralName. */
  readonly form: number;
  readonly element: DerElement;
}

interface NameConstraints {
  readonly permitted: readonly NamedBase[];
  readonly excluded: readonly NamedBase[];
}

const EMAIL = context(1, true);
const DNS = context(2, true);
const DIRECTORY = context(4);
const IP = context(7, true);
const MOST_BASES = 1000;

/** The constraints of a certificate; undefined when it has none. @throws MalformedDer */
function constraintsOf({ extensions }: CertificateFields): NameConstraints | undefined {
  const value = extensionValue(extensions, extensionOids.nameConstraints);
  if (value === undefined) return undefined;
  const fields = value.expect(tags.sequence).fields();
  const permitted = readBases(fields.optional(context(0)));
  const excluded = readBases(fields.optional(context(1)));
  fields.end();
  return { permitted, excluded };
}

function readBases(list: DerElement | undefined): NamedBase[] {
  if (list === undefined) return [];
  return Array.from(list.children(), (subtree, index) => {
    if (index >= MOST_BASES) throw new MalformedDer('too many constraints');
    const fields = subtree.expect(tags.sequence).fields();
    const element = fields.next();
    // A minimum and a maximum have no meaning (§4.2.1.10).
    fields.end();
    return { form: element.tag, element };
  });
}

/**
 * What is wrong with the names below an authority, if it constrains them. `below` are the certificates under it, the
 * first of them last in line. @throws MalformedDer
 */
export function constraintProblem(
  authority: CertificateFields,
  below: readonly CertificateFields[],
): string | undefined {
  const constraints = constraintsOf(authority);
  if (constraints === undefined) return undefined;
  for (const [index, fields] of below.entries()) {
    // An authority that renews its own key is not below itself.
    if (index > 0 && fields.subjectName === fields.issuerName) continue;
    for (const name of namesOf(fields, index === 0)) {
      const problem = nameProblem(name, constraints);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function nameProblem(name: Name, { permitted, excluded }: NameConstraints): string | undefined {
  const sameForm = ({ form }: NamedBase) => form === name.form;
  const allowed = permitted.filter(sameForm);
  const denied = excluded.filter(sameForm);
  if (allowed.length + denied.length === 0) return undefined;
  if (name.isWithin === undefined) return 'unsupported name constraint type';
  if (denied.some(({ element }) => name.isWithin?.(element))) return 'excluded subtree violation';
  const isAllowed = allowed.length === 0 || allowed.some(({ element }) => name.isWithin?.(element));
  return isAllowed ? undefined : 'permitted subtree violation';
}

interface Name {
  readonly form: number;
  /** Absent: a form that we cannot compare. */
  readonly isWithin?: (base: DerElement) => boolean;
}

/** All that a certificate calls itself. */
function namesOf({ subject, extensions }: CertificateFields, isLast: boolean): Name[] {
  const names: Name[] = [];
  if (subject.content.length > 0)
    names.push({ form: DIRECTORY, isWithin: (base) => isBelowName(subject, base.inner()) });
  const alternative = extensionValue(extensions, extensionOids.subjectAltName);
  const listed = alternative === undefined ? [] : [...alternative.expect(tags.sequence).children()];
  for (const element of listed) names.push(nameOf(element));
  const has = (form: number) => listed.some(({ tag }) => tag === form);
  for (const [oid, text] of attributesOf(subject)) {
    if (oid === EMAIL_ADDRESS)
      names.push({ form: EMAIL, isWithin: (base) => isMailboxWithin(text, textOf(base)) });
    // Where there is no DNS name the common name is taken for one (RFC 6125 §6.4.4).
    if (isLast && oid === COMMON_NAME && !has(DNS) && HOST_LIKE.test(text))
      names.push({ form: DNS, isWithin: (base) => isHostWithin(text, textOf(base)) });
  }
  return names;
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const COMMON_NAME = '2.5.4.3';
const HOST_LIKE = /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

function nameOf(element: DerElement): Name {
  switch (element.tag) {
    case DNS:
      return { form: DNS, isWithin: (base) => isHostWithin(textOf(element), textOf(base)) };
    case EMAIL:
      return { form: EMAIL, isWithin: (base) => isMailboxWithin(textOf(element), textOf(base)) };
    case IP:
      return { form: IP, isWithin: (base) => isAddressWithin(element.content, base.content) };
    case DIRECTORY:
      return { form: DIRECTORY, isWithin: (base) => isBelowName(element.inner(), base.inner()) };
    default:
      return { form: element.tag };
  }
}

const textOf = ({ content }: DerElement): string => content.toString('latin1');

function* attributesOf(name: DerElement): Generator<readonly [oid: string, text: string], undefined> {
  for (const set of name.expect(tags.sequence).children())
    for (const pair of set.expect(tags.set).children()) {
      const fields = pair.expect(tags.sequence).fields();
      yield [readOid(fields.next()), textOf(fields.next())];
    }
  return undefined;
}

/** `a.test` holds itself and all below it, `.a.test` only what is below, the empty name everything. */
function isHostWithin(host: string, base: string): boolean {
  const [name, zone] = [host.toLowerCase(), base.toLowerCase()];
  if (zone === '' || (!zone.startsWith('.') && name === zone)) return true;
  return name.endsWith(zone.startsWith('.') ? zone : `.${zone}`);
}

/** A base is a mailbox, a host with all its mailboxes, or `.a.test` for all hosts below. */
function isMailboxWithin(mailbox: string, base: string): boolean {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  const baseAt = base.lastIndexOf('@');
  if (baseAt >= 0)
    return mailbox.slice(0, at) === base.slice(0, baseAt) && host === base.slice(baseAt + 1).toLowerCase();
  const zone = base.toLowerCase();
  return zone.startsWith('.') ? host.endsWith(zone) : zone === '' || host === zone;
}

/** A base is an address and a mask of the same length. */
function isAddressWithin(address: Buffer, base: Buffer): boolean {
  if (base.length !== address.length * 2) return false;
  return address.every((byte, at) => ((byte ^ base[at]!) & base[address.length + at]!) === 0);
}

/** Whether a distinguished name begins with another, part by part. */
function isBelowName(name: DerElement, base: DerElement): boolean {
  const parts = JSON.parse(comparableName(name)) as readonly unknown[];
  const wanted = JSON.parse(comparableName(base)) as readonly unknown[];
  return wanted.every((part, at) => JSON.stringify(part) === JSON.stringify(parts[at]));
}
