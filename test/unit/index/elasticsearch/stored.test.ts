import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restored } from '../../../../extproc/index/elasticsearch/stored.ts';
import { documentOf } from '../../../builders/document.ts';

test('a document that was stored before encodings were told is shown with nothing in their place', () => {
  const whole = documentOf();
  const { body: _body, decoded_detail: _detail, ...skilltape } = whole.skilltape;
  const stored = { ...whole, related: { user: [] }, skilltape: { ...skilltape, billed: {} } };
  assert.deepEqual(restored(JSON.parse(JSON.stringify(stored))), whole);
});

test('a whole document comes back letter for letter', () => {
  const stored = JSON.stringify(documentOf());
  assert.equal(JSON.stringify(restored(JSON.parse(stored))), stored);
});

test('a document that was stored before places were told is shown with nothing in their place', () => {
  const whole = documentOf();
  const masking = { status: 'masked', findings: [{ type: 'EMAIL', count: 2 }] };
  const stored = JSON.parse(JSON.stringify({ ...whole, skilltape: { ...whole.skilltape, masking } }));
  assert.deepEqual(restored(stored).skilltape.masking, {
    status: 'masked',
    findings: [{ type: 'EMAIL', place: '', count: 2 }],
    ...{ reason: '', readable: [], whole: [], dropped: [] },
  });
});

test('a document that somebody else put there is no record', () => {
  assert.throws(() => restored({ message: 'x' }), /did not write/);
});
