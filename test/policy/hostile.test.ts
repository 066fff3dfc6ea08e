import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { mcpToolsetsMax } from '../../extproc/claude/mcp-toolsets.ts';
import type { PolicyBundle } from '../../extproc/policy/bundle.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine, type PolicyEngine } from '../../extproc/policy/engine.ts';
import { bundleWithLists } from './directory.ts';
import { accessDocument, claudeFacts, fullRequestDocument, recordDocument, requestDocument } from './documents.ts';
import { opaBinary, policiesDirectory } from './opa.ts';

let engine: PolicyEngine;
let bundle: PolicyBundle;

before(async () => {
  bundle = await compilePolicies({ opaBinary: opaBinary(), directory: policiesDirectory });
  engine = await createPolicyEngine(bundle);
});

/** The document once without each of its fields, at any depth. */
function* withoutOneField(document: object, path = ''): Generator<{ path: string; document: object }> {
  for (const [name, value] of Object.entries(document)) {
    const { [name]: _, ...rest } = document as Record<string, unknown>;
    yield { path: `${path}${name}`, document: rest };
    if (typeof value !== 'object' || value === null) continue;
    for (const inner of withoutOneField(value, `${path}${name}.`)) {
      const copy = Array.isArray(value) ? Object.values(inner.document) : inner.document;
      // An entry of a list may be absent; a field of an entry may not.
      if (Array.isArray(value) && /\.\d+$/.test(inner.path)) continue;
      yield { path: inner.path, document: { ...document, [name]: copy } };
    }
  }
}

function malformed(reasons: readonly { rule: string }[]): boolean {
  return reasons.some(({ rule }) => rule === 'skilltape/input_malformed');
}

test('a document that lacks any one field is denied, or kept as metadata', () => {
  let count = 0;
  for (const { path, document } of withoutOneField(recordDocument())) {
    const { keep, reasons } = engine.record(document as never);
    assert.ok(keep === 'metadata' && malformed(reasons), path);
    count += 1;
  }
  for (const { path, document } of withoutOneField(fullRequestDocument())) {
    const { verdict, reasons } = engine.request(document as never);
    assert.ok(verdict === 'deny' && malformed(reasons), path);
  }
  for (const { path, document } of withoutOneField(accessDocument())) {
    const { verdict, reasons } = engine.access(document as never);
    assert.ok(verdict === 'deny' && malformed(reasons), path);
  }
  assert.ok(count > 50, String(count));
});

test('whatever a caller names as model, tool or skill, only a known model passes and nothing unusual is repeated', () => {
  const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '\ud800', '\0'));
  fc.assert(
    fc.property(names, fc.array(names), fc.array(names), (model, tool_names, ids) => {
      const skills = ids.map((id) => ({ type: id, id, version: id }));
      const claude = claudeFacts({ model, tool_names, tool_types: tool_names, skills });
      const decision = engine.request(requestDocument({ claude }));
      assert.equal(decision.verdict, /^claude-(opus|sonnet|haiku|3)-/.test(model) ? 'allow' : 'deny');
      for (const { message } of decision.reasons) assert.match(message, /^[\x20-\x7e]{1,300}$/);
    }),
    { numRuns: 300 },
  );
});

test('a model name with a lone surrogate is judged by its prefix like any other', () => {
  const decision = engine.request(requestDocument({ claude: claudeFacts({ model: 'claude-mythos-\ud800' }) }));
  assert.deepEqual(decision, {
    verdict: 'deny',
    status: 403,
    reasons: [
      { rule: 'request/model_denied', message: 'The model of an unusual form may not be used through this gateway.' },
    ],
  });
});

