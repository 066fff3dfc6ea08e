import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { envoyRequestId, exchangeId, lineText, recordedOf, refusedByEnvoy, startMs } from './example.ts';
import { gapsKeptMax, lagMaxMs, Rig } from './rig.ts';

function rigOf(t: TestContext, more: ConstructorParameters<typeof Rig>[2] = {}): Rig {
  return new Rig(t, temporaryDirectory(t), more);
}

const forwardedUnseen = { exchange: null, verdict: null, connection: null };
const requestId = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

for (const order of ['line first', 'record first'] as const) {
  test(`a request that both tell of is recorded, ${order}`, async (t) => {
    const rig = rigOf(t);
    if (order === 'line first') rig.log(lineText());
    else rig.record(recordedOf());
    await rig.settle();
    if (order === 'line first') rig.record(recordedOf());
    else rig.log(lineText());
    await rig.pass(10);
    assert.deepEqual(rig.counts(), { recorded: 1 });
    await rig.pass(3 * lagMaxMs);
    assert.deepEqual(rig.counts(), { recorded: 1 }, 'nothing of it is missed later');
  });
}

/** The two lines of a request that was held while its answer had begun: that of its caller, and that of its release. */
const heldLine = () => lineText({ verdict: 'held', upstream: null, upstream_bytes: 0, response_bytes: 700 });
const releaseLine = (changes: object = {}) => lineText({ verdict: 'released', source: null, ...changes });

for (const order of ['caller first', 'release first'] as const) {
  test(`both lines of a released request are recorded, whatever the upstream said, ${order}`, async (t) => {
    const rig = rigOf(t);
    const lines = [heldLine(), releaseLine({ status: 529, response_bytes: 90 })];
    for (const line of order === 'caller first' ? lines : lines.toReversed()) rig.log(line);
    await rig.settle();
    rig.record(recordedOf({ callerBytes: 700 }));
    await rig.pass(3 * lagMaxMs);
    assert.deepEqual(rig.counts(), { recorded: 2 });
  });
}

test('what went by the release listener without a record, or against it, is an alarm', async (t) => {
  const rig = rigOf(t);
  rig.log(releaseLine());
  await rig.pass(lagMaxMs + 100);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1 });
  const other = rigOf(t);
  other.log(heldLine());
  other.log(releaseLine());
  other.record(recordedOf({ outcome: 'denied', released: false, callerBytes: 700 }));
  await other.pass(3 * lagMaxMs);
  assert.deepEqual(other.counts(), { recorded: 1, forwarded_not_recorded: 1 });
});

test('the line of a release does not stand for that of its caller', async (t) => {
  const rig = rigOf(t);
  rig.record(recordedOf());
  rig.log(releaseLine());
  await rig.pass(3 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 1, recorded_not_logged: 1 });
});

test('a forwarded request without an exchange is an alarm once the record could have told of it', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText(forwardedUnseen));
  await rig.pass(lagMaxMs);
  assert.deepEqual(rig.counts(), {});
  await rig.pass(100);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1 });
  const [gap] = rig.gaps();
  assert.deepEqual([gap?.exchangeId, gap?.envoyRequestId], ['', envoyRequestId]);
  assert.equal(rig.reports.filter(({ kind }) => kind === 'alarm').length, 1);
  assert.deepEqual(rig.written, []);
});

test('a forwarded request of whose exchange the record knows nothing is an alarm', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText());
  await rig.pass(lagMaxMs + 100);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1 });
  assert.equal(rig.gaps()[0]?.exchangeId, exchangeId);
});

test('nothing is missing while shipping is behind, while an exchange is open, and while the index is away', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText());
  rig.nowMs += 10 * lagMaxMs;
  await rig.settle();
  assert.deepEqual(rig.counts(), {}, 'shipping is behind');
  rig.open.add(exchangeId);
  await rig.pass(0);
  assert.deepEqual(rig.counts(), {}, 'it is open');
  rig.open.clear();
  const { index } = rig;
  rig.index = null;
  await rig.restart();
  rig.nowMs = startMs + 2 * lagMaxMs;
  await rig.pass(0);
  assert.deepEqual(rig.counts(), {}, 'the index is away');
  rig.index = index;
  rig.record(recordedOf());
  await rig.pass(0);
  assert.deepEqual(rig.counts(), { recorded: 1 });
});

