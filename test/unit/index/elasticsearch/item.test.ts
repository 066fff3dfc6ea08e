import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchesOf } from '../../../../extproc/index/elasticsearch/batches.ts';
import { itemOutcome } from '../../../../extproc/index/elasticsearch/item.ts';

const item = (status: number, type: string, reason = '') => ({ status, error: { type, reason } });

test('only what is the fault of the document itself is given up', () => {
  const expected: readonly (readonly [unknown, string])[] = [
    [{ status: 201 }, 'accepted'],
    [item(409, 'version_conflict_engine_exception'), 'duplicate'],
    [item(400, 'document_parsing_exception'), 'refused'],
    [item(400, 'illegal_argument_exception'), 'refused'],
    [item(400, 'validation_exception'), 'retry'],
    [item(400, 'index_closed_exception'), 'retry'],
    [item(401, 'security_exception'), 'retry'],
    [item(403, 'security_exception'), 'retry'],
    [item(403, 'cluster_block_exception'), 'retry'],
    [item(404, 'index_not_found_exception'), 'retry'],
    [item(429, 'es_rejected_execution_exception'), 'retry'],
    [item(429, 'cluster_block_exception'), 'retry'],
    [item(500, 'null_pointer_exception'), 'retry'],
    [item(503, 'unavailable_shards_exception'), 'retry'],
    [{}, 'retry'],
    [undefined, 'retry'],
    [{ status: '201' }, 'retry'],
  ];
  for (const [answered, kind] of expected) assert.equal(itemOutcome(answered).kind, kind, JSON.stringify(answered));
});

test('a reason names the kind of fault and our field, and nothing of what Elasticsearch quotes', () => {
  const quoting =
    "failed to parse field [user.id] of type [keyword] in document with id 'a'. Preview of field's value: 'sk-ant-1'";
  assert.deepEqual(itemOutcome(item(400, 'document_parsing_exception', quoting)), {
    kind: 'refused',
    reason: 'Elasticsearch: document_parsing_exception in user.id',
  });
  const forged = 'object mapping for field [my secret plan] and field [sk_ant_1]';
  for (const fault of [
    item(400, 'document_parsing_exception', forged),
    item(400, 'sk-ant-1 is', forged),
    item(500, 'Sk', forged),
  ])
    assert.doesNotMatch(JSON.stringify(itemOutcome(fault)), /sk|secret/i);
});

test('documents keep their order in batches of bounded bytes and number, and a large one stands alone', () => {
  const sizes = [3, 3, 3, 11, 1, 1, 1, 1];
  const batches = batchesOf(
    sizes.map((bytes) => ({ bytes })),
    10,
    3,
  );
  assert.deepEqual(
    batches.map((batch) => batch.map(({ bytes }) => bytes)),
    [[3, 3, 3], [11], [1, 1, 1], [1]],
  );
  assert.deepEqual(batchesOf([]), []);
});