test('twenty thousand decisions leave the memory of the evaluator as it was', async () => {
  const evaluating = await createPolicyEngine(bundle, { remembers: false });
  const long = 'n'.repeat(100);
  const large = requestDocument({ claude: claudeFacts({ tool_names: Array.from({ length: 300 }, () => long) }) });
  const documents = [requestDocument(), requestDocument({ claude: null }), requestDocument({ identity: null }), large];
  for (const document of documents) evaluating.request(document);
  const memoryBytes = evaluating.memoryBytes;
  assert.ok(memoryBytes > 0);
  for (let index = 0; index < 20_000; index += 1) {
    const document = documents[index % 64 === 0 ? 3 : index % 3];
    if (document !== undefined) evaluating.request(document);
  }
  assert.equal(evaluating.memoryBytes, memoryBytes);
});

test('a request that names thousands of denied things is denied for them, and some of the reasons are said', () => {
  const models = Array.from({ length: 4_000 }, (_, at) => `denied-${at}`);
  const servers = { mcp_server_names: [], mcp_server_hosts: [], mcp_toolsets: [] };
  const agent = { models, tool_names: [], tool_types: [], ...servers, skills: [] };
  const { verdict, reasons } = engine.request(requestDocument({ agent }));
  assert.equal(verdict, 'deny');
  const [last, ...others] = reasons.toReversed();
  assert.deepEqual(last, { rule: 'skilltape/more_reasons', message: 'There are more reasons like these.' });
  assert.equal(others.length, 32);
  assert.ok(others.every(({ rule }) => rule === 'request/model_known'));
});

test('as many servers as may be, with thousands of tools among them, are judged by a list of a thousand', async (t) => {
  const tools = Array.from({ length: 1_000 }, (_, at) => (at % 2 === 0 ? `denied-${at}` : `kind-${at}-*`));
  const failures: unknown[] = [];
  const options = { onFailure: (error: unknown) => failures.push(error) };
  const judging = await createPolicyEngine(
    await bundleWithLists(t, { denied_mcp_tools: { rules: [{ tools }] } }),
    options,
  );
  const of = (open: boolean, named: string) => {
    const names = Array.from({ length: 16 }, (_, at) => `${named}-${at}`);
    const toolset = { server: 'git', open, on: names, off: names };
    const at = Array.from({ length: mcpToolsetsMax }, (_, at) => ({ host: `git-${at}.example.com` }));
    const mcp_toolsets = at.map((host) => ({ ...toolset, ...host }));
    return judging.request(requestDocument({ claude: claudeFacts({ mcp_toolsets }) }));
  };
  assert.equal(of(false, 'plain').verdict, 'allow');
  for (const denied of [of(false, 'denied'), of(true, 'plain')]) {
    assert.equal(denied.verdict, 'deny');
    assert.equal(denied.reasons[0]?.rule, 'request/mcp_tool_denied');
  }
  assert.deepEqual(failures, []);
});

test('thousands of names are judged by lists of a thousand entries, within the memory of the evaluator', async (t) => {
  const names = Array.from({ length: 1_000 }, (_, at) => `listed-${at}`);
  const prefixes = Array.from({ length: 1_000 }, (_, at) => `kind-${at}-`);
  const models = [...names, ...prefixes.map((prefix) => `${prefix}*`)];
  const lists = {
    models: { names, prefixes },
    allowed_models: { rules: [{ models }] },
    allowed_tools: { rules: [{ tools: ['*'], types: ['*'] }] },
  };
  const failures: unknown[] = [];
  const judging = await createPolicyEngine(await bundleWithLists(t, lists), {
    onFailure: (error) => failures.push(error),
  });
  const of = (model: (at: number) => string) => {
    const models = Array.from({ length: 3_000 }, (_, at) => model(at));
    return judging.request(requestDocument({ claude: claudeFacts({ model: model(0), models }) }));
  };
  assert.equal(of((at) => (at % 2 === 0 ? `listed-${at % 1_000}` : `kind-${at % 1_000}-${at}`)).verdict, 'allow');
  const denied = of((at) => `kind-${at}`);
  assert.equal(denied.verdict, 'deny');
  const known = ['request/model_allowed', 'request/model_known', 'skilltape/more_reasons'];
  assert.ok(denied.reasons.every(({ rule }) => known.includes(rule)));
  assert.deepEqual(failures, []);
});