test('an index that can never be asked does not silence the alarm', async (t) => {
  const rig = rigOf(t);
  rig.index = null;
  rig.log(lineText());
  await rig.pass(9 * lagMaxMs);
  assert.deepEqual(rig.counts(), {});
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1 });
});

test('an exchange that was shipped before coverage began is found in the index', async (t) => {
  const rig = rigOf(t);
  rig.index?.set(exchangeId, recordedOf());
  rig.log(lineText());
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 1 });
});

test('the record of another request does not stand for this one', async (t) => {
  const rig = rigOf(t);
  rig.record(recordedOf({ envoyRequestId: requestId(1) }));
  rig.log(lineText());
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1, recorded_not_logged: 1 });
});

test('a request that went upstream a second time is not covered by its first exchange', async (t) => {
  const rig = rigOf(t);
  rig.record(recordedOf());
  rig.log(lineText(), lineText(), lineText(forwardedUnseen));
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 1, forwarded_not_recorded: 1 }, 'the same line twice counts once');
});

test('a held request whose caller left is found by the request id, and so is an attempt that Envoy made again', async (t) => {
  const rig = rigOf(t);
  const left = { ...forwardedUnseen, upstream: null, upstream_bytes: 0, status: 0, flags: 'DC' };
  rig.record(recordedOf({ outcome: 'client_aborted', released: false, status: null }));
  rig.log(lineText(left));
  const first = recordedOf({
    exchangeId: newExchangeId(startMs),
    envoyRequestId: requestId(2),
    outcome: 'interrupted',
  });
  const second = { ...recordedOf(), exchangeId: newExchangeId(startMs + 5), envoyRequestId: requestId(2) };
  rig.record(second);
  rig.log(lineText({ exchange: second.exchangeId, request_id: requestId(2) }));
  await rig.pass(10);
  // A worker that died is shipped after the answer of the other.
  rig.record(first);
  await rig.pass(3 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 2 });
  assert.deepEqual(rig.written, []);
});

test('a request that Envoy refused becomes one record, also when the line is read again after a death', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText(refusedByEnvoy));
  rig.diesAfterWriting = true;
  await rig.settle();
  assert.deepEqual(rig.counts(), {});
  rig.diesAfterWriting = false;
  await rig.restart();
  await rig.settle();
  assert.deepEqual(rig.counts(), { refused_by_envoy: 1 });
  const [first, again] = rig.written;
  assert.deepEqual(first, again);
  assert.equal(rig.written.length, 2);
  assert.deepEqual(
    [first?.started.sourceAddress, first?.started.path, first?.started.identity, first?.finished.outcome],
    ['203.0.113.7', '/v1/messages', null, 'refused'],
  );
  assert.equal(first?.finished.detail, 'refused_by_envoy path_normalization_failed');
});

test('two requests that differ in nothing are two records', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText(refusedByEnvoy), lineText(refusedByEnvoy));
  await rig.settle();
  assert.equal(new Set(rig.written.map((record) => record.exchangeId)).size, 2);
});

test('a record that was made from the log does not have to be in the log', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText(refusedByEnvoy));
  await rig.settle();
  const [late] = rig.written;
  assert.ok(late !== undefined);
  rig.record(recordedOf({ exchangeId: late.exchangeId, envoyRequestId: '', outcome: 'refused', released: false }));
  await rig.pass(3 * lagMaxMs);
  assert.deepEqual(rig.counts(), { refused_by_envoy: 1 });
});

