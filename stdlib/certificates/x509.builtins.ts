// The class X509: what a certificate says, and whether it can be trusted.

import type { X509Certificate } from 'node:crypto';
import {
  HslArray,
  type HslObject,
  type HslResource,
  method,
  nativeClass,
  ScriptFault,
  staticMethod,
  type Value,
} from '#lang';
import { certificatesInDer, certificatesInPem, fieldsOf } from './certificate.js';
import {
  certificateBehind,
  certificatesOf,
  certificateValue,
  revocationListsOf,
} from './certificate-values.js';
import { verifyChain } from './chain.js';
import { unlessMalformed } from './der-reader.js';
import { extensionsOptions, extensionsValue, nameValue, pemOption, pemParam } from './extension-values.js';
import { extensionOids, extensionValue } from './extensions.js';
import { readAlternativeNames, readName } from './names.js';
import { toPem } from './pem.js';

const on = method<X509Certificate>();
const source = 'stdlib 14; RFC 5280';
const EXAMPLE = 'import $certificates from "example.crt" with ["resource" => true];';

/** Alternative names by kind, in the order in which the kinds appear. */
function alternativeNamesValue(certificate: X509Certificate): HslArray {
  const value = extensionValue(fieldsOf(certificate).extensions, extensionOids.subjectAltName);
  const byKind = new Map<string, Value[]>();
  for (const name of value === undefined ? [] : readAlternativeNames(value)) {
    const values = byKind.get(name.kind) ?? [];
    byKind.set(name.kind, values);
    if (name.kind === 'DirName') values.push(nameValue(name.value));
    else if (name.kind === 'otherName')
      values.push(HslArray.fromRecord({ oid: name.oid, value: name.value.toString('latin1') }));
    else values.push(name.value);
  }
  return HslArray.fromEntries([...byKind].map(([kind, values]) => [kind, HslArray.fromList(values)]));
}

const bytesOrPem = (label: string, bytes: Buffer, pem: boolean): string =>
  pem ? toPem(label, bytes) : bytes.toString('latin1');

