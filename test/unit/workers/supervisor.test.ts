import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerStart } from '../../../extproc/workers/protocol.ts';
import type { WorkerState } from '../../../extproc/workers/supervisor.ts';
import {
  deathsReportedAfter,
  endMaxMs,
  restartDelayMaxMs,
  restartDelayMs,
  silentAfterMs,
  startMaxMs,
  WorkerSupervisor,
  wellAfterMs,
} from '../../../extproc/workers/supervisor.ts';
import { FakeClock, FakeWorker, keptLog, settled } from './fake-worker.ts';

const drainMaxMs = 2_000;

class Rig {
  readonly clock = new FakeClock();
  readonly workers: FakeWorker[] = [];
  readonly states: WorkerState[] = [];
  /** What happens in their order: launches, deaths that were taken over. */
  readonly events: string[] = [];
  readonly kept = keptLog();
  takeOver: () => Promise<void> = async () => {};
  readonly supervisor = new WorkerSupervisor({
    ...{ worker: 2, drainMaxMs, clock: this.clock, log: this.kept.log },
    launch: (say) => {
      this.events.push('launch');
      const worker = new FakeWorker(say);
      this.workers.push(worker);
      return worker;
    },
    start: () => ({ worker: 2 }) as WorkerStart,
    takeOver: async () => {
      await this.takeOver();
      this.events.push('taken over');
    },
    onMessage: () => {},
    onState: (state) => this.states.push(state),
  });

  get worker(): FakeWorker {
    const worker = this.workers.at(-1);
    if (worker === undefined) throw new Error('no worker was launched');
    return worker;
  }

  /** One that records. */
  static async recording(): Promise<Rig> {
    const rig = new Rig();
    const begun = rig.supervisor.begin();
    rig.worker.say({ kind: 'recording' });
    await begun;
    return rig;
  }

  async dies(ended: number | string = 'SIGKILL'): Promise<void> {
    this.worker.die(ended);
    await settled();
  }

  /** Lets the pause before the next start go by; returns its length. */
  async restarted(): Promise<number> {
    const [wait] = this.clock.paused;
    assert.ok(wait !== undefined && this.clock.paused.length === 1, 'one wait for the next start');
    await this.clock.advance(wait.ms);
    return wait.ms;
  }
}

test('a worker is told to start and counts as recording when it says so', async () => {
  const rig = new Rig();
  const begun = rig.supervisor.begin();
  assert.deepEqual(rig.worker.told, [{ kind: 'start', start: { worker: 2 } }]);
  assert.equal(rig.supervisor.status().state, 'starting');
  rig.worker.say({ kind: 'recording' });
  await begun;
  assert.deepEqual(rig.supervisor.status(), { worker: 2, state: 'recording', restarts: 0 });
});

test('the journal of a dead worker is taken over at once, and only then another one is started, after a pause', async () => {
  const rig = await Rig.recording();
  await rig.dies();
  assert.deepEqual(rig.events, ['launch', 'taken over']);
  assert.equal(rig.supervisor.status().state, 'waiting');
  assert.equal(await rig.restarted(), restartDelayMs);
  assert.deepEqual(rig.events, ['launch', 'taken over', 'launch']);
  rig.worker.say({ kind: 'recording' });
  assert.deepEqual(rig.supervisor.status(), { worker: 2, state: 'recording', restarts: 1 });
});

test('each death in a row makes the pause twice as long up to the longest, and is said louder from the fifth on', async () => {
  const rig = await Rig.recording();
  const pauses: number[] = [];
  for (let deaths = 1; deaths <= 10; deaths += 1) {
    await rig.dies(1);
    pauses.push(await rig.restarted());
  }
  assert.deepEqual(
    pauses,
    Array.from({ length: 10 }, (_, at) => Math.min(restartDelayMs * 2 ** at, restartDelayMaxMs)),
  );
  assert.equal(rig.events.filter((event) => event === 'taken over').length, 10, 'taken over each time');
  const fatal = rig.kept.lines.filter(({ level }) => level === 60);
  assert.equal(fatal.length, 10 - deathsReportedAfter + 1);
});

test('a worker that recorded long enough is well: its next death counts as the first', async () => {
  const rig = await Rig.recording();
  for (let deaths = 1; deaths <= 4; deaths += 1) {
    await rig.dies();
    await rig.restarted();
  }
  rig.worker.say({ kind: 'recording' });
  await rig.clock.advance(wellAfterMs);
  await rig.dies();
  assert.equal(await rig.restarted(), restartDelayMs);
});

