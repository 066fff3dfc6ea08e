import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Channel } from '../../../extproc/workers/primary-link.ts';
import { PrimaryLink, shareTimeoutMs } from '../../../extproc/workers/primary-link.ts';
import type { FromWorker, SharedFact, ToWorker, WorkerStart } from '../../../extproc/workers/protocol.ts';

const fact: SharedFact = { kind: 'session_link', key: 'a', session: 's-1' };
const start = { worker: 2 } as WorkerStart;
const report = { readiness: { ready: true, conditions: [] }, metrics: [] };

/** The primary's end; while `reads` is false, what is sent stays in the channel. */
class FakeChannel implements Channel {
  connected = true;
  reads = true;
  readonly sent: FromWorker[] = [];
  heed: (message: ToWorker) => void = () => {};
  disconnect: () => void = () => {};

  send(message: FromWorker, sent: (error: Error | null) => void): void {
    this.sent.push(message);
    if (this.reads) sent(null);
  }

  onMessage(heed: (message: ToWorker) => void): void {
    this.heed = heed;
  }

  onDisconnect(heed: () => void): void {
    this.disconnect = heed;
  }

  count(kind: FromWorker['kind']): number {
    return this.sent.filter((message) => message.kind === kind).length;
  }
}

function linkWith(
  channel: FakeChannel,
  ears: { delivered?: () => void; note?: (fact: SharedFact) => void; isBusy?: () => boolean } = {},
) {
  const link = new PrimaryLink(channel);
  const { delivered = () => {}, note = () => {}, isBusy = () => false } = ears;
  const others = { usePolicy: async () => {}, report: async () => report };
  const recording = () => link.recording({ delivered, note, isBusy, ...others });
  return { link, recording };
}

test('what other workers learn before this one records is noted when it does', () => {
  const channel = new FakeChannel();
  const noted: SharedFact[] = [];
  const { link, recording } = linkWith(channel, { note: (given) => noted.push(given) });
  channel.heed({ kind: 'start', start });
  channel.heed({ kind: 'fact', id: 5, fact });
  assert.equal(channel.count('noted'), 0);
  recording();
  assert.deepEqual(noted, [fact]);
  assert.deepEqual(channel.sent, [{ kind: 'noted', id: 5 }, { kind: 'recording' }]);
  link.close();
});

test('sharing ends when the others have it', async () => {
  const channel = new FakeChannel();
  const { link } = linkWith(channel);
  const shared = link.share(fact);
  assert.deepEqual(channel.sent, [{ kind: 'share', ask: 1, fact }]);
  channel.heed({ kind: 'shared', ask: 1 });
  await shared;
  link.close();
});

test('a primary that does not answer holds sharing up for a moment only, and gets a bounded number of facts', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const channel = new FakeChannel();
    channel.reads = false;
    const { link } = linkWith(channel);
    const shares = Array.from({ length: 1_200 }, () => link.share(fact));
    assert.equal(channel.count('share'), 1_000);
    mock.timers.tick(shareTimeoutMs);
    await Promise.all(shares);
    await link.share(fact);
    assert.equal(channel.count('share'), 1_000, 'none more before one is answered');
    channel.heed({ kind: 'shared', ask: 1 });
    const more = link.share(fact);
    assert.equal(channel.count('share'), 1_001);
    mock.timers.tick(shareTimeoutMs);
    await more;
    link.close();
  } finally {
    mock.timers.reset();
  }
});

test('a primary that reads nothing gets one message of life and one of ended exchanges, however long it lasts', () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  try {
    const channel = new FakeChannel();
    channel.reads = false;
    const { link } = linkWith(channel);
    for (let round = 0; round < 100; round += 1) {
      link.exchangeEnded();
      mock.timers.tick(1_000);
    }
    assert.deepEqual([channel.count('alive'), channel.count('ended')], [1, 1]);
    link.close();
  } finally {
    mock.timers.reset();
  }
});

test('with ended exchanges the primary is told whether the thread that answers Envoy is busy', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  try {
    const channel = new FakeChannel();
    let isBusy = true;
    const { link, recording } = linkWith(channel, { isBusy: () => isBusy });
    recording();
    for (const now of [true, false]) {
      isBusy = now;
      link.exchangeEnded();
      mock.timers.tick(100);
      // Until the channel took it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const told = channel.sent.filter(({ kind }) => kind === 'ended');
    assert.deepEqual(told, [
      { kind: 'ended', isBusy: true },
      { kind: 'ended', isBusy: false },
    ]);
    link.close();
  } finally {
    mock.timers.reset();
  }
});

test('without a primary nothing is sent or waited for, and the worker has to end', async () => {
  const channel = new FakeChannel();
  const { link } = linkWith(channel);
  channel.connected = false;
  channel.disconnect();
  await link.share(fact);
  assert.deepEqual(channel.sent, []);
  assert.equal(await link.over, 'primary_gone');
  link.close();
});

test('why a worker could not begin is told with code and remedy; a fault of the runtime has no remedy', async () => {
  const channel = new FakeChannel();
  const { link } = linkWith(channel);
  await link.failed(new SkilltapeError('usage', 'cannot listen', { remedy: 'free the port' }));
  await link.failed(new TypeError('x'));
  assert.deepEqual(channel.sent, [
    { kind: 'failed', code: 'usage', message: 'cannot listen', remedy: 'free the port' },
    { kind: 'failed', code: 'internal', message: 'x' },
  ]);
  link.close();
});

test('a worker that records says how it is when it is asked, and before that nothing', async () => {
  const channel = new FakeChannel();
  const { link, recording } = linkWith(channel);
  channel.heed({ kind: 'report', ask: 1 });
  recording();
  channel.heed({ kind: 'report', ask: 2 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    channel.sent.filter(({ kind }) => kind === 'report'),
    [{ kind: 'report', ask: 2, report }],
  );
  link.close();
});
