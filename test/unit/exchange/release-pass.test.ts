import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PassedRequest, ReleasePasses, type UsedPasses } from '../../../extproc/exchange/release-pass.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { usedPasses } from '../../builders/used-passes.ts';

const key = keyedHashWith(new Uint8Array(32).fill(3));
const request: PassedRequest = {
  ...{ exchangeId: '0196b0c0-0000-7000-8000-000000000001', connection: 'claude' },
  ...{ method: 'POST', target: '/v1/messages?beta=true', bytes: 12 },
};

function passesAt(timeMs: number, keyedHash = key, used: UsedPasses = usedPasses()): ReleasePasses {
  return new ReleasePasses(keyedHash, { nowMs: () => timeMs }, used);
}

const pass = passesAt(0).write(request);

test('a pass is good for its request, once, for half a minute, wherever the key is known', async () => {
  assert.equal(await passesAt(0).use(pass, request), request.exchangeId);
  assert.equal(await passesAt(30_000).use(pass, request), request.exchangeId);
  assert.equal(await passesAt(30_001).use(pass, request), null);
  const passes = passesAt(1);
  assert.deepEqual(await Promise.all([passes.use(pass, request), passes.use(pass, request)]), [
    request.exchangeId,
    null,
  ]);
});

test('a pass that was used in another process is used', async () => {
  const used = usedPasses();
  assert.equal(await passesAt(0, key, used).use(pass, request), request.exchangeId);
  assert.equal(await passesAt(0, key, used).use(pass, request), null);
});

test('a pass is good for nothing while it cannot be known whether it was used', async () => {
  const passes = passesAt(0, key, { take: () => Promise.reject(new Error('EIO')) });
  await assert.rejects(passes.use(pass, request), /EIO/);
});

test('who was refused a pass is told so in a way that belongs to it and to the key', () => {
  const other = keyedHashWith(new Uint8Array(32).fill(4));
  const refusals = [passesAt(0).refusalOf(pass), passesAt(0).refusalOf('x'), passesAt(0, other).refusalOf(pass)];
  assert.equal(new Set(refusals).size, 3);
});

test('a pass is for nothing else', async () => {
  const others: Partial<PassedRequest>[] = [
    ...[{ connection: 'sandbox' }, { method: 'GET' }, { target: '/v1/messages' }, { target: '/v1/files' }],
    ...[{ bytes: 13 }, { bytes: 11 }],
  ];
  for (const other of others) assert.equal(await passesAt(0).use(pass, { ...request, ...other }), null);
});

test('a pass by another key, for later, or of which one character was changed is none', async () => {
  const other = keyedHashWith(new Uint8Array(32).fill(4));
  assert.equal(await passesAt(0).use(passesAt(0, other).write(request), request), null);
  assert.equal(await passesAt(0).use(passesAt(1).write(request), request), null);
  const characters = fc.constantFrom(...'0123456789abcdef.-');
  await fc.assert(
    fc.asyncProperty(fc.nat(pass.length - 1), characters, async (at, character) => {
      const changed = pass.slice(0, at) + character + pass.slice(at + 1);
      fc.pre(changed !== pass);
      assert.equal(await passesAt(0).use(changed, request), null);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => assert.equal(await passesAt(0).use(text, request), null)),
  );
});

test('many passes can be used, and those that are over are forgotten', async () => {
  let nowMs = 0;
  const passes = new ReleasePasses(key, { nowMs: () => nowMs }, usedPasses());
  const used = async (at: number) => {
    const one = { ...request, exchangeId: `0196b0c0-0000-7000-8000-${at.toString(16).padStart(12, '0')}` };
    return (await passes.use(passes.write(one), one)) !== null;
  };
  for (let at = 0; at < 20_000; at += 1) assert.ok(await used(at));
  assert.ok(!(await used(20_000)), 'more than are remembered');
  nowMs = 30_001;
  assert.ok(await used(20_001));
});