test('what came while we were away, and what we refused without a record, become records', async (t) => {
  const rig = rigOf(t);
  const away = { ...refusedByEnvoy, request_id: requestId(1), route: 'claude', status: 503 };
  rig.log(lineText({ ...away, details: 'ext_proc_error_gRPC_error_14{no_healthy_upstream{no_healthy_upstream}}' }));
  rig.log(lineText({ upstream: null, upstream_bytes: 0, verdict: 'refused', status: 503 }));
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { processor_unavailable: 1, not_recorded: 1 });
  const [first, second] = rig.written.toSorted((a, b) => b.finished.detail.localeCompare(a.finished.detail));
  assert.deepEqual([first?.started.connection, first?.started.envoyRequestId], ['claude', requestId(1)]);
  assert.match(second?.finished.detail ?? '', new RegExp(`^not_recorded .*exchange ${exchangeId}`));
  assert.notEqual(second?.exchangeId, exchangeId, 'the exchange itself may still turn up');
});

test('past the bound of a source one record counts the rest, once the minute is over', async (t) => {
  const rig = rigOf(t, { recordsPerMinute: 2 });
  for (let at = 0; at < 10; at++) rig.log(lineText({ ...refusedByEnvoy, duration_ms: at * 10 }));
  await rig.settle();
  assert.equal(rig.written.length, 2);
  await rig.restart();
  rig.log(lineText({ ...refusedByEnvoy, details: 'missing_host_header', duration_ms: 500 }));
  await rig.pass(3 * lagMaxMs);
  assert.equal(rig.written.length, 3);
  const { started, finished, startedMs, endedMs } = rig.written[2] ?? assert.fail();
  assert.equal(started.sourceAddress, '203.0.113.7');
  assert.deepEqual([startedMs, endedMs], [startMs + 20, startMs + 500]);
  assert.match(finished.detail, /^9 more requests of this source from 2026-11-22T12:00:00.020Z to .*00.500Z: /);
  assert.match(finished.detail, /8 x refused_by_envoy path_normalization_failed, 1 x refused_by_envoy missing_host/);
  assert.deepEqual(rig.counts(), { refused_by_envoy: 11 }, 'counts are of all');
});

test('a journal that takes no records now loses none: they are written later', async (t) => {
  const rig = rigOf(t);
  rig.takesRecords = false;
  rig.log(lineText(refusedByEnvoy));
  await rig.settle();
  assert.deepEqual([rig.counts(), rig.written.length], [{}, 0]);
  rig.takesRecords = true;
  await rig.settle();
  assert.deepEqual([rig.counts(), rig.written.length], [{ refused_by_envoy: 1 }, 1]);
  rig.log(lineText({ ...refusedByEnvoy, request_id: envoyRequestId }));
  await rig.settle();
  rig.takesRecords = false;
  await rig.pass(2 * lagMaxMs);
  rig.takesRecords = true;
  await rig.settle();
  assert.deepEqual([rig.counts(), rig.written.length], [{ refused_by_envoy: 2 }, 2], 'one that waited as well');
});

test('an exchange of which the log, read to its end, does not tell is missing in it, once', async (t) => {
  const rig = rigOf(t);
  rig.record(recordedOf());
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), {}, 'there is no log');
  rig.log('');
  await rig.pass(1_000);
  await rig.restart();
  await rig.pass(1_000);
  assert.deepEqual(rig.counts(), { recorded_not_logged: 1 });
  // Shipping begins again behind its place.
  rig.record(recordedOf());
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded_not_logged: 1 });
});

test('lines that cannot be read and a log that was replaced are counted and kept with their place', async (t) => {
  const rig = rigOf(t);
  rig.log('{"torn":');
  await rig.settle();
  renameSync(rig.file, `${rig.file}.gz`);
  rig.log(lineText());
  rig.record(recordedOf());
  await rig.restart();
  await rig.settle();
  assert.deepEqual(rig.counts(), { unreadable_line: 1, recorded: 1 });
  assert.match(rig.gaps()[0]?.reason ?? '', /^it is no JSON document \(file \d+, byte 0\)$/);
});

