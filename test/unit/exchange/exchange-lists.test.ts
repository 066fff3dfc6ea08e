import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { changedAnswerMaxBytes, changedAnswerRemovedHeaders } from '../../../extproc/exchange/changed-answer.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import { claimAll } from '../../../extproc/exchange/ownership.ts';
import { alice, answerBody, answerHeaders, requestHeaders, tokenOf } from './frames.ts';
import type { Rig } from './rig.ts';
import { claude, createRig, play, provider } from './rig.ts';

const bob = { ...alice, sub: 'bob' };
const filtering = { ...claude, lists: 'filtered' as const };
const asked = (path = '/v1/files', who = alice) =>
  requestHeaders({ path, method: 'GET', endOfStream: true, metadata: tokenOf(who) });
const page = JSON.stringify({
  data: ['file_his00', 'file_hers0', 'file_hers1', 'file_nobody'].map((id) => ({ type: 'file', id })),
  ...{ has_more: true, first_id: 'file_his00', last_id: 'file_nobody', next_page: 'page_4' },
});
const hers = JSON.stringify({
  data: ['file_hers0', 'file_hers1'].map((id) => ({ type: 'file', id })),
  ...{ has_more: true, first_id: 'file_hers0', last_id: 'file_hers1', next_page: 'page_4' },
});

/** Where two files are Alice's, one is Bob's and one was given to nobody. */
async function shared(limits = {}): Promise<Rig> {
  const rig = createRig({ heldBodyMaxBytes: 2 ** 30, ...limits });
  for (const [id, who] of [
    ['file_his00', bob],
    ['file_hers0', alice],
    ['file_hers1', alice],
  ] as const) {
    const identity = { issuer: provider.issuer, subject: String(who.sub) };
    const scope = { identity, connection: 'claude', keyedHash: rig.context.keyedHash };
    await claimAll([{ kind: 'file', id }], scope, rig.context.owners);
  }
  return rig;
}

async function list(rig: Rig, answer: readonly Frame[], request: Frame = asked(), connection = filtering) {
  const exchange = rig.open(connection);
  const actions = await play(exchange, [request, ...answer]);
  await exchange.abandon('stream_ended', '');
  return { actions, finished: rig.log.finished.at(-1), body: given([request, ...answer], actions) };
}

function given(frames: readonly Frame[], actions: readonly Action[]): string {
  const pieces = actions.map((action, at) => {
    const frame = frames[at];
    if (action.kind !== 'continue_response_body' || frame?.kind !== 'response_body') return '';
    return Buffer.from(action.body ?? frame.body).toString();
  });
  return pieces.join('');
}

test('a list shows the caller what is the caller’s, and the record has both forms and says so', async () => {
  const rig = await shared();
  const { body, actions, finished } = await list(rig, [
    answerHeaders(),
    answerBody(page.slice(0, 50)),
    answerBody(page.slice(50), true),
  ]);
  assert.equal(body, hers);
  assert.deepEqual(
    actions[1]?.kind === 'continue_response_headers' && actions[1].removeHeaders,
    changedAnswerRemovedHeaders,
  );
  assert.equal(Buffer.concat(rig.log.ofKind('answer_body').map(({ bytes }) => bytes)).toString(), page);
  assert.equal(Buffer.from(rig.log.ofKind('answer_changed')[0]?.bytes ?? []).toString(), hers);
  assert.deepEqual([finished?.outcome, finished?.detail], ['complete', 'list filtered: 2 of 4 entries given']);
  assert.deepEqual(rig.judge.requestInputs.at(-1)?.request.list_filtered, true);
});

test('the same list shows somebody else nothing of hers, over another connection neither, and encoded no more', async () => {
  const rig = await shared();
  const whole = [answerHeaders(), answerBody(page, true)];
  const his = (await list(rig, whole, asked('/v1/files', bob))).body;
  assert.deepEqual(JSON.parse(his).data, [{ type: 'file', id: 'file_his00' }]);
  const carol = (await list(rig, whole, asked('/v1/files', { ...alice, sub: 'carol' }))).body;
  assert.deepEqual(JSON.parse(carol), { data: [], has_more: true, first_id: null, last_id: null, next_page: 'page_4' });
  const elsewhere = (await list(rig, whole, asked(), { ...filtering, name: 'research' })).body;
  assert.deepEqual(JSON.parse(elsewhere).data, []);
  const headers = [['content-encoding', 'gzip'] as const];
  const encoded = [answerHeaders({ headers }), answerBody(gzipSync(page) as never, true)];
  assert.equal((await list(rig, encoded)).body, hers);
});

