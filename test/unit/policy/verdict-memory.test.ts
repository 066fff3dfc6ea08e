import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerdictMemory } from '../../../extproc/policy/verdict-memory.ts';
import { bareFiles, engineOf } from '../../policy/directory.ts';
import { accessDocument, requestDocument } from '../../policy/documents.ts';

const allow = { verdict: 'allow', reasons: [] as string[] };

test('what was asked for last is kept, and one who varies a field pushes out no more than there is room for', () => {
  const memory = new VerdictMemory<typeof allow>();
  memory.remember('asked for', { ...allow });
  for (let at = 0; at < 20_000; at += 1) {
    memory.remember(`varied ${at}`, { ...allow });
    if (at % 1_000 === 0) assert.notEqual(memory.recall('asked for'), undefined);
  }
  assert.equal(memory.size, 2_000);
  assert.notEqual(memory.recall('asked for'), undefined);
  assert.equal(memory.recall('varied 17999'), undefined);
  assert.notEqual(memory.recall('varied 19999'), undefined);
});

test('long inputs and decisions are kept by their size, and very long ones not at all', () => {
  const memory = new VerdictMemory<typeof allow>();
  const long = 'x'.repeat(10_000);
  for (let at = 0; at < 1_000; at += 1) memory.remember(`${at} ${long}`, { ...allow });
  const kept = memory.size;
  assert.ok(kept > 100 && kept * long.length <= 2 * 1024 * 1024, String(kept));
  for (let at = 0; at < 10; at += 1) memory.remember(`0 ${long}`, { ...allow });
  assert.equal(memory.size, kept);
  memory.remember('short', { ...allow, reasons: Array.from({ length: 10 }, () => 'y'.repeat(2_000)) });
  assert.equal(memory.recall('short'), undefined);
  memory.remember('x'.repeat(16 * 1024), { ...allow });
  assert.equal(memory.recall('x'.repeat(16 * 1024)), undefined);
});

test('nobody can change a decision that is given again', async (t) => {
  const access = 'decision := {"verdict": "deny", "reasons": [{"rule": "a/b", "message": "m"}]}';
  const { engine } = await engineOf(t, bareFiles({ access }));
  const [first, again] = [engine.access(accessDocument()), engine.access(accessDocument())];
  assert.equal(first, again);
  for (const part of [first, first.reasons, first.reasons[0]]) assert.ok(Object.isFrozen(part));
});

test('a failure is not remembered: each request is judged anew, and each failure is reported', async (t) => {
  const { engine, failures } = await engineOf(t, bareFiles({ access: 'decision := {"verdict": "maybe"}' }));
  for (let round = 1; round <= 3; round += 1) {
    assert.equal(engine.access(accessDocument()).verdict, 'deny');
    assert.equal(failures.length, round);
  }
});

test('stages do not take verdicts from each other, and a policy none from another', async (t) => {
  const deny = 'decision := {"verdict": "deny", "reasons": [{"rule": "a/b", "message": "m"}]}';
  const [one, other] = [
    await engineOf(t, bareFiles({ request: deny })),
    await engineOf(t, bareFiles({ access: deny })),
  ];
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(
      [one.engine.access(accessDocument()).verdict, one.engine.request(requestDocument()).verdict],
      ['allow', 'deny'],
    );
    assert.deepEqual(
      [other.engine.access(accessDocument()).verdict, other.engine.request(requestDocument()).verdict],
      ['deny', 'allow'],
    );
  }
});

test('a prompt that a rule looks at is not kept, and each request by itself hides what a message takes out of it', async (t) => {
  const request = 'decision := {"verdict": "deny", "reasons": [{"rule": "a/b", "message": input.excerpt.text}]}';
  const { engine } = await engineOf(t, bareFiles({ request }));
  const asking = (path: string) =>
    engine.request(
      requestDocument({ excerpt: { text: 'zebra', complete: true }, request: { ...requestDocument().request, path } }),
    );
  assert.notEqual(asking('/x'), asking('/x'));
  const messages = ['/v1/messages', '/zebra', '/v1/messages'].map((path) => asking(path).reasons[0]?.message);
  assert.deepEqual(messages, ['A rule of the policy applies.', 'zebra', 'A rule of the policy applies.']);
});
