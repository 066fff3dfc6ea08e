import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalReasonOf, refusalReasons, refusalReply } from '../../../extproc/exchange/refusal.ts';
import { nodeFileSystem } from '../../../extproc/journal/node-fs.ts';
import { type FindingType, findingTypes } from '../../../extproc/masking/finding.ts';
import { MeteredExchange } from '../../../extproc/operations/metered-exchange.ts';
import { meteredFileSystem } from '../../../extproc/operations/metered-file-system.ts';
import { meteredJudge } from '../../../extproc/operations/metered-judge.ts';
import { createMetrics } from '../../../extproc/operations/metrics.ts';
import { ShippingState } from '../../../extproc/operations/shipping-state.ts';
import { FindingCounter } from '../../../extproc/ship/finding-counter.ts';
import type { ShipReport } from '../../../extproc/ship/protocol.ts';
import { answerBody, answerHeaders, question, requestBody, requestHeaders, wholeRequest } from '../exchange/frames.ts';
import { createRig, deny, FakeJudge, play } from '../exchange/rig.ts';
import { seriesFrom, valueIn } from './exposition.ts';

function setUp(limits: Parameters<typeof createRig>[0] = {}) {
  const rig = createRig(limits);
  const metrics = createMetrics(['claude']);
  const open = () => new MeteredExchange(rig.open(), 'claude', metrics.exchange);
  const value = async (name: string, labels: Record<string, string> = {}) =>
    valueIn(await seriesFrom(metrics.registry), `skilltape_${name}`, labels);
  return { ...rig, metrics, open, value };
}

test('a request is decided once, its bytes and those of its answer are counted', async () => {
  const { open, value } = setUp();
  const exchange = open();
  const actions = await play(exchange as never, [...wholeRequest, answerHeaders(), answerBody('{"a":1}', true)]);
  assert.ok(actions.some(({ kind }) => kind === 'release'));
  assert.equal(await value('decision_seconds_count'), 1);
  assert.equal(await value('request_body_bytes_total', { connection: 'claude' }), Buffer.byteLength(question));
  assert.equal(await value('answer_body_bytes_total', { connection: 'claude' }), 7);
});

test('a refusal is counted by its reason, a denial by none', async () => {
  const { open, value, judge } = setUp({ requestBodyMaxBytes: 5 });
  await play(open() as never, [requestHeaders(), requestBody(question)]);
  assert.equal(await value('refusals_total', { reason: 'request_body_too_large' }), 1);
  judge.accessVerdict = () => deny;
  await play(open() as never, [requestHeaders()]);
  assert.equal(await value('decision_seconds_count'), 2);
  for (const reason of refusalReasons) {
    assert.equal(await value('refusals_total', { reason }), Number(reason === 'request_body_too_large'), reason);
  }
});

test('how an exchange is ended reaches it whole', async () => {
  const { metrics } = setUp();
  const ends: unknown[][] = [];
  const accept = async () => ({ kind: 'wait' }) as const;
  const abandon = async (...end: [string, string, boolean]) => void ends.push(end);
  await new MeteredExchange({ id: 'id', accept, abandon, left() {} }, 'claude', metrics.exchange).abandon(
    'cut',
    'why',
    true,
  );
  assert.deepEqual(ends, [['cut', 'why', true]]);
});

test('what is said again after the decision is not counted again', async () => {
  const { metrics, value } = setUp();
  const reply = { kind: 'local_reply', reply: refusalReply('journal_full', '', 'id'), accessLog: {} } as const;
  const exchange = new MeteredExchange(
    { id: 'id', accept: async () => reply, abandon: async () => {}, left() {} },
    'claude',
    metrics.exchange,
  );
  for (const frame of wholeRequest) assert.equal(await exchange.accept(frame), reply);
  assert.equal(await value('refusals_total', { reason: 'journal_full' }), 1);
  assert.equal(await value('decision_seconds_count'), 1);
});

test('each reason of a refusal is read back from the reply that was made for it', () => {
  for (const reason of refusalReasons) assert.equal(refusalReasonOf(refusalReply(reason, '', 'id')), reason);
  assert.equal(refusalReasonOf({ details: 'skilltape_denied' }), null);
  assert.equal(refusalReasonOf({ details: 'skilltape_refused_' }), null);
});

test('evaluations are timed by their stage, and the judge judges as before', async () => {
  const judge = new FakeJudge();
  judge.requestVerdict = () => deny;
  const { metrics, value } = setUp();
  const metered = meteredJudge(judge, metrics.exchange);
  assert.equal(metered.revision, judge.revision);
  assert.equal(metered.request({} as never), deny);
  assert.equal(metered.access({} as never).verdict, 'allow');
  metered.access({} as never);
  assert.equal(await value('policy_evaluation_seconds_count', { stage: 'access' }), 2);
  assert.equal(await value('policy_evaluation_seconds_count', { stage: 'request' }), 1);
});

test('what is only observed is counted by connection and rule, a rule once an evaluation, and not without end', async () => {
  const judge = new FakeJudge();
  const { metrics, value } = setUp();
  const metered = meteredJudge(judge, metrics.exchange);
  const input = { connection: { name: 'claude' } } as never;
  const observing = (...rules: string[]) => {
    const reasons = rules.map((rule) => ({ rule, message: 'm' }));
    judge.requestVerdict = () => ({ verdict: 'allow', reasons: [], observed: { verdict: 'hold', reasons } });
    metered.request(input);
  };
  observing('request/a', 'request/a', 'request/b');
  observing('request/a');
  const counted = (rule: string) => value('observed_verdicts_total', { connection: 'claude', rule, verdict: 'hold' });
  assert.equal(await counted('request/a'), 2);
  assert.equal(await counted('request/b'), 1);
  for (let at = 0; at < 300; at += 1) observing(`request/r${at}`);
  assert.equal(await counted('other'), 102);
  observing('request/a');
  assert.equal(await counted('request/a'), 3);
});

