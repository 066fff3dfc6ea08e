import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codingsMax, readCodings } from '../../../extproc/encoding/codings.ts';

const read = (header: string, besideIdentity: 'refused' | 'passed_over' = 'refused') => {
  const result = readCodings(header, besideIdentity);
  return result.ok ? result.codings : result.fault;
};

test('codings are read in the order in which they were applied, whatever their case and the blanks around them', () => {
  assert.deepEqual(read(' GZip\t'), ['gzip']);
  assert.deepEqual(read('x-gzip'), ['gzip']);
  assert.deepEqual(read('deflate,\tbr ,ZSTD'), ['deflate', 'br', 'zstd']);
});

test('no header, an empty one and identity mean that there is no coding; empty elements mean nothing', () => {
  for (const header of ['', ' ', ',', ' , ,', 'identity', 'Identity', 'identity, identity']) {
    assert.deepEqual(read(header), [], header);
  }
  assert.deepEqual(read(', gzip,, ,br,'), ['gzip', 'br']);
});

test('identity beside a coding is read in two ways by readers: refused in a request, passed over in an answer', () => {
  for (const header of ['identity, gzip', 'gzip, identity', 'gzip,identity,br']) assert.equal(read(header), header);
  assert.deepEqual(read('identity, gzip', 'passed_over'), ['gzip']);
});

test('what is no coding is named, short and printable', () => {
  const unknown = [
    'compress',
    'gzip;q=1',
    '"gzip"',
    'gzip br',
    '__proto__',
    'constructor',
    '*',
    'g\u0000zip',
    'aws-chunked',
  ];
  for (const header of unknown) assert.equal(read(header), header.replace('\u0000', '?'));
  assert.equal(read('gzip, compress'), 'compress');
  assert.equal(read('gzip\u00a0'), 'gzip?');
  assert.equal(read('br\u000b'), 'br?');
  assert.equal(read('X'.repeat(100)), 'x'.repeat(40));
});

test('one coding more than the limit is refused', () => {
  assert.deepEqual(read(Array(codingsMax).fill('gzip').join()), Array(codingsMax).fill('gzip'));
  assert.equal(
    typeof read(
      Array(codingsMax + 1)
        .fill('gzip')
        .join(),
    ),
    'string',
  );
});

test('a header of any text is read in linear time and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (header) => void read(header)),
    { numRuns: 500 },
  );
  read(`gzip${' '.repeat(500_000)}x`);
  read(`${' ,'.repeat(500_000)}gzip`);
});