test('while its journal cannot be taken over no worker is started, and it is tried again', async () => {
  const rig = await Rig.recording();
  rig.takeOver = () => Promise.reject(new Error('damaged'));
  await rig.dies();
  assert.equal(rig.supervisor.status().state, 'waiting');
  await rig.restarted();
  assert.equal(rig.workers.length, 1);
  rig.takeOver = async () => {};
  await rig.restarted();
  await rig.restarted();
  assert.deepEqual(rig.events, ['launch', 'taken over', 'launch']);
});

test('a first start that fails is told with the words of the worker, and not tried again', async () => {
  const rig = new Rig();
  const begun = rig.supervisor.begin();
  rig.worker.say({ kind: 'failed', code: 'usage', message: 'cannot listen', remedy: 'free the port' });
  rig.worker.die(1);
  await assert.rejects(begun, { code: 'usage', message: 'cannot listen', remedy: 'free the port' });
  await settled();
  assert.equal(rig.workers.length, 1);
  await rig.supervisor.stop();
});

test('a first start that dies without a word fails too, and one that hangs is ended', async () => {
  const silent = new Rig();
  const begun = silent.supervisor.begin();
  silent.worker.die('SIGSEGV');
  await assert.rejects(begun, /SIGSEGV/);
  const hanging = new Rig();
  const never = hanging.supervisor.begin();
  await hanging.clock.advance(startMaxMs);
  assert.ok(hanging.worker.killed);
  await assert.rejects(never, /SIGKILL/);
});

test('a worker that says nothing is reported and left alone, and is as before when it speaks again', async () => {
  const rig = await Rig.recording();
  for (let elapsedMs = 0; elapsedMs <= silentAfterMs; elapsedMs += 1_000) {
    rig.supervisor.checkHeartbeat();
    await rig.clock.advance(1_000);
  }
  rig.supervisor.checkHeartbeat();
  assert.equal(rig.supervisor.status().state, 'silent');
  assert.ok(!rig.worker.killed);
  rig.worker.say({ kind: 'alive' });
  assert.deepEqual(rig.supervisor.status(), { worker: 2, state: 'recording', restarts: 0 });
});

test('a worker that speaks is never taken for a silent one', async () => {
  const rig = await Rig.recording();
  for (let round = 0; round < 20; round += 1) {
    rig.worker.say({ kind: 'alive' });
    await rig.clock.advance(1_000);
    rig.supervisor.checkHeartbeat();
  }
  assert.equal(rig.supervisor.status().state, 'recording');
});

test('a primary that was frozen itself does not take its workers for silent', async () => {
  const rig = await Rig.recording();
  rig.supervisor.checkHeartbeat();
  await rig.clock.advance(60_000);
  rig.supervisor.checkHeartbeat();
  assert.equal(rig.supervisor.status().state, 'recording');
});

test('stopping drains a worker, and one that ends well leaves nothing to take over', async () => {
  const rig = await Rig.recording();
  const stopped = rig.supervisor.stop();
  assert.deepEqual(rig.worker.told.at(-1), { kind: 'drain' });
  assert.equal(rig.supervisor.status().state, 'draining');
  await rig.dies(0);
  await stopped;
  assert.deepEqual(rig.events, ['launch']);
  assert.ok(!rig.worker.killed);
  assert.equal(rig.supervisor.status().state, 'ended');
});

test('a worker that does not end in time is killed, and what it left open is ended', async () => {
  const rig = await Rig.recording();
  const stopped = rig.supervisor.stop();
  await rig.clock.advance(drainMaxMs + endMaxMs - 1);
  assert.ok(!rig.worker.killed);
  await rig.clock.advance(1);
  assert.ok(rig.worker.killed);
  await stopped;
  assert.deepEqual(rig.events, ['launch', 'taken over']);
});

test('a worker that dies while it drains leaves a journal that is taken over before the end', async () => {
  const rig = await Rig.recording();
  const stopped = rig.supervisor.stop();
  await rig.dies('SIGKILL');
  await stopped;
  assert.deepEqual(rig.events, ['launch', 'taken over']);
});

test('stopping does not wait for the pause before a restart, and starts nothing', async () => {
  const rig = await Rig.recording();
  await rig.dies();
  await rig.supervisor.stop();
  assert.equal(rig.workers.length, 1);
  assert.equal(rig.events.filter((event) => event === 'taken over').length, 1);
});

test('what a dead process is still heard to say does not count for the one that follows it', async () => {
  const rig = await Rig.recording();
  const { worker: dead } = rig;
  await rig.dies();
  await rig.restarted();
  dead.say({ kind: 'recording' });
  assert.equal(rig.supervisor.status().state, 'starting');
});
