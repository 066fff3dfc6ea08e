import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { createPolicyEngine } from '../../../extproc/policy/engine.ts';
import { inputMaxBytes } from '../../../extproc/policy/input-bounds.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { bareFiles, engineOf, policyDirectory } from '../../policy/directory.ts';
import { accessDocument, claudeFacts, recordDocument, requestDocument } from '../../policy/documents.ts';
import { opaBinary } from '../../policy/opa.ts';

const failed = {
  verdict: 'deny',
  status: 403,
  reasons: [
    {
      rule: 'skilltape/policy_failed',
      message: 'The policy of this gateway failed, so the request was refused. An operator has to act.',
    },
  ],
};

test('a decision is given as the policy writes it, and a denial without a status is a 403', async (t) => {
  const { engine, failures } = await engineOf(
    t,
    bareFiles({
      access: 'decision := {"verdict": "deny", "reasons": [{"rule": "a/b", "message": "m"}]}',
      request: 'decision := {"verdict": "deny", "status": 401, "reasons": [{"rule": "a/b", "message": "m"}]}',
      record: 'decision := {"keep": "metadata", "retention_class": "short", "reasons": []}',
    }),
  );
  const reasons = [{ rule: 'a/b', message: 'm' }];
  assert.deepEqual(engine.access(accessDocument()), { verdict: 'deny', status: 403, reasons });
  assert.deepEqual(engine.request(requestDocument()), { verdict: 'deny', status: 401, reasons });
  assert.deepEqual(engine.record(recordDocument()), {
    ...{ keep: 'metadata', retention_class: 'short', reasons: [] },
    masking: usualMasking,
  });
  assert.deepEqual(failures, []);
});

test('an undefined decision denies, keeps metadata only, and is reported', async (t) => {
  const never = 'decision := {} if input.connection.name == "other"';
  const { engine, failures } = await engineOf(t, bareFiles({ access: never, request: never, record: never }));
  assert.deepEqual(engine.access(accessDocument()), failed);
  assert.deepEqual(engine.request(requestDocument()), failed);
  assert.deepEqual(engine.record(recordDocument()), {
    keep: 'metadata',
    retention_class: 'standard',
    masking: usualMasking,
    reasons: failed.reasons,
  });
  assert.deepEqual(
    failures.map(({ code, message }) => `${code}: ${message}`),
    ['access', 'request', 'record'].map((stage) => `policy_failed: The policy gave no ${stage} decision`),
  );
});

test('a decision of an odd shape denies', async (t) => {
  const odd = [
    'true',
    '"allow"',
    '["allow"]',
    '{"verdict": "allow"}',
    '{"verdict": "Allow", "reasons": []}',
    '{"verdict": "allow", "reasons": [], "extra": 1}',
    '{"verdict": "allow", "reasons": ["m"]}',
    '{"verdict": "hold", "reasons": []}',
    '{"verdict": "deny", "reasons": []}',
    '{"verdict": "deny", "status": 503, "reasons": [{"rule": "a", "message": "m"}]}',
    '{"verdict": "deny", "status": 200, "reasons": [{"rule": "a", "message": "m"}]}',
  ];
  const { engine, failures } = await engineOf(
    t,
    bareFiles({ access: `decision := [${odd.join(', ')}][input.request.content_length]` }),
  );
  const { request } = accessDocument();
  for (const [content_length, shape] of odd.entries()) {
    assert.deepEqual(engine.access(accessDocument({ request: { ...request, content_length } })), failed, shape);
  }
  assert.equal(failures.length, odd.length);
});

test('a retention class that could name another folder is not taken', async (t) => {
  const record = 'decision := {"keep": "full", "retention_class": input.connection.name, "reasons": []}';
  const { engine } = await engineOf(t, bareFiles({ record }));
  for (const name of ['../standard', '', 'A', 'a/b', 'a\n', 'x'.repeat(33)]) {
    const decision = engine.record(recordDocument({ connection: { ...recordDocument().connection, name } }));
    assert.deepEqual([decision.keep, decision.retention_class], ['metadata', 'standard'], name);
  }
});

test('a masking that cannot be taken keeps metadata only, with every type masked', async (t) => {
  const odd = [
    '"full"',
    '{}',
    '{"off": ["SECRET"]}',
    '{"off": ["PEM"], "consequence": "yes"}',
    '{"off": ["URLS"]}',
    '{"scopes": {"SSN": "all"}}',
    '{"scopes": {"EMAIL": "world"}}',
    '{"drop": ["prompt"]}',
    '{"dropp": ["tools"]}',
  ].map((part) => (part === '"full"' || part === '{}' ? part : `object.union(usual, ${part})`));
  const usual = 'usual := {"off": [], "on": [], "plain": [], "scopes": {}, "whole": [], "drop": []}';
  const record = `${usual}\n\ndecision := {"keep": "full", "retention_class": "standard", "reasons": [], "masking": [${odd.join(', ')}][input.answer.status]}`;
  const { engine, failures } = await engineOf(t, bareFiles({ record }));
  const { answer } = recordDocument();
  for (const [status, shape] of odd.entries()) {
    const { keep, masking } = engine.record(recordDocument({ answer: { ...answer, status } }));
    assert.deepEqual([keep, masking], ['metadata', usualMasking], shape);
  }
  assert.equal(failures.length, odd.length);
});

