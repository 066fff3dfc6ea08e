import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../../../extproc/exchange/exchange.ts';
import { ReleaseGate, refusesAll } from '../../../extproc/exchange/release-gate.ts';
import { ReleasePasses } from '../../../extproc/exchange/release-pass.ts';
import { usedPasses } from '../../builders/used-passes.ts';
import { requestBody, requestHeaders } from './frames.ts';
import { claude, createRig } from './rig.ts';

const id = '0196b0c0-0000-7000-8000-000000000001';

function gateOf(used = usedPasses()) {
  const rig = createRig();
  const passes = new ReleasePasses(rig.context.keyedHash, rig.context.clock, used);
  const refusing = new Exchange({ ...rig.context, judge: () => refusesAll }, claude, '');
  const faults: string[] = [];
  const gate = new ReleaseGate(passes, 'claude', refusing, (_, { message }) => void faults.push(message));
  const request = { exchangeId: id, connection: 'claude', method: 'POST', target: '/v1/messages', bytes: 3 };
  return { rig, gate, passes, faults, pass: passes.write(request) };
}

test('a request with a pass goes on without it, and is neither judged nor recorded', async () => {
  const { rig, gate, pass } = gateOf();
  const headers = [['x-skilltape-release', pass] as const, ['content-length', '3'] as const];
  const action = await gate.accept(requestHeaders({ headers }));
  assert.ok(action.kind === 'release');
  assert.deepEqual(action.removeHeaders, ['x-skilltape-release']);
  assert.deepEqual(action.accessLog, { exchange: id, connection: 'claude', verdict: 'released', refusal: 'released' });
  assert.equal(gate.id, id);
  await gate.abandon('stream_ended', '');
  assert.deepEqual(rig.log.records, []);
  assert.equal((await gate.accept(requestBody('abc', true))).kind, 'cut');
});

test('what has no pass is refused and recorded, whoever it says it is', async () => {
  const { rig, gate } = gateOf();
  const action = await gate.accept(requestHeaders({ headers: [['content-length', '3']] }));
  assert.ok(action.kind === 'local_reply');
  assert.equal(action.reply.status, 403);
  await gate.abandon('stream_ended', '');
  assert.deepEqual(
    rig.log.finished.map(({ outcome }) => outcome),
    ['denied'],
  );
});

test('a pass that comes twice, or without the length of the body, is none', async () => {
  for (const more of [[], [['content-length', 'x']], [['content-length', '3'], 'again']] as const) {
    const { gate, pass } = gateOf();
    const shown = ['x-skilltape-release', pass] as const;
    const headers = more.map((one) => (one === 'again' ? shown : one)) as (readonly [string, string])[];
    assert.equal((await gate.accept(requestHeaders({ headers: [shown, ...headers] }))).kind, 'local_reply');
  }
});

test('whoever showed a pass that is refused is told so in a way that only we can', async () => {
  const used = usedPasses();
  const { gate: first, pass } = gateOf(used);
  const headers = [['x-skilltape-release', pass] as const, ['content-length', '3'] as const];
  assert.equal((await first.accept(requestHeaders({ headers }))).kind, 'release');
  const { gate, passes, faults } = gateOf(used);
  const action = await gate.accept(requestHeaders({ headers }));
  assert.ok(action.kind === 'local_reply');
  assert.equal(action.reply.headers['x-skilltape-release-refused'], passes.refusalOf(pass));
  assert.deepEqual(faults, []);
});

test('while it cannot be known what was used every pass is refused, and operators hear of it', async () => {
  const { gate, faults, pass } = gateOf({ take: () => Promise.reject(new Error('EIO')) });
  const headers = [['x-skilltape-release', pass] as const, ['content-length', '3'] as const];
  assert.equal((await gate.accept(requestHeaders({ headers }))).kind, 'local_reply');
  assert.deepEqual(faults, ['EIO']);
});

test('nothing but a refusal comes of another frame', async () => {
  const { gate } = gateOf();
  assert.equal((await gate.accept(requestBody('abc', true))).kind, 'cut');
});