test('writes and syncs are timed, and those that fail are counted and fail as before', async () => {
  const { metrics, value } = setUp();
  const fault = new Error('EIO');
  let fails = false;
  const file = {
    writev: async () => {
      if (fails) throw fault;
      return 3;
    },
    datasync: async () => {
      if (fails) throw fault;
    },
    close: async () => {},
  };
  const real = { ...nodeFileSystem, createAppend: async () => file, openAppend: async () => file };
  const disk = meteredFileSystem(real, metrics.journal);
  const opened = await disk.createAppend('a');
  assert.equal(await opened.writev([]), 3);
  await opened.datasync();
  fails = true;
  await assert.rejects(opened.writev([]), fault);
  await assert.rejects((await disk.openAppend('a')).datasync(), fault);
  assert.equal(await value('journal_write_seconds_count'), 1);
  assert.equal(await value('journal_fdatasync_seconds_count'), 1);
  assert.equal(await value('journal_failures_total', { operation: 'write' }), 1);
  assert.equal(await value('journal_failures_total', { operation: 'sync' }), 1);
});

function progress(more: Partial<Extract<ShipReport, { kind: 'progress' }>>): ShipReport {
  const none = { delivered: [], openExchanges: 0, waitingExchanges: 0, undeliveredSinceMs: null };
  return {
    kind: 'progress',
    shipped: 0,
    rejected: 0,
    erased: 0,
    findings: new FindingCounter().totals(),
    ...none,
    ...more,
  };
}

test('what was shipped is added up over deaths of the shipping thread, which begins to count anew', async () => {
  const { metrics, value } = setUp();
  const heed = metrics.shipping.watch(new ShippingState(Date.now));
  for (const shipped of [0, 5, 9, 9]) heed(progress({ shipped, rejected: 1 }));
  for (const shipped of [0, 2, 4]) heed(progress({ shipped }));
  assert.equal(await value('shipped_exchanges_total'), 13);
  assert.equal(await value('rejected_exchanges_total'), 1);
});

test('what was masked is added up by type, every type from 0 on, over deaths of the shipping thread', async () => {
  const { metrics, value } = setUp();
  const heed = metrics.shipping.watch(new ShippingState(Date.now));
  const counter = new FindingCounter();
  counter.know(['TICKET' as FindingType]);
  heed(progress({ findings: counter.totals() }));
  assert.equal(await value('masking_findings_total', { type: 'IBAN' }), 0);
  counter.add('EMAIL', 3);
  counter.add('TICKET', 2);
  counter.add('no type of ours', 5);
  heed(progress({ findings: counter.totals() }));
  counter.add('EMAIL', 1);
  heed(progress({ findings: counter.totals() }));
  const next = new FindingCounter();
  next.add('EMAIL', 2);
  heed(progress({ findings: next.totals() }));
  assert.equal(await value('masking_findings_total', { type: 'EMAIL' }), 6);
  const types = (await seriesFrom(metrics.registry)).filter(({ name }) => name === 'skilltape_masking_findings_total');
  assert.equal(types.length, findingTypes.length + 1);
  assert.equal(await value('masking_findings_total', { type: 'TICKET' }), 2);
});

test('the lag grows while nothing is said, and is none when all is delivered or the clock was set back', async () => {
  const { metrics, value } = setUp();
  let nowMs = 10_000;
  const heed = metrics.shipping.watch(new ShippingState(() => nowMs));
  heed(progress({ waitingExchanges: 2, undeliveredSinceMs: 4_000 }));
  assert.equal(await value('index_lag_seconds'), 6);
  nowMs += 1_000;
  assert.equal(await value('index_lag_seconds'), 7);
  assert.equal(await value('shipping_waiting_exchanges'), 2);
  nowMs = 0;
  assert.equal(await value('index_lag_seconds'), 0);
  nowMs = 12_000;
  heed(progress({}));
  assert.equal(await value('index_lag_seconds'), 0);
});

test('the index is away from the first refusal of it until it has everything that it was given', () => {
  const state = new ShippingState(Date.now);
  assert.equal(state.isIndexAway, false);
  state.heed(progress({ waitingExchanges: 3 }));
  state.heed({ kind: 'waiting', reason: 'away' });
  state.heed(progress({ waitingExchanges: 3 }));
  assert.equal(state.isIndexAway, true);
  state.heed(progress({ shipped: 3 }));
  assert.equal(state.isIndexAway, false);
});

test('deliveries, waits, masking failures and what else the thread says are counted', async () => {
  const { metrics, value } = setUp();
  const heed = metrics.shipping.watch(new ShippingState(Date.now));
  heed({ kind: 'reading', exchangeIds: ['a', 'b'] });
  heed({ kind: 'waiting', reason: 'x' });
  heed({ kind: 'masking_failed', exchangeId: 'a', reason: 'x' });
  const names = ['shipping_deliveries', 'shipping_waits', 'masking_failures', 'rejected_exchanges'];
  assert.deepEqual(await Promise.all(names.map((name) => value(`${name}_total`))), [1, 1, 1, 0]);
});
