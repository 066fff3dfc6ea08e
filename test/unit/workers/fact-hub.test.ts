import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FactHub } from '../../../extproc/workers/fact-hub.ts';
import type { SharedFact, ToWorker } from '../../../extproc/workers/protocol.ts';

const linkOf = (key: string): SharedFact => ({ kind: 'session_link', key, session: `session of ${key}` });
const others = (...workers: number[]) => workers.map((worker) => ({ worker, answering: true }));

class Rig {
  readonly sent: [worker: number, message: ToWorker][] = [];
  readonly hub = new FactHub((worker, message) => this.sent.push([worker, message]));

  answers(): unknown[] {
    return this.sent.filter(([, { kind }]) => kind === 'shared');
  }

  factsTo(worker: number): number {
    return this.sent.filter(([to, { kind }]) => to === worker && kind === 'fact').length;
  }
}

test('a fact goes to every other worker, and the one that shared it hears when all have noted it', () => {
  const { hub, sent, ...rig } = new Rig();
  const fact = linkOf('a');
  hub.share(1, 7, fact, others(1, 2, 3));
  assert.deepEqual(sent, [
    [2, { kind: 'fact', id: 1, fact }],
    [3, { kind: 'fact', id: 1, fact }],
  ]);
  hub.noted(3, 1);
  assert.equal(sent.length, 2);
  hub.noted(2, 1);
  assert.deepEqual(sent.at(-1), [1, { kind: 'shared', ask: 7 }]);
  assert.ok(rig);
});

test('a worker without others is answered at once', () => {
  const rig = new Rig();
  rig.hub.share(1, 7, linkOf('a'), others(1));
  assert.deepEqual(rig.sent, [[1, { kind: 'shared', ask: 7 }]]);
});

test('nobody waits for a worker that died, is silent or begins; who begins is told all the same', () => {
  const rig = new Rig();
  rig.hub.share(1, 7, linkOf('a'), [...others(1, 2), { worker: 3, answering: false }]);
  assert.equal(rig.factsTo(3), 1);
  assert.deepEqual(rig.answers(), []);
  rig.hub.gone(2);
  assert.deepEqual(rig.answers(), [[1, { kind: 'shared', ask: 7 }]]);
  rig.hub.noted(3, 1);
  assert.equal(rig.answers().length, 1, 'and answered once');
});

test('a worker that notes nothing is not told without bound, and is told again when it began anew', () => {
  const rig = new Rig();
  for (let ask = 0; ask < 1_500; ask += 1) {
    rig.hub.share(1, ask, linkOf(`${ask}`), [...others(1), { worker: 2, answering: false }]);
  }
  assert.equal(rig.factsTo(2), 1_000);
  rig.hub.began(2);
  rig.hub.share(1, 2_000, linkOf('new'), others(1, 2));
  assert.equal(rig.factsTo(2), 1_001);
});

test('a worker that begins later is given what was shared last, the newest of each key', () => {
  const rig = new Rig();
  for (let ask = 0; ask < 10_001; ask += 1) rig.hub.share(1, ask, linkOf(`${ask}`), []);
  rig.hub.share(2, 0, { kind: 'session_link', key: '1', session: 'later' }, []);
  const { remembered } = rig.hub;
  assert.equal(remembered.length, 10_000);
  assert.deepEqual(remembered[0], linkOf('2'));
  assert.deepEqual(remembered.at(-1), { kind: 'session_link', key: '1', session: 'later' });
});

test('who broke an exchange off goes to the others now, and not to who begins later', () => {
  const rig = new Rig();
  const report = { by: 'client', detail: 'DC downstream_remote_disconnect' } as const;
  rig.hub.share(1, 1, { kind: 'end_report', exchangeId: 'a', report }, others(1, 2));
  assert.equal(rig.factsTo(2), 1);
  assert.deepEqual(rig.hub.remembered, []);
});

test('what a worker asked before it died is not answered to the one that follows it', () => {
  const rig = new Rig();
  rig.hub.share(1, 1, linkOf('a'), others(1, 2));
  rig.hub.began(1);
  rig.hub.noted(2, 1);
  assert.deepEqual(rig.answers(), []);
});

test('the owner of a thing is told to the others, and to a worker that starts later', () => {
  const rig = new Rig();
  const fact: SharedFact = { kind: 'owner', key: 'a', owner: 'ada' };
  rig.hub.share(1, 7, fact, others(1, 2));
  assert.deepEqual(rig.sent, [[2, { kind: 'fact', id: 1, fact }]]);
  assert.deepEqual(rig.hub.remembered, [fact]);
});
