import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayLookAtExcerpt } from '../../../extproc/policy/findings-use.ts';
import { quietReasons, wordsIn } from '../../../extproc/policy/quiet-reasons.ts';
import { readSources } from '../../../extproc/policy/sources.ts';
import { bareFiles, engineOf } from '../../policy/directory.ts';
import { requestDocument } from '../../policy/documents.ts';
import { policiesDirectory } from '../../policy/opa.ts';

test('as shipped no excerpt is made; an entry of the list or a rule of an operator changes that', async () => {
  const { compiled } = await readSources(policiesDirectory);
  assert.equal(mayLookAtExcerpt(compiled), false);
  const list = Buffer.from('{"rules": [{"effect": "deny", "phrases": ["x"]}]}');
  assert.equal(mayLookAtExcerpt(new Map([...compiled, ['lists/prompts/data.json', list]])), true);
  const rule = Buffer.from('package skilltape.rules.request.a\n\nfindings contains {} if input.excerpt.complete');
  assert.equal(mayLookAtExcerpt(new Map([...compiled, ['rules/request/a/a.rego', rule]])), true);
});

const planted = 'Zanzibar merger: token k9x7q2';
const excerpt = { text: planted, complete: true };

test('no reason of a rule repeats what it read of a prompt, whole, in pieces or in other letters', async (t) => {
  const messages = [
    '$"It says {input.excerpt.text}"',
    '$"It begins with {substring(input.excerpt.text, 0, 5)}"',
    '$"It ends with {upper(substring(input.excerpt.text, 23, -1))}"',
    'split(input.excerpt.text, " ")[1]',
    '"This is not allowed."',
  ];
  const reasons = messages.map((message, at) => `{"rule": "request/r${at}", "message": ${message}}`).join(', ');
  for (const decision of [
    `decision := {"verdict": "deny", "reasons": [${reasons}]}`,
    `decision := {"verdict": "allow", "reasons": [], "observed": {"verdict": "deny", "reasons": [${reasons}]}}`,
    `decision := {"verdict": "allow", "reasons": [], "lifted": {"grants": ["g-1"], "reasons": [${reasons}]}}`,
  ]) {
    const { engine, failures } = await engineOf(t, bareFiles({ request: decision }));
    assert.equal(engine.looksAtExcerpt, true);
    const judged = engine.request(requestDocument({ excerpt }));
    const said = (judged.observed ?? judged.lifted ?? judged).reasons.map(({ message }) => message);
    const quiet = 'A rule of the policy applies.';
    assert.deepEqual(said, [quiet, quiet, quiet, quiet, 'This is not allowed.']);
    assert.deepEqual(failures, []);
  }
});

test('words that the policy or the rest of the request has may be said, also when the prompt has them', () => {
  const decision = {
    verdict: 'deny' as const,
    status: 403 as const,
    reasons: [{ rule: 'request/a', message: 'The model "claude-opus-5-5" is not allowed to Zanzibar.' }],
  };
  const own = new Set(wordsIn('the model is not allowed to you'));
  const asked = (text: string) => quietReasons(decision, requestDocument({ excerpt: { ...excerpt, text } }), own);
  assert.deepEqual(asked('the model claude-opus-5-5 is not allowed'), decision);
  assert.equal(asked('hello ZANZIBAR').reasons[0]?.message, 'A rule of the policy applies.');
});

test('a policy that fails on an excerpt says nothing of it', async (t) => {
  const request = `decision := {"verdict": "deny", "reasons": [{"rule": input.excerpt.text, "message": 1}], input.excerpt.text: 1}`;
  const { engine, failures } = await engineOf(t, bareFiles({ request }));
  const decision = engine.request(requestDocument({ excerpt }));
  assert.equal(decision.verdict, 'deny');
  assert.equal(failures.length, 1);
  assert.ok(!/zanzibar|k9x7q2/i.test(JSON.stringify([decision, String(failures[0]), failures[0]?.cause ?? ''])));
});
