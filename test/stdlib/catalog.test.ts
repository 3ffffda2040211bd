// The rules every declaration keeps: what the manual, the linter and the editor need is there.

import { describe, expect, test } from 'vitest';
import type { Builtin, Declaration, Method, Parameter } from '#lang';
import { catalog } from '../../stdlib/catalog.js';
import { parseExample } from '../support/example-world/example.js';

const builtins = catalog.filter((declaration): declaration is Builtin => declaration.kind === 'builtin');

test('names are unique', () => {
  const names = catalog.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

/** Everything with a summary, and its parameters. */
function described(
  declaration: Declaration,
): { name: string; summary: string; example?: string; params: readonly Parameter[] }[] {
  if (declaration.kind === 'builtin') return [declaration];
  const methods: Method[] = [...Object.values(declaration.methods), ...Object.values(declaration.statics)];
  return [
    { ...declaration, params: declaration.constructorOf?.params ?? [] },
    ...methods.map((method) => ({ ...method, name: `${declaration.name}->${method.name}` })),
  ];
}

describe.each(catalog.flatMap(described).map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  test('has a summary of one sentence', () => {
    expect(entry.summary).toMatch(/^[A-Z].*\.$/);
    expect(entry.summary).not.toMatch(/\. [A-Z]/);
  });
  test('documents its options', () => {
    for (const param of entry.params) {
      if (param.type === 'options') expect(param.optional).toBe(true);
      for (const key of Object.values(param.keys ?? {})) expect(key.doc).toMatch(/\.$/);
    }
  });
  test('has parameters that may be left out behind those that may not', () => {
    const required = entry.params.map(
      (param) => !param.optional && param.default === undefined && !param.rest,
    );
    expect(required.lastIndexOf(true)).toBe(required.filter(Boolean).length - 1);
  });
  test('documents parameters in sentences', () => {
    for (const param of entry.params) if (param.doc !== undefined) expect(param.doc).toMatch(/\.$/);
  });
});

test('every builtin says where its rules are, and shows an example unless it is an older name', () => {
  for (const builtin of builtins) {
    expect(builtin.source, builtin.name).toBeDefined();
    if (builtin.deprecated === undefined && builtin.returns !== 'none') {
      expect(builtin.example, builtin.name).toBeDefined();
    }
  }
});

test('examples say what comes out', () => {
  for (const { name, example } of catalog.flatMap(described))
    if (example !== undefined) expect(() => parseExample(example), name).not.toThrow();
});

test('older names lead to names that exist', () => {
  const names = new Set(builtins.map(({ name }) => name));
  for (const { deprecated } of builtins) if (deprecated !== undefined) expect(names).toContain(deprecated);
});

test('what is pure neither waits nor calls functions', () => {
  for (const builtin of builtins) {
    if (builtin.pure)
      expect([builtin.suspends, builtin.callbacks, builtin.ends]).toEqual([undefined, undefined, undefined]);
  }
});

test('the names of the reference are there', () => {
  const names = catalog.map(({ name }) => name);
  const wanted =
    `array_combine array_every array_filter array_find array_includes array_join array_keys array_map array_random
    array_range array_reduce array_reverse array_shuffle array_sort array_unique length boolean number string is_array is_boolean
    is_function is_number is_object is_string chr ord str_repeat str_replace str_split str_find str_rfind str_lower str_upper
    str_slice str_strip str_lstrip str_rstrip str_chunk pcre_match pcre_match_all pcre_quote pcre_compile pcre_replace abs ceil
    floor sqrt log pow round random_number random_bytes hash md5 sha1 sha2 hmac_md5 hmac_sha1 hmac_sha2 base64_encode
    base64_decode base64url_encode base64url_decode base32_encode base32_decode url_encode url_decode mimeword_encode
    mimeword_decode xtext_encode xtext_decode idna_encode idna_decode json_encode json_decode yaml_decode csv_encode csv_decode
    pack unpack zlib_compress zlib_uncompress time timelocal uptime executiontime sleep strftime strptime strpduration gethostname
    uuid uuidv5 syslog rate memory_add memory_store memory_fetch memory_exists memory_delete memory_inc memory_dec memory_update
    Map Set count strlen strpos strrpos substr strtolower strtoupper trim rand explode implode in_array range`.split(
      /\s+/,
    );
  expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
});
