import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { outcomes } from '../../extproc/exchange/outcome.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf, troubles } from '../environment/operations-call.ts';
import { openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { valueIn } from '../unit/operations/exposition.ts';

let gateway: TestGateway;
let headers: { authorization: string };
let operations: ReturnType<typeof operationsOf>;
before(async () => {
  gateway = await startTestGateway({ settings: { limits: { requestBodyMaxBytes: 100_000 } } });
  headers = { authorization: `Bearer ${await gateway.token()}` };
  operations = operationsOf(gateway);
});
after(() => gateway.stop());

test('after known traffic the figures are the known counts', async () => {
  const bodies = { plain: messagesBody('one'), large: messagesBody('x'.repeat(200_000)) };
  let requestBytes = 0;
  let answerBytes = 0;
  const send = async (body: string, more: Record<string, string> = {}, path = '/v1/messages') => {
    const answer = await gateway.post(body, { ...headers, ...more }, path);
    if (answer.status === 200) requestBytes += body.length;
    if (answer.status === 200) answerBytes += answer.body.length;
    return answer.status;
  };
  assert.deepEqual(
    await Promise.all([send(bodies.plain), send(messagesBody('two')), send(messagesBody('three'))]),
    [200, 200, 200],
  );
  assert.equal(await send(bodies.plain, { authorization: '' }), 401);
  assert.equal(await send(bodies.large), 413);
  assert.equal(await send('{"oops"', {}, '/v1/messages'), 400);
  gateway.fake.script({ answer: { kind: 'error', status: 529, message: 'overloaded' } });
  assert.equal(await send(messagesBody('four')), 529);

  const expected: Record<string, number> = { complete: 3, denied: 1, refused: 2, upstream_error: 1 };
  const series = await waitUntil('everything in the index', async () => {
    const now = await operations.series();
    return valueIn(now, 'skilltape_shipped_exchanges_total') === 7 && now;
  });
  for (const outcome of outcomes) {
    const count = valueIn(series, 'skilltape_exchanges_total', { outcome, connection: 'claude' });
    assert.equal(count, expected[outcome] ?? 0, outcome);
    assert.equal(valueIn(series, 'skilltape_exchanges_total', { outcome, connection: 'sandbox' }), 0, outcome);
  }
  const of = (name: string, labels: Record<string, string> = {}) => valueIn(series, `skilltape_${name}`, labels);
  assert.deepEqual(
    ['request_body_too_large', 'body_malformed', 'journal_full'].map((reason) => of('refusals_total', { reason })),
    [1, 1, 0],
  );
  assert.equal(of('decision_seconds_count'), 7);
  assert.ok(of('request_body_bytes_total', { connection: 'claude' }) >= requestBytes);
  assert.ok(of('answer_body_bytes_total', { connection: 'claude' }) >= answerBytes);
  // Nothing was swept yet; a timer of the gateway does it.
  const age = of('retention_sweep_age_seconds');
  assert.ok(age > 0 && age < 3_600, String(age));
  assert.deepEqual([of('open_exchanges'), of('held_body_bytes'), of('unrecorded_refusals_total')], [0, 0, 0]);
  assert.deepEqual([of('rejected_exchanges_total'), of('masking_failures_total'), of('faults_total')], [0, 0, 0]);
  assert.ok(of('journal_fdatasync_seconds_count') >= 7 && of('journal_bytes') > 0);
  assert.ok(of('policy_evaluation_seconds_count', { stage: 'access' }) >= 6);
  assert.deepEqual([of('index_lag_seconds'), of('shipping_waiting_exchanges'), of('ready')], [0, 0, 1]);
});

test('who asks for the figures without end holds up no exchange, and gets them', async () => {
  let scrapes = 0;
  let stopped = false;
  const scraping = (async () => {
    let ended = 0;
    while (!stopped) {
      const [first, second] = await Promise.all([operations.series(), operations.series()]);
      const now = valueIn(first, 'skilltape_exchanges_total', { outcome: 'complete', connection: 'claude' });
      assert.ok(now >= ended && second.length > 100);
      ended = now;
      scrapes += 1;
    }
  })();
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, at) => gateway.post(messagesBody(`busy ${at}`), headers)),
  );
  stopped = true;
  await scraping;
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(scrapes > 0);
});

test('an open exchange is told as open, and as interrupted after a kill', async () => {
  await openSlowStream(gateway, 'open', headers);
  assert.equal(valueIn(await operations.series(), 'skilltape_open_exchanges'), 1);
  gateway.processor.process.kill('SIGKILL');
  await gateway.processor.exited;
  await gateway.restartProcessor();
  const series = await waitUntil('a ready processor', async () => {
    const now = await operations.series().catch(() => []);
    return now.some(({ name, value }) => name === 'skilltape_ready' && value === 1) && now;
  });
  const interrupted = { outcome: 'interrupted', connection: 'claude' };
  assert.equal(valueIn(series, 'skilltape_exchanges_total', interrupted), 1);
});

test('a stopping processor is alive and not ready while open exchanges end, and answers to its last', async () => {
  await waitUntil(
    'Envoy sends requests again',
    async () => (await gateway.post(messagesBody('x'), headers)).status === 200,
  );
  const stream = await openSlowStream(gateway, 'drained', headers);
  gateway.processor.process.kill('SIGTERM');
  const report = await waitUntil('a draining processor', async () => {
    const now = await operations.ready();
    return now.status === 503 && now;
  });
  assert.deepEqual(troubles(report), ['drain: failed']);
  assert.equal((await operations.ask('/healthz')).status, 200);
  assert.equal(valueIn(await operations.series(), 'skilltape_ready'), 0);
  stream.abort();
  assert.equal(await gateway.processor.exited, 0);
  await assert.rejects(operations.ask('/healthz'));
});
