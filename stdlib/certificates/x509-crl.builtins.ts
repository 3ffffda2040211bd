// The class X509CRL: a list of revoked certificates.

import { HslArray, type HslObject, HslResource, method, nativeClass, ScriptFault, staticMethod } from '#lang';
import { reserveElements } from '../limits.js';
import { revocationListBehind, X509CRL_RESOURCE } from './certificate-values.js';
import { extensionsOptions, extensionsValue, nameValue, pemOption, pemParam } from './extension-values.js';
import { readName } from './names.js';
import { pemBlocks, pemBytes, toPem } from './pem.js';
import { parseRevocationList, type RevocationList } from './revocation-list.js';

const on = method<RevocationList>();
const source = 'stdlib 14; RFC 5280 §5';
const LABEL = 'X509 CRL';
const EXAMPLE = 'import $pem from "example.crl.txt";\n$crl = X509CRL::String($pem, ["pem" => true]);';

/** The first list of a PEM text. */
function listInPem(text: string): RevocationList | undefined {
  for (const block of pemBlocks(text)) {
    if (block.label !== LABEL) continue;
    const bytes = pemBytes(block);
    return bytes === undefined ? undefined : parseRevocationList(bytes);
  }
  return undefined;
}

export const x509CrlClass = nativeClass<RevocationList>({
  name: 'X509CRL',
  group: 'certificates',
  summary: 'A list of certificates that their authority has revoked.',
  example: 'X509CRL::String("no list")  // null',
  source,
  constructorOf: staticMethod({
    name: 'X509CRL',
    summary: 'Opens a list.',
    params: [{ name: 'resource', type: 'resource', doc: 'An X509CRLResource.' }],
    returns: 'object',
    errors: 'An exception for another resource.',
    run: (resource: HslResource) => {
      const list = revocationListBehind(resource);
      if (list === undefined)
        throw new ScriptFault(
          `X509CRL: argument 1 (resource) must be a revocation list (${X509CRL_RESOURCE}), found ${resource.type}`,
        );
      return list;
    },
  }),
  methods: [
    on({
      name: 'issuer',
      summary: 'Gives the distinguished name of the authority: a list of pairs, name and value.',
      params: [],
      returns: 'array',
      example: `${EXAMPLE}\necho $crl->issuer()[2];  // [0=>"CN",1=>"mx.example.com"]`,
      run: (self) => nameValue(readName(self.issuer)),
    }),
    on({
      name: 'revoked',
      summary: 'Gives the revoked certificates: a list of arrays with serial_number and reason.',
      details:
        'The serial number is written as X509->serial_number gives it, the reason as in RFC 5280 §5.3.1 (`keyCompromise`); none when the ' +
        'authority gives none.',
      params: [],
      returns: 'array',
      example: `${EXAMPLE}\necho $crl->revoked();  // [0=>["serial_number"=>"0A02","reason"=>"keyCompromise"]]`,
      run: (self, ctx) => {
        const entries: HslArray[] = [];
        for (const { serialNumber, reason } of self.revoked()) {
          if (entries.length % 1024 === 0) reserveElements(ctx, 'X509CRL->revoked', 1024 * 8);
          entries.push(HslArray.fromRecord({ serial_number: serialNumber, reason: reason ?? null }));
        }
        return HslArray.fromList(entries);
      },
    }),
    on({
      name: 'version',
      summary: 'Gives the version, 1 or 2.',
      params: [],
      returns: 'number',
      example: `${EXAMPLE}\necho $crl->version();  // 2`,
      run: (self) => self.version,
    }),
    on({
      name: 'last_update',
      summary: 'Gives the Unix time at which the list was made.',
      params: [],
      returns: 'number',
      example: `${EXAMPLE}\necho $crl->last_update();  // 1767225600`,
      run: (self) => self.lastUpdate,
    }),
    on({
      name: 'next_update',
      summary: 'Gives the Unix time by which there will be a newer list.',
      params: [],
      returns: 'number|none',
      errors: 'None when the list does not say.',
      example: `${EXAMPLE}\necho $crl->next_update() > $crl->last_update();  // true`,
      run: (self) => self.nextUpdate ?? null,
    }),
    on({
      name: 'export',
      summary: 'Gives the list as bytes.',
      params: [pemParam],
      returns: 'string',
      example: `${EXAMPLE}\necho $crl->export(true) === $pem;  // true`,
      run: (self, pem) => (pem ? toPem(LABEL, self.raw) : self.raw.toString('latin1')),
    }),
    on({
      name: 'extensions',
      summary: 'Gives the extensions: a list of arrays with name, oid, value (DER) and critical.',
      params: [extensionsOptions],
      returns: 'array',
      example: `${EXAMPLE}\necho $crl->extensions()[0]["name"];  // crlNumber`,
      run: (self, { oid }) => extensionsValue(self.extensions, oid),
    }),
    on({
      name: 'toResource',
      summary: 'Gives the resource, for functions that want one.',
      params: [],
      returns: 'resource',
      example: `${EXAMPLE}\necho X509CRL($crl->toResource())->version();  // 2`,
      run: (self) => new HslResource(X509CRL_RESOURCE, self),
    }),
  ],
  statics: [
    staticMethod({
      name: 'String',
      summary: 'Reads a list.',
      params: [
        { name: 'data', type: 'string' },
        { name: 'options', type: 'options', optional: true, keys: { pem: pemOption } },
      ],
      returns: 'object|none',
      errors: 'None when it is no list that can be read, or has more than 32 MiB.',
      example: `${EXAMPLE}\necho $crl->version();  // 2`,
      run: (data, { pem }, ctx): HslObject | null => {
        ctx.charge(data.length);
        const list = pem ? listInPem(data) : parseRevocationList(Buffer.from(data, 'latin1'));
        return list === undefined ? null : ctx.instantiate(x509CrlClass, list);
      },
    }),
  ],
});
