import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preparedOf } from '../../../../extproc/index/elasticsearch/prepared.ts';
import { documentOf } from '../../../builders/document.ts';

function indexOf(time: string, retentionClass = 'standard'): string {
  return preparedOf(documentOf({ time, skilltape: { retention_class: retentionClass } }), 'tape').index;
}

test('the index is named from the class and the day of the document, in UTC', () => {
  assert.equal(indexOf('2026-11-22T23:59:59.999Z'), 'tape-standard-2026.11.22');
  assert.equal(indexOf('2026-11-23T01:30:00+02:00', 'legal-hold'), 'tape-legal-hold-2026.11.22');
  assert.equal(indexOf('2026-11-22T20:00:00-05:00'), 'tape-standard-2026.11.23');
  assert.equal(indexOf('2026-11-22T00:00:00Z', ''), 'tape-standard-2026.11.22');
});

test('a time that Elasticsearch would not read is no document that could be found again', () => {
  const times = [
    ...['', 'yesterday', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-11-22', '+012026-11-22T00:00:00Z'],
    ...['2026-11-22T24:00:00Z', '2026-11-22T10:00:00', '2026-11-22T10:00:00+99:99', '1764000000000'],
    '0000-01-01T00:30:00+01:00',
  ];
  for (const time of times) assert.throws(() => indexOf(time), /@timestamp is not a time/, time);
});

test('a class or an id that could name something else is refused', () => {
  for (const name of ['*', '../x', 'A', 'a,b', '-x', 'x'.repeat(33), '_all'])
    assert.throws(() => indexOf('2026-11-22T00:00:00Z', name), /retention_class/, name);
  for (const id of ['', 'x'.repeat(513), 'é'.repeat(257), '\ud800'])
    assert.throws(() => preparedOf(documentOf({ id }), 'tape'), /event\.id/);
});

test('two lines go to the server, whatever stands in the texts', () => {
  const { lines, bytes } = preparedOf(documentOf({ id: 'a"\n{}', input: 'a\nb\u2028\r\n' }), 'tape');
  const parts = lines.split('\n');
  assert.deepEqual([parts.length, parts[2], bytes], [3, '', Buffer.byteLength(lines)]);
  assert.deepEqual(JSON.parse(parts[0] ?? ''), { create: { _index: 'tape-standard-2026.01.15', _id: 'a"\n{}' } });
});
