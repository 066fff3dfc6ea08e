import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CountedRefusals, type RefusalLimits } from '../../../extproc/exchange/counted-refusals.ts';
import { alice, answerBody, requestHeaders, tokenOf } from './frames.ts';
import { createRig, deny, type Rig } from './rig.ts';

const startMs = Date.UTC(2026, 0, 15, 10);
const limits: RefusalLimits = {
  recordsPerMinute: 2,
  recordsPerMinuteAllSources: 5,
  sourcesMax: 3,
  callerRecordsPerMinute: 2,
};

/** A rig whose minute begins at `startMs`, and which refuses whoever has no identity. */
function strangersRig(t: TestContext, change: Partial<RefusalLimits> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const rig = createRig();
  const clock = { timeMs: startMs, nowMs: () => clock.timeMs };
  let counted = 0;
  const refusals = new CountedRefusals({ ...limits, ...change }, rig.log, clock, () => {
    counted += 1;
  });
  Object.assign(rig.context, { refusals, clock });
  rig.judge.accessVerdict = () => {
    const { identity } = rig.judge.accessInputs.at(-1) ?? {};
    return identity === null ? { ...deny, status: 401 } : { verdict: 'allow', reasons: [] };
  };
  const pass = async (milliseconds: number) => {
    clock.timeMs += milliseconds;
    t.mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return { rig, refusals, pass, counted: () => counted, ask: (source?: string) => ask(rig, source) };
}

/** One request without a token; gives the action and ends the stream as Envoy does. */
async function ask(rig: Rig, source = '192.0.2.7') {
  const exchange = rig.open();
  const frame = { ...requestHeaders({ metadata: {} }), attributes: { 'source.address': `${source}:4000` } };
  const action = await exchange.accept(frame);
  await exchange.abandon('stream_ended', '', false);
  assert.ok(action.kind === 'local_reply');
  return action;
}

function details(rig: Rig): string[] {
  return rig.log.finished.map(({ detail }) => detail).filter((detail) => detail.includes('more requests'));
}

test('beyond the limit of a source, requests without a token are answered alike and leave no record of their own', async (t) => {
  const { rig, ask, counted, refusals } = strangersRig(t);
  const answers = [await ask(), await ask(), await ask(), await ask(), await ask()];
  assert.deepEqual(new Set(answers.map(({ reply }) => reply.status)), new Set([401]));
  assert.equal(counted(), 3);
  assert.equal(rig.log.ofKind('started').length, 3, 'two of their own, and one that counts');
  assert.equal(rig.log.finished.length, 2);
  const counting = rig.log.ofKind('started').at(-1);
  for (const { reply, accessLog } of answers.slice(2)) {
    assert.equal(reply.headers['x-skilltape-exchange'], counting?.exchangeId, 'the id leads to the record that counts');
    assert.deepEqual([accessLog.verdict, accessLog.exchange], ['counted', counting?.exchangeId]);
  }
  await refusals.stop();
  assert.deepEqual(details(rig), [
    '3 more requests of this source from 2026-01-15T10:00:00.000Z to 2026-01-15T10:00:00.000Z: 3 x missing: No token was presented',
  ]);
  assert.equal(counting?.started.sourceAddress, '192.0.2.7');
});

test('the record that counts has its end when the minute is over, with first and last', async (t) => {
  const { rig, ask, pass } = strangersRig(t, { recordsPerMinute: 0 });
  await pass(10_000);
  await ask();
  await pass(30_000);
  await ask();
  await pass(19_999);
  assert.deepEqual(details(rig), []);
  await pass(1);
  assert.deepEqual(details(rig), [
    '2 more requests of this source from 2026-01-15T10:00:10.000Z to 2026-01-15T10:00:40.000Z: 2 x missing: No token was presented',
  ]);
  await ask();
  assert.equal(rig.log.ofKind('started').length, 2, 'the next minute has a record of its own');
});

test('each source has its own count, and each minute gives records again', async (t) => {
  const { rig, ask, pass } = strangersRig(t);
  for (const source of ['192.0.2.1', '192.0.2.2']) for (let at = 0; at < 3; at += 1) await ask(source);
  assert.equal(rig.log.finished.length, 4);
  await pass(60_000);
  assert.equal(details(rig).length, 2);
  await ask('192.0.2.1');
  assert.equal(rig.log.finished.filter(({ outcome }) => outcome === 'denied').length, 5);
});

test('however many sources there are, a minute leaves a bounded number of records', async (t) => {
  const { rig, ask, refusals } = strangersRig(t);
  for (let at = 0; at < 200; at += 1) await ask(`192.0.2.${at}`);
  await refusals.stop();
  const { recordsPerMinuteAllSources, sourcesMax } = limits;
  assert.ok(rig.log.finished.length <= recordsPerMinuteAllSources + sourcesMax + 1, `${rig.log.finished.length}`);
  const counts = details(rig).map((detail) => Number(detail.split(' ')[0]));
  const own = rig.log.finished.length - counts.length;
  assert.equal(
    counts.reduce((sum, count) => sum + count, own),
    200,
    'each is told of',
  );
  assert.match(details(rig).join('\n'), /197 more requests of other sources/);
});

test('one source within the limit of all is refused with records until that is used up', async (t) => {
  const { rig, ask } = strangersRig(t, { recordsPerMinute: 4 });
  for (let at = 0; at < 4; at += 1) await ask('192.0.2.1');
  for (let at = 0; at < 4; at += 1) await ask('192.0.2.2');
  assert.equal(rig.log.finished.length, 5);
});

test('the limits of strangers are not those of a caller with an identity', async (t) => {
  const { rig, counted } = strangersRig(t, { recordsPerMinute: 0, callerRecordsPerMinute: 3 });
  rig.judge.accessVerdict = () => deny;
  const metadata = tokenOf({ iss: 'https://idp.example.org', sub: 'alice' });
  for (let at = 0; at < 3; at += 1) await rig.open().accept(requestHeaders({ metadata }));
  assert.equal(counted(), 0);
  assert.equal(rig.log.finished.length, 3);
});

test('where the policy lets strangers in, their requests are recorded like all others', async (t) => {
  const { rig, counted } = strangersRig(t, { recordsPerMinute: 0 });
  rig.judge.accessVerdict = () => ({ verdict: 'allow', reasons: [] });
  await rig.open().accept(requestHeaders({ metadata: {} }));
  assert.equal(counted(), 0);
  assert.equal(rig.log.ofKind('started').length, 1);
});

test('what still comes of a counted request is not taken for the rest of it', async (t) => {
  const { rig } = strangersRig(t, { recordsPerMinute: 0 });
  const exchange = rig.open();
  await exchange.accept(requestHeaders({ metadata: {} }));
  const action = await exchange.accept(answerBody('x', true));
  assert.notEqual(action.kind, 'release');
  assert.deepEqual(rig.log.kinds(), ['started']);
});

test('the reasons of a count are told apart up to a bound', async (t) => {
  const { rig, refusals } = strangersRig(t, { recordsPerMinute: 0 });
  for (let at = 0; at < 20; at += 1) {
    const metadata = { 'envoy.filters.http.jwt_authn': { failed_idp: { message: `reason ${at}` } } };
    await rig.open().accept(requestHeaders({ metadata }));
  }
  await refusals.stop();
  const [detail = ''] = details(rig);
  assert.match(detail, /1 x failed: reason 7, 12 x other reasons$/);
});

test('a log that cannot be written does not end the processor with the count', async (t) => {
  const { rig, ask, refusals } = strangersRig(t, { recordsPerMinute: 0 });
  rig.log.failsAppend = () => true;
  await ask();
  await refusals.stop();
  assert.deepEqual(rig.log.records, []);
});

test('beyond the limit of a verified caller, denials by headers are counted in one record with their name, and others are not', async (t) => {
  const { rig, refusals, pass } = strangersRig(t);
  rig.judge.accessVerdict = () => {
    const { identity } = rig.judge.accessInputs.at(-1) ?? {};
    return identity?.subject === 'u-eve' ? deny : { verdict: 'allow', reasons: [] };
  };
  const askAs = async (subject: string) => {
    const exchange = rig.open();
    const action = await exchange.accept(requestHeaders({ metadata: tokenOf({ ...alice, sub: subject }) }));
    await exchange.abandon('stream_ended', '', false);
    return action.kind === 'local_reply' ? action.accessLog.verdict : action.kind;
  };
  const heard = [];
  for (let time = 0; time < 5; time += 1) heard.push(await askAs('u-eve'));
  assert.deepEqual(heard, ['denied', 'denied', 'counted', 'counted', 'counted']);
  assert.notEqual(await askAs('u-ada'), 'counted');
  await pass(60_000);
  assert.equal(await askAs('u-eve'), 'denied', 'another minute');
  await refusals.stop();
  const counting = rig.log.ofKind('started').find(({ started }) => started.method === '' && started.identity !== null);
  assert.equal(counting?.started.identity?.subject, 'u-eve');
  const end = rig.log.finished.find(({ detail }) => detail.includes('more requests of this caller'));
  assert.equal(end?.outcome, 'denied');
  assert.match(end?.detail ?? '', /^3 more requests of this caller from .*: 3 x /);
});

test('a caller who is beyond the limit is let through as soon as policy allows what they ask', async (t) => {
  const { rig, refusals } = strangersRig(t);
  rig.judge.accessVerdict = () => deny;
  const ask = async () => {
    const exchange = rig.open();
    const action = await exchange.accept(requestHeaders({ metadata: tokenOf({ ...alice, sub: 'u-eve' }) }));
    await exchange.abandon('stream_ended', '', false);
    return action.kind === 'local_reply' ? action.accessLog.verdict : action.kind;
  };
  for (let time = 0; time < 3; time += 1) await ask();
  rig.judge.accessVerdict = () => ({ verdict: 'allow', reasons: [] });
  assert.equal(await ask(), 'wait');
  await refusals.stop();
});