test('a flood of lines that wait stops the reading, not the comparison', async (t) => {
  const rig = rigOf(t, { linesWaitingMax: 100 });
  const lines = Array.from({ length: 3_000 }, (_, at) => {
    const id = newExchangeId(startMs + at);
    return { id, text: lineText({ exchange: id, request_id: requestId(at) }), number: at };
  });
  rig.log(...lines.map(({ text }) => text));
  await rig.settle();
  rig.record(...lines.map(({ id, number }) => recordedOf({ exchangeId: id, envoyRequestId: requestId(number) })));
  await rig.pass(1_000);
  assert.deepEqual(rig.counts(), { recorded: 3_000 });
});

test('an index that comes back after hours finds every line that waited, and misses none in the log', async (t) => {
  const rig = rigOf(t);
  const exchanges = Array.from({ length: 3_000 }, (_, at) =>
    recordedOf({ exchangeId: newExchangeId(startMs + at), envoyRequestId: at % 2 === 0 ? '' : requestId(at) }),
  );
  const lineFor = (of: (typeof exchanges)[number]) =>
    lineText({ exchange: of.exchangeId, request_id: of.envoyRequestId });
  rig.log(...exchanges.map(lineFor));
  rig.nowMs += 100 * lagMaxMs;
  await rig.settle();
  rig.record(...exchanges);
  await rig.settle();
  await rig.pass(2 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 3_000 });
});

test('of each kind of gap the newest are kept: a flood of one does not push out an alarm', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText({ ...forwardedUnseen, request_id: null }));
  for (let at = 0; at < 3 * gapsKeptMax; at++) rig.log(`torn ${at}`);
  await rig.settle();
  const kinds = Object.groupBy(rig.gaps(), ({ kind }) => kind);
  assert.equal(kinds.forwarded_not_recorded?.length, 1);
  assert.equal(kinds.unreadable_line?.length, gapsKeptMax);
  assert.equal(rig.counts().unreadable_line, 3 * gapsKeptMax);
});

test('the numbers of a day are told once, when it is over', async (t) => {
  const rig = rigOf(t);
  rig.record(recordedOf());
  rig.log(lineText());
  await rig.settle();
  const days = () => rig.reports.flatMap((report) => (report.kind === 'day' ? [report.day] : []));
  assert.deepEqual(days(), []);
  await rig.pass(24 * 3600 * 1000);
  await rig.pass(10_000);
  const [day] = days();
  assert.equal(days().length, 1);
  assert.deepEqual([day?.day, day?.counts.recorded], ['2026-11-22', 1]);
  assert.match(day?.from ?? '', /^\d+:0$/);
});

test('what waits keeps no path where none is needed', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText({ path: '/v1/a-secret-path' }));
  await rig.settle();
  const { readFileSync } = await import('node:fs');
  for (const name of ['coverage.sqlite', 'coverage.sqlite-wal']) {
    assert.ok(!readFileSync(`${rig.directory}/${name}`).includes('a-secret-path'));
  }
});

test('requests that one record counts are recorded at once, and that record is not missed in the log', async (t) => {
  const rig = rigOf(t);
  const counted = { exchange: exchangeId, verdict: 'counted', status: 401, upstream: null, upstream_bytes: 0 };
  for (let number = 1; number <= 3; number += 1) rig.log(lineText({ ...counted, request_id: requestId(number) }));
  await rig.settle();
  assert.deepEqual(rig.counts(), { recorded: 3 });
  rig.record({
    ...recordedOf(),
    envoyRequestId: '',
    released: false,
    outcome: 'refused',
    status: null,
    callerBytes: 0,
  });
  await rig.pass(3 * lagMaxMs);
  assert.deepEqual(rig.counts(), { recorded: 3 });
  assert.deepEqual(rig.written, []);
});

test('a request that went upstream is an alarm, whatever the log says of being counted', async (t) => {
  const rig = rigOf(t);
  rig.log(lineText({ verdict: 'counted' }));
  await rig.pass(lagMaxMs + 100);
  assert.deepEqual(rig.counts(), { forwarded_not_recorded: 1 });
});
