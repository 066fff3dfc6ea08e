import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteRetention } from '../../../extproc/index/sqlite/retention.ts';
import { noDetectors } from '../../../extproc/masking/detector-list.ts';
import { detectionOf } from '../../../extproc/masking/own-detection.ts';
import { type RemaskParts, remask } from '../../../extproc/remask/remask.ts';
import { pseudonymOf } from '../../../extproc/transcript/shown-person.ts';
import { storedDecision } from '../../../extproc/transcript/stored-decision.ts';
import { documentOf } from '../../builders/document.ts';
import { ada, keyedHash } from '../transcript/example.ts';
import { Recorded } from './recorded.ts';

/** Exchanges whose content is gone: neither raw bytes nor texts in the index. */

const everything = { query: { noise: true } };
const none = { selected: 0, remasked: 0, unchanged: 0, metadata: 0, failed: 0, gone: 0, absent: 0 };
const project = detectionOf({ ...noDetectors, names: [{ id: 'p', type: 'PROJECT', entries: ['Zwiebelkuchen'] }] });

const body = (prompt: string) => ({ ...request(prompt, 'claude-Zwiebelkuchen-1'), max_tokens: 8 });
const request = (content: string, model: string) => ({ model, messages: [{ role: 'user', content }] });

async function expire(recorded: Recorded): Promise<void> {
  const index = SqliteRetention.open(recorded.directory);
  for (const day of await index.days()) await index.reduce(day, []);
  await index.close();
}

/** Without raw bytes. */
function leftOf(recorded: Recorded, t: TestContext, overrides: Partial<RemaskParts> = {}) {
  return recorded.remasking(t, { recorded: { async *read() {} }, ...overrides });
}

async function expired(t: TestContext): Promise<{ recorded: Recorded; id: string }> {
  const recorded = await Recorded.open(t);
  const id = await recorded.write('', { body: JSON.stringify(body('mail ada@example.org')) });
  await recorded.ship();
  await expire(recorded);
  return { recorded, id };
}

test('what a rule masks that came when the content was gone is masked in the metadata, and stays so without the rule', async (t) => {
  const { recorded, id } = await expired(t);
  const before = (await recorded.indexed()).get(id);
  assert.match(JSON.stringify(before), /Zwiebelkuchen/);
  assert.deepEqual((await remask(everything, leftOf(recorded, t))).counts, {
    ...{ ...none, selected: 1, unchanged: 1, metadata: 1 },
  });
  const parts = leftOf(recorded, t, { detection: () => project });
  const { counts } = await remask(everything, parts);
  assert.deepEqual(counts, { ...none, selected: 1, remasked: 1, metadata: 1 });
  const now = (await recorded.indexed()).get(id);
  assert.doesNotMatch(JSON.stringify(now), /Zwiebelkuchen/);
  assert.equal(now?.gen_ai.request.model, 'claude-[PROJECT]-1');
  assert.deepEqual(now?.skilltape.masking.findings, [
    { type: 'EMAIL', place: 'messages', count: 1 },
    { type: 'PROJECT', place: 'other', count: 1 },
  ]);
  for (const detection of [() => project, leftOf(recorded, t).detection])
    assert.equal((await remask(everything, leftOf(recorded, t, { detection }))).counts.unchanged, 1);
});

test('documents of a batch are masked with their exchange, and none of them goes', async (t) => {
  const recorded = await Recorded.open(t);
  const requests = ['one', 'two'].map((prompt) => ({ custom_id: prompt, params: body(prompt) }));
  await recorded.write('', { body: JSON.stringify({ requests }), path: '/v1/messages/batches' });
  await recorded.ship();
  await expire(recorded);
  const before = [...(await recorded.indexed()).keys()];
  assert.equal(before.length, 3);
  const { counts } = await remask(everything, leftOf(recorded, t, { detection: () => project }));
  assert.deepEqual(counts, { ...none, selected: 1, remasked: 1, metadata: 1 });
  const now = await recorded.indexed();
  assert.deepEqual([...now.keys()], before);
  assert.doesNotMatch(JSON.stringify([...now.values()]), /Zwiebelkuchen/);
});

test('texts that the index still has are not taken for metadata, and what had failed has none to mask', async (t) => {
  const recorded = await Recorded.open(t);
  await recorded.write('', { body: JSON.stringify(body('kept')) });
  await recorded.ship();
  const before = await recorded.indexed();
  const kept = await remask(everything, leftOf(recorded, t, { detection: () => project }));
  assert.deepEqual(kept.counts, { ...none, selected: 1, gone: 1 });
  assert.deepEqual(await recorded.indexed(), before);
  const other = await Recorded.open(t);
  await other.write('poison');
  const json = () => {
    throw new SkilltapeError('masking_failed', 'masking failed with Error');
  };
  await other.ship({ masker: { json } });
  assert.deepEqual((await remask(everything, leftOf(other, t))).counts, { ...none, selected: 1, gone: 1 });
});

test('metadata that cannot be masked stay as they are, and it is said why', async (t) => {
  const { recorded, id } = await expired(t);
  const before = await recorded.indexed();
  const find = () => Promise.reject(new SkilltapeError('masking_failed', 'the finder of names failed'));
  const parts = leftOf(recorded, t, { names: { find } });
  assert.deepEqual((await remask(everything, parts)).counts, { ...none, selected: 1, failed: 1 });
  assert.deepEqual(parts.said, [`${id} the finder of names failed`]);
  assert.deepEqual(await recorded.indexed(), before);
});

test('who is shown is as little as the policies of now ask of anybody, where those that judged are others', async (t) => {
  const { recorded, id } = await expired(t);
  const unjudgedPrivacy = { person: 'pseudonym', address: 'dropped', groups: 'kept' } as const;
  const policy = (revision: string) => ({ ...leftOf(recorded, t).policy, revision, unjudgedPrivacy });
  const same = await remask(everything, leftOf(recorded, t, { policy: policy('') }));
  assert.equal(same.counts.unchanged, 1);
  for (const count of ['remasked', 'unchanged'] as const) {
    const { counts } = await remask(everything, leftOf(recorded, t, { policy: policy('sha256:2') }));
    assert.equal(counts[count], 1, 'the pseudonym of a pseudonym would be another one');
    const document = (await recorded.indexed()).get(id);
    const pseudonym = pseudonymOf(keyedHash, ada);
    assert.deepEqual([document?.user?.id, document?.user?.name, document?.source.ip], [pseudonym, '', '0.0.0.0']);
    assert.deepEqual(document?.user?.roles, ada.groups);
  }
});

test('a type that policy left readable stays readable while that policy is in force, and no longer', () => {
  const { skilltape, ...rest } = documentOf();
  const masking = { ...skilltape.masking, readable: ['EMAIL'], whole: ['tools'], dropped: ['answer'] };
  const verdict = { ...skilltape.verdict, record_policy_revision: 'sha256:1' };
  const document = { ...rest, skilltape: { ...skilltape, masking, verdict } };
  const decided = (revision: string) => storedDecision(document, { revision }).masking;
  const told = { on: [], plain: [], scopes: {}, whole: ['tools'], drop: ['answer'] };
  assert.deepEqual(decided('sha256:1'), { ...told, off: ['EMAIL'] });
  assert.deepEqual(decided('sha256:2'), { ...told, off: [] });
});
