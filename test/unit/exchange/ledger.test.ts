import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../../extproc/exchange/ledger.ts';
import type { Finished } from '../../../extproc/exchange/record.ts';
import { FakeLog, Gate, nowMs, settle } from './rig.ts';

const exchangeId = '019bc0de-0000-7000-8000-000000000001';
const end: Finished = { outcome: 'complete', detail: '', status: 200, localReply: '' };
const started = {
  ...{ connection: 'claude', identity: null, authenticationFailure: null, method: 'GET', path: '/', query: {} },
  ...{ headers: [], sourceAddress: '', envoyRequestId: '', attemptOf: null },
};

function createLedger() {
  const log = new FakeLog();
  const told: string[] = [];
  const ledger = new Ledger(log, { nowMs: () => nowMs }, exchangeId, (outcome) => told.push(outcome));
  return { log, ledger, told };
}

test('records have the id of their exchange and the time of the clock', async () => {
  const { log, ledger } = createLedger();
  await ledger.record({ kind: 'started', started });
  assert.deepEqual(log.records, [{ exchangeId, timeMs: nowMs, kind: 'started', started }]);
});

test('only the first end is written, also of two at once', async () => {
  const { log, ledger } = createLedger();
  await ledger.record({ kind: 'started', started });
  await Promise.all([ledger.finish(end), ledger.finish({ ...end, outcome: 'cut' })]);
  await ledger.finish({ ...end, outcome: 'aborted' });
  assert.deepEqual(log.finished, [end]);
});

test('without a start there is no end, also when the start could not be written', async () => {
  const { log, ledger } = createLedger();
  await ledger.finish(end);
  log.failsAppend = () => true;
  await assert.rejects(ledger.record({ kind: 'started', started }));
  log.failsAppend = () => false;
  await ledger.finish(end);
  assert.deepEqual(log.records, []);
});

test('an end that could not be written can be written again', async () => {
  const { log, ledger } = createLedger();
  await ledger.record({ kind: 'started', started });
  log.failsAppend = () => true;
  await assert.rejects(ledger.finish(end), /no space left/);
  log.failsAppend = () => false;
  await ledger.finish({ ...end, outcome: 'cut' });
  await ledger.finish(end);
  assert.deepEqual(
    log.finished.map(({ outcome }) => outcome),
    ['cut'],
  );
});

test('an end is told once, and only when it was recorded', async () => {
  const { log, ledger, told } = createLedger();
  await ledger.finish(end);
  assert.deepEqual(told, [], 'without a start there is no end');
  await ledger.record({ kind: 'started', started });
  log.failsAppend = () => true;
  await assert.rejects(ledger.finish(end));
  assert.deepEqual(told, []);
  log.failsAppend = () => false;
  await ledger.finish({ ...end, outcome: 'cut' });
  await ledger.finish(end);
  assert.deepEqual(told, ['cut']);
});

test('what was noted is written in order, and a sync waits for it', async () => {
  const { log, ledger } = createLedger();
  const gate = new Gate();
  log.onAppend = async () => gate.passed;
  ledger.note({ kind: 'started', started });
  ledger.note({ kind: 'request_body', bytes: Buffer.from('a') });
  let synced = false;
  const syncing = ledger.sync().then(() => {
    synced = true;
  });
  await settle();
  assert.equal(synced, false);
  gate.open();
  await syncing;
  assert.deepEqual(log.kinds(), ['started', 'request_body']);
});

test('an exchange that lost a noted record never syncs, and has an end all the same', async () => {
  const { log, ledger } = createLedger();
  ledger.note({ kind: 'started', started });
  log.failsAppend = (kind) => kind === 'request_body';
  ledger.note({ kind: 'request_body', bytes: Buffer.from('a') });
  await assert.rejects(ledger.sync(), /no space left/);
  await ledger.finish({ ...end, outcome: 'refused' });
  assert.equal(log.finished.length, 1);
  await assert.rejects(ledger.sync(), /no space left/);
});

test('a record that comes behind one that was lost is written, and nobody is told that it counts', async () => {
  const { log, ledger } = createLedger();
  ledger.note({ kind: 'started', started });
  log.failsAppend = (kind) => kind === 'answer_trailers';
  ledger.note({ kind: 'answer_trailers', headers: [] });
  await assert.rejects(ledger.record({ kind: 'answer_body', bytes: Buffer.from('a') }), /no space left/);
  await assert.rejects(ledger.written(), /no space left/);
  assert.deepEqual(log.kinds(), ['started', 'answer_body']);
  await ledger.finish({ ...end, outcome: 'cut' });
  assert.equal(log.finished.length, 1);
});

test('what ends an exchange, and what says that its answer has ended, is written to a full log too, and nothing else', async () => {
  const { log, ledger } = createLedger();
  const ends: boolean[] = [];
  log.appendAll = async (_records, options) => void ends.push(options?.isEnd === true);
  await ledger.record({ kind: 'started', started });
  await ledger.record({ kind: 'answer_body', bytes: Buffer.from('a') });
  await ledger.record({ kind: 'answer_trailers', headers: [['x-end', '1']] });
  await ledger.record({ kind: 'answer_trailers', headers: [] });
  await ledger.finish(end);
  assert.deepEqual(ends, [false, false, false, true, true]);
});

test('a record counts when all that was noted before it is written', async () => {
  const { log, ledger } = createLedger();
  const gate = new Gate();
  log.onAppend = (kind) => (kind === 'started' ? gate.passed : Promise.resolve());
  ledger.note({ kind: 'started', started });
  let isWritten = false;
  const written = ledger.record({ kind: 'answer_body', bytes: Buffer.from('a') }).then(() => {
    isWritten = true;
  });
  await settle();
  assert.equal(isWritten, false);
  gate.open();
  await written;
});

test('whoever would end an exchange whose noted start was lost hears of it, and no end is written', async () => {
  const { log, ledger } = createLedger();
  log.failsAppend = (kind) => kind === 'started';
  ledger.note({ kind: 'started', started });
  await assert.rejects(ledger.finish(end), /no space left/);
  assert.deepEqual(log.records, []);
});

test('what the log answers with one promise is lost together, and whoever waits for any of it hears of it', async () => {
  const { log, ledger, told } = createLedger();
  const { promise, reject } = Promise.withResolvers<void>();
  log.appendAll = () => promise;
  ledger.note({ kind: 'started', started });
  ledger.note({ kind: 'request_body', bytes: Buffer.from('a') });
  const recorded = assert.rejects(ledger.record({ kind: 'request_body', bytes: Buffer.from('b') }), /lost/);
  const synced = assert.rejects(ledger.sync(), /lost/);
  assert.equal(ledger.isOpen, true);
  reject(new Error('lost'));
  await Promise.all([recorded, synced]);
  assert.equal(ledger.isOpen, false, 'the start is lost, too');
  await assert.rejects(ledger.finish(end), /lost/);
  assert.deepEqual(told, []);
});

test('a record that is lost is not made good by a later one that is written', async () => {
  const { log, ledger } = createLedger();
  const outcomes = [Promise.resolve(), Promise.reject(new Error('lost')), Promise.resolve()];
  log.appendAll = () => outcomes.shift() ?? Promise.resolve();
  ledger.note({ kind: 'started', started });
  ledger.note({ kind: 'request_body', bytes: Buffer.from('a') });
  ledger.note({ kind: 'request_body', bytes: Buffer.from('b') });
  await assert.rejects(ledger.sync(), /lost/);
});