test("the vendor's skills are everybody's, and what only says that it is one is not", async () => {
  const rig = await shared();
  const data = [
    { id: 'xlsx', source: 'anthropic' },
    { id: 'skill_his', source: 'anthropic' },
    { id: 'pdf', source: 'custom' },
  ];
  const { body } = await list(rig, [answerHeaders(), answerBody(JSON.stringify({ data }), true)], asked('/v1/skills'));
  assert.deepEqual(JSON.parse(body).data, data.slice(0, 1));
});

test('where lists are denied or are no lists of things, nothing is held or changed', async () => {
  const rig = await shared();
  const whole = [answerHeaders(), answerBody(page, true)];
  for (const [path, connection] of [
    ['/v1/files', claude],
    ['/v1/files/file_hers0', filtering],
    ['/v1/models', filtering],
  ] as const) {
    const { actions, body } = await list(rig, whole, asked(path), connection as typeof filtering);
    assert.equal(body, page);
    assert.deepEqual(actions.at(-1), { kind: 'continue_response_body' });
    assert.equal(rig.judge.requestInputs.at(-1)?.request.list_filtered, false);
  }
  const error = '{"type":"error"}';
  assert.equal((await list(rig, [answerHeaders({ status: 429 }), answerBody(error, true)])).body, error);
});

test('a list that cannot be filtered is cut, and its record says why: nothing of it reaches the caller', async () => {
  const rig = await shared();
  const other = 'file_011CNha8iCJcU1wXNR6q4V8w';
  const withHeaders = (...headers: [string, string][]) => answerHeaders({ headers });
  const huge = `{"data":[],"x":"${'x'.repeat(changedAnswerMaxBytes)}"}`;
  const many = JSON.stringify({ data: Array.from({ length: 1_001 }, () => ({ id: 'file_hers0' })) });
  const cases: [string, Frame[], RegExp][] = [
    ['no JSON', [answerHeaders(), answerBody(`${page}x`, true)], /is no JSON/],
    ['half of it', [answerHeaders(), answerBody(page.slice(0, 90), true)], /is no JSON/],
    ['another type', [withHeaders(['content-type', 'text/plain']), answerBody(`<p>${page}`, true)], /is no JSON/],
    ['a key twice', [answerHeaders(), answerBody('{"data":[],"data":[{"id":"file_his00"}]}', true)], /no JSON/],
    ['no list', [answerHeaders(), answerBody('{"id":"file_his00"}', true)], /has no list/],
    ['too many', [answerHeaders(), answerBody(many, true)], /more than 1000 entries/],
    ['too large', [answerHeaders(), answerBody(huge, true)], /more than \d+ bytes/],
    ['a broken encoding', [withHeaders(['content-encoding', 'gzip']), answerBody(page, true)], /not be decoded/],
    ['an unknown encoding', [withHeaders(['content-encoding', 'x-own']), answerBody(page, true)], /not be decoded/],
    [
      'a cursor',
      [answerHeaders(), answerBody(JSON.stringify({ data: [], next_page: other }), true)],
      /by the id of something else/,
    ],
  ];
  for (const [name, answer, says] of cases) {
    const { actions, body } = await list(rig, answer);
    const last = actions.at(-1);
    assert.ok(last?.kind === 'cut', name);
    assert.match(last.reason, says, name);
    assert.equal(body, '', name);
    assert.equal(rig.context.budget.heldBodyBytes, 0, name);
  }
});

test('where a page begins is asked for by whose it is, where lists are filtered', async () => {
  const rig = await shared();
  const whole = [answerHeaders(), answerBody(page, true)];
  const ownersOf = async (query: string, connection = filtering) => {
    await list(rig, whole, asked(`/v1/files?${query}`), connection);
    return rig.judge.accessInputs.at(-1)?.owners.map(({ owner }) => owner);
  };
  assert.deepEqual(await ownersOf('after_id=file_hers0'), ['mine']);
  assert.deepEqual(await ownersOf('before_id=file_his00'), ['others']);
  assert.deepEqual(await ownersOf('limit=1&after%5Fid=file_his00&after_id=file_hers0'), ['others', 'mine']);
  assert.deepEqual(await ownersOf('after_id=file_none'), ['unknown']);
  assert.deepEqual(await ownersOf('after_id=file_his00', claude as typeof filtering), []);
});
