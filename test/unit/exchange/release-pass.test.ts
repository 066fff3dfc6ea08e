import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PassedRequest, ReleasePasses } from '../../../extproc/exchange/release-pass.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';

const key = keyedHashWith(new Uint8Array(32).fill(3));
const request: PassedRequest = {
  ...{ exchangeId: '0196b0c0-0000-7000-8000-000000000001', connection: 'claude' },
  ...{ method: 'POST', target: '/v1/messages?beta=true', bytes: 12 },
};

function passesAt(timeMs: number, keyedHash = key): ReleasePasses {
  return new ReleasePasses(keyedHash, { nowMs: () => timeMs });
}

const pass = passesAt(0).write(request);

test('a pass is good for its request, once, for half a minute, wherever the key is known', () => {
  assert.equal(passesAt(0).use(pass, request), request.exchangeId);
  assert.equal(passesAt(30_000).use(pass, request), request.exchangeId);
  assert.equal(passesAt(30_001).use(pass, request), null);
  const passes = passesAt(1);
  assert.equal(passes.use(pass, request), request.exchangeId);
  assert.equal(passes.use(pass, request), null);
});

test('a pass is for nothing else', () => {
  const others: Partial<PassedRequest>[] = [
    ...[{ connection: 'sandbox' }, { method: 'GET' }, { target: '/v1/messages' }, { target: '/v1/files' }],
    ...[{ bytes: 13 }, { bytes: 11 }],
  ];
  for (const other of others) assert.equal(passesAt(0).use(pass, { ...request, ...other }), null);
});

test('a pass by another key, for later, or of which one character was changed is none', () => {
  const other = keyedHashWith(new Uint8Array(32).fill(4));
  assert.equal(passesAt(0).use(passesAt(0, other).write(request), request), null);
  assert.equal(passesAt(0).use(passesAt(1).write(request), request), null);
  const characters = fc.constantFrom(...'0123456789abcdef.-');
  fc.assert(
    fc.property(fc.nat(pass.length - 1), characters, (at, character) => {
      const changed = pass.slice(0, at) + character + pass.slice(at + 1);
      fc.pre(changed !== pass);
      assert.equal(passesAt(0).use(changed, request), null);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => assert.equal(passesAt(0).use(text, request), null)));
});

test('many passes can be used, and those that are over are forgotten', () => {
  let nowMs = 0;
  const passes = new ReleasePasses(key, { nowMs: () => nowMs });
  const used = (at: number) => {
    const one = { ...request, exchangeId: `0196b0c0-0000-7000-8000-${at.toString(16).padStart(12, '0')}` };
    return passes.use(passes.write(one), one) !== null;
  };
  for (let at = 0; at < 20_000; at += 1) assert.ok(used(at));
  assert.ok(!used(20_000), 'more than are remembered');
  nowMs = 30_001;
  assert.ok(used(20_001));
});