test('secrets may be left readable by a policy that says what comes of it', async (t) => {
  const masking = { ...usualMasking, off: ['PEM', 'SECRET'], consequence: 'secrets stay readable in the index' };
  const record = `decision := {"keep": "full", "retention_class": "a", "reasons": [], "masking": ${JSON.stringify(masking)}}`;
  const { engine } = await engineOf(t, bareFiles({ record }));
  assert.deepEqual(engine.record(recordDocument()).masking, masking);
});

test('after an evaluation that aborts the next one is judged by a fresh instance', async (t) => {
  const access = [
    'decision := {"verdict": "allow", "reasons": []}',
    'decision := {"verdict": "hold", "reasons": [{"rule": "a", "message": "m"}]} if input.connection.name == "conflict"',
  ].join('\n\n');
  const { engine, failures } = await engineOf(t, bareFiles({ access }));
  const on = (name: string) => accessDocument({ connection: { ...accessDocument().connection, name } });
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(engine.access(on('conflict')), failed);
    assert.deepEqual(engine.access(on(`claude-${round}`)), { verdict: 'allow', reasons: [] });
  }
  assert.equal(failures.length, 3);
});

test('a policy that asks for more memory than there is denies, and gives the memory back', async (t) => {
  const request = [
    'decision := {"verdict": "allow", "reasons": []} if {',
    '\tcount({pair | some a in numbers.range(1, input.claude.max_tokens); some b in ["x", "y"]; pair := [a, b]}) > 0',
    '}',
  ].join('\n');
  const { engine, failures } = await engineOf(t, bareFiles({ request }));
  const asking = (max_tokens: number) => requestDocument({ claude: claudeFacts({ max_tokens }) });
  assert.equal(engine.request(asking(10)).verdict, 'allow');
  const memoryBytes = engine.memoryBytes;
  assert.deepEqual(engine.request(asking(1_000_000)), failed);
  assert.equal(failures.length, 1);
  assert.equal(engine.request(asking(11)).verdict, 'allow');
  assert.equal(engine.memoryBytes, memoryBytes);
});

test('a document over the limit is refused without being judged', async (t) => {
  const { engine, failures } = await engineOf(t, bareFiles());
  const withText = (length: number) => requestDocument({ claude: claudeFacts({ tool_names: ['x'.repeat(length)] }) });
  const spare = inputMaxBytes - JSON.stringify(withText(0)).length;
  assert.equal(engine.request(withText(spare)).verdict, 'allow');
  const refused = engine.request(withText(spare + 1));
  assert.equal(refused.verdict, 'deny');
  assert.equal(refused.reasons[0]?.rule, 'skilltape/input_too_large');
  assert.equal(engine.record({ ...recordDocument(), ...withText(spare + 1) }).keep, 'metadata');
  assert.deepEqual(failures, []);
});

test('an input that is falsy or cannot be written as JSON never passes for one without facts', async (t) => {
  const access = 'decision := {"verdict": "allow", "reasons": []} if is_null(input)';
  const { engine } = await engineOf(t, bareFiles({ access }));
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.equal(engine.access(null as never).verdict, 'allow');
  assert.equal(engine.access(undefined as never).verdict, 'allow');
  for (const input of [false, 0, '', {}, circle, { time: 1n }]) assert.deepEqual(engine.access(input as never), failed);
});

test('prototype keys in an input are plain fields', async (t) => {
  const access = 'decision := {"verdict": "allow", "reasons": []} if input.connection["__proto__"].polluted == "yes"';
  const { engine } = await engineOf(t, bareFiles({ access }));
  assert.equal(engine.access(JSON.parse('{"connection": {"__proto__": {"polluted": "yes"}}}')).verdict, 'allow');
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

test('a policy that calls a builtin which is not in the module is refused at load, by name', async (t) => {
  const access =
    'decision := {"verdict": "allow", "reasons": [{"rule": "a", "message": sprintf("%d", [time.now_ns()])}]}';
  const bundle = await compilePolicies({
    opaBinary: opaBinary(),
    directory: policyDirectory(t, bareFiles({ access })),
  });
  await assert.rejects(createPolicyEngine(bundle), {
    code: 'policy_invalid',
    message: 'The policy calls builtins that the evaluator does not have: sprintf, time.now_ns',
  });
});

test('a module that is none, or lacks a decision, is refused at load', async (t) => {
  const directory = policyDirectory(t, bareFiles());
  const bundle = await compilePolicies({ opaBinary: opaBinary(), directory });
  await assert.rejects(createPolicyEngine({ ...bundle, wasm: new Uint8Array([1, 2, 3]) }), { code: 'policy_invalid' });
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await assert.rejects(createPolicyEngine({ ...bundle, wasm: empty }), { code: 'policy_invalid' });
});