export const x509Class = nativeClass<X509Certificate>({
  name: 'X509',
  group: 'certificates',
  summary: 'A certificate.',
  details:
    'Certificates come from imports with `resource`, from `$connection`, from a TLSSocket, or from X509::String. `sha2($x509->export(), ' +
    '256)` is the fingerprint.',
  example: `${EXAMPLE}\n$x509 = X509($certificates[0]);\necho $x509->subject();  // [0=>[0=>"C",1=>"SE"],1=>[0=>"O",1=>"Example Ltd"],2=>[0=>"CN",1=>"mx.example.com"]]`,
  since: '5.1',
  source,
  constructorOf: staticMethod({
    name: 'X509',
    summary: 'Opens a certificate.',
    params: [{ name: 'resource', type: 'resource', doc: 'An X509Resource.' }],
    returns: 'object|none',
    errors: 'An exception for another resource; none for a certificate that cannot be read.',
    run: (resource: HslResource) => {
      const certificate = certificateBehind(resource);
      if (certificate === undefined)
        throw new ScriptFault(
          `X509: argument 1 (resource) must be a certificate (X509Resource), found ${resource.type}`,
        );
      return unlessMalformed(() => fieldsOf(certificate)) === undefined ? null : certificate;
    },
  }),
  methods: [
    on({
      name: 'subject',
      summary: 'Gives the distinguished name of its owner: a list of pairs, name and value.',
      details: 'Names are short as OpenSSL writes them (CN, O, emailAddress); values are UTF-8.',
      params: [],
      returns: 'array',
      example: `${EXAMPLE}\necho X509($certificates[0])->subject()[2];  // [0=>"CN",1=>"mx.example.com"]`,
      run: (self) => nameValue(readName(fieldsOf(self).subject)),
    }),
    on({
      name: 'issuer',
      summary: 'Gives the distinguished name of the authority: a list of pairs, name and value.',
      params: [],
      returns: 'array',
      example: `${EXAMPLE}\necho X509($certificates[0])->issuer()[2];  // [0=>"CN",1=>"mx.example.com"]`,
      run: (self) => nameValue(readName(fieldsOf(self).issuer)),
    }),
    on({
      name: 'subject_alt_name',
      summary: 'Gives the alternative names by kind: DNS, email, IP, URI, DirName, RID, otherName.',
      details:
        'Under each kind is a list of texts; of DirName a list of names as subject() gives them, of otherName arrays `oid`, `value`.',
      params: [],
      returns: 'array|none',
      errors: 'An empty array when there are none; none when they cannot be read.',
      example: `${EXAMPLE}\necho X509($certificates[0])->subject_alt_name();  // ["DNS"=>[0=>"mx.example.com",1=>"localhost"],"IP"=>[0=>"127.0.0.1"]]`,
      run: (self) => unlessMalformed(() => alternativeNamesValue(self)) ?? null,
    }),
    on({
      name: 'version',
      summary: 'Gives the version, 1 to 3.',
      params: [],
      returns: 'number',
      example: `${EXAMPLE}\necho X509($certificates[0])->version();  // 3`,
      run: (self) => fieldsOf(self).version,
    }),
    on({
      name: 'serial_number',
      summary: 'Gives the serial number in hex, upper case.',
      params: [],
      returns: 'string',
      example: `${EXAMPLE}\necho X509($certificates[0])->serial_number();  // 6519419C51D61E16C6820CEE7B351FDB65E37F2F`,
      run: (self) => fieldsOf(self).serialNumber,
    }),
    on({
      name: 'not_valid_before',
      summary: 'Gives the Unix time at which it becomes valid.',
      params: [],
      returns: 'number',
      example: `${EXAMPLE}\necho X509($certificates[0])->not_valid_before();  // 1767225600`,
      run: (self) => fieldsOf(self).notBefore,
    }),
    on({
      name: 'not_valid_after',
      summary: 'Gives the Unix time of its last second.',
      params: [],
      returns: 'number',
      example: `${EXAMPLE}\necho X509($certificates[0])->not_valid_after();  // 4102444799`,
      run: (self) => fieldsOf(self).notAfter,
    }),
    on({
      name: 'public_key',
      summary: 'Gives the public key (SubjectPublicKeyInfo).',
      params: [pemParam],
      returns: 'string',
      example: `${EXAMPLE}\necho length(X509($certificates[0])->public_key());  // 294`,
      run: (self, pem) => bytesOrPem('PUBLIC KEY', fieldsOf(self).publicKey, pem),
    }),
    on({
      name: 'export',
      summary: 'Gives the certificate as bytes.',
      params: [pemParam],
      returns: 'string',
      example: `${EXAMPLE}\necho sha2(X509($certificates[0])->export(), 256);  // 10a9b396fa49f18d0a49ea4cfd5d0e0c92b481113f2133aeaecdda76f8d1cbe3`,
      run: (self, pem) => bytesOrPem('CERTIFICATE', self.raw, pem),
    }),
    on({
      name: 'verify',
      summary: 'Says whether the certificate leads to one that is trusted.',
      details: [
        'Checked are signatures, dates, that authorities are ones (and how many may follow each other), uses of the keys, and, when',
        'there are any, revocation lists: the issuer of the certificate must then have one. A certificate of `calist` is trusted as it',
        'is, root or not. Names are not checked. Name constraints and policies are not evaluated: where a certificate insists on them,',
        'the chain is refused.',
      ].join('\n'),
      params: [
        {
          name: 'calist',
          type: 'array|string',
          doc: 'Trusted authorities: resources, X509 objects or PEM texts; or `pki:ID`.',
        },
        { name: 'intermediates', type: 'array', optional: true, doc: 'Certificates that may stand between.' },
        { name: 'revokelist', type: 'array', optional: true, doc: 'X509CRL objects or resources.' },
      ],
      returns: 'array',
      errors: 'The array has `result` (boolean) and `error`: none, or the reason in the words of OpenSSL.',
      example: [
        EXAMPLE,
        '$x509 = X509($certificates[0]);',
        'echo $x509->verify($certificates);  // ["result"=>true,"error"=>none]',
        'echo $x509->verify([]);  // ["result"=>false,"error"=>"self-signed certificate"]',
      ].join('\n'),
      suspends: true,
      run: async (self, calist, intermediates, revokelist, ctx) => {
        const where = (argument: string) => `X509->verify: argument ${argument}`;
        const result = await verifyChain(self, {
          anchors: certificatesOf(calist, where('1 (calist)'), ctx),
          intermediates: certificatesOf(intermediates ?? null, where('2 (intermediates)'), ctx),
          revocationLists:
            revokelist === undefined ? [] : revocationListsOf(revokelist, where('3 (revokelist)')),
          now: ctx.host.clock.now(),
        });
        return HslArray.fromRecord({
          result: result.kind === 'trusted',
          error: result.kind === 'trusted' ? null : result.problem,
        });
      },
    }),
    on({
      name: 'extensions',
      summary: 'Gives the extensions: a list of arrays with name, oid, value (DER) and critical.',
      params: [extensionsOptions],
      returns: 'array',
      example: `${EXAMPLE}\necho X509($certificates[0])->extensions(["oid" => "2.5.29.19"])[0]["name"];  // basicConstraints`,
      run: (self, { oid }) => extensionsValue(fieldsOf(self).extensions, oid),
    }),
    on({
      name: 'toResource',
      summary: 'Gives the resource, for functions that want one.',
      params: [],
      returns: 'resource',
      example: `${EXAMPLE}\necho X509(X509($certificates[0])->toResource())->version();  // 3`,
      run: (self) => certificateValue(self),
    }),
  ],
  statics: [
    staticMethod({
      name: 'String',
      summary: 'Reads a certificate, or several.',
      params: [
        { name: 'data', type: 'string' },
        {
          name: 'options',
          type: 'options',
          optional: true,
          keys: {
            pem: pemOption,
            multiple: { type: 'boolean', default: false, doc: 'All there are, as a list.' },
          },
        },
      ],
      returns: 'object|array|none',
      errors: 'None when there is none, one cannot be read, or there are several without `multiple` in DER.',
      example: [
        'import $pem from "example.crt";',
        'echo X509::String($pem[0], ["pem" => true])->version();  // 3',
        'echo X509::String("no certificate") === none;  // true',
      ].join('\n'),
      run: (data, { pem, multiple }, ctx): HslObject | HslArray | null => {
        ctx.charge(data.length);
        const bytes = pem ? undefined : Buffer.from(data, 'latin1');
        const found = bytes === undefined ? certificatesInPem(data) : certificatesInDer(bytes);
        if (found === undefined || found.length === 0) return null;
        const open = (certificate: X509Certificate) => ctx.instantiate(x509Class, certificate);
        if (multiple) return HslArray.fromList(found.map(open));
        return found.length > 1 && !pem ? null : open(found[0]!);
      },
    }),
  ],
});
