import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { findingPlaces } from '../../extproc/masking/finding.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import type { RecordDecision, RequestDecision } from '../../extproc/policy/decision.ts';
import { createPolicyEngine, type PolicyEngine } from '../../extproc/policy/engine.ts';
import { policyDirectory } from './directory.ts';
import { accessVariants, consoleVariants, recordVariants, requestDocument, requestVariants } from './documents.ts';
import { evaluate, opaBinary, policiesDirectory } from './opa.ts';

const garbage: readonly unknown[] = [null, false, 0, '', 'x', [], {}, { version: 1 }, [[[]]], { version: '1' }];
const malformed = garbage as readonly never[];

let engine: PolicyEngine;
const failures: string[] = [];

before(async () => {
  const bundle = await compilePolicies({ opaBinary: opaBinary(), directory: policiesDirectory });
  engine = await createPolicyEngine(bundle, { onFailure: ({ message }) => failures.push(message) });
});

async function assertSame<I>(
  stage: string,
  documents: readonly I[],
  decide: (input: I) => RequestDecision | RecordDecision,
): Promise<void> {
  const query = `[decision | some document in input; decision := data.skilltape.${stage}.decision with input as document]`;
  const expected = await evaluate(query, documents);
  assert.deepEqual(documents.map(decide), expected);
  assert.deepEqual(failures, []);
}

test('access is decided as OPA itself decides it', async () => {
  await assertSame('access', [...accessVariants(), ...malformed], (input) => engine.access(input));
});

test('a request is decided as OPA itself decides it', async () => {
  await assertSame('request', [...requestVariants(), ...malformed], (input) => engine.request(input));
});

test('a record is decided as OPA itself decides it', async () => {
  await assertSame('record', [...recordVariants(), ...malformed], (input) => engine.record(input));
});

test('what the shipped lists leave open is decided as OPA itself decides it', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const path = join(directory, 'lists/deny/data.json');
  const lists = {
    ...JSON.parse(readFileSync(path, 'utf8')),
    emails: ['ADA@example.org'],
    tools: { names: ['bash'], type_prefixes: ['cust'] },
    skills: { ids: ['pdf'], types: ['anthropic'] },
    uploads: { extensions: ['.MD'] },
  };
  writeFileSync(path, JSON.stringify(lists));
  const edited = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  const documents = requestVariants();
  const decisions = documents.map((input) => [edited.access(input), edited.request(input)]);
  const query =
    '[[a, r] | some i in input; a := data.skilltape.access.decision with input as i; r := data.skilltape.request.decision with input as i]';
  assert.deepEqual(decisions, await evaluate(query, documents, directory));
  const rules = new Set(decisions.flat().flatMap(({ reasons }) => reasons.map(({ rule }) => rule)));
  for (const rule of ['access/deny_list', 'request/tool_denied', 'request/skill_denied', 'request/upload_denied'])
    assert.ok(rules.has(rule), rule);
  assert.notEqual(edited.revision, engine.revision);
});

test('how a record is masked is decided as OPA itself decides it', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const rules = [
    { when: { connections: ['claude'] }, off: ['IP', 'MAC'], scopes: { EMAIL: 'all', IBAN: 'connection' } },
    { when: { groups: ['staff'] }, on: ['MAC', 'URL'], scopes: { EMAIL: 'identity' }, whole: ['system', 'tools'] },
    { when: { skills: ['pdf', 'skill_1'] }, plain: ['IBAN'], masked: ['tools'] },
    { when: { endpoints: ['messages.*'], classes: ['standard'] }, drop: ['answer', 'error'] },
    { when: { classes: ['other'] }, drop: ['messages'] },
    { when: { groups: ['legal'] }, drop: ['system'] },
    { off: ['SECRET'], consequence: 'secrets stay readable in the index' },
  ];
  writeFileSync(join(directory, 'lists/masking/data.json'), JSON.stringify({ rules }));
  const edited = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  const documents = [...recordVariants(), ...malformed];
  const query = '[d | some document in input; d := data.skilltape.record.decision with input as document]';
  const decisions = documents.map((input) => edited.record(input));
  assert.deepEqual(decisions, await evaluate(query, documents, directory));
  assert.deepEqual(decisions[0]?.masking, {
    off: ['IP', 'SECRET'],
    on: ['MAC', 'URL'],
    plain: ['IBAN'],
    scopes: { EMAIL: 'identity' },
    whole: ['system'],
    drop: ['answer', 'error'],
    consequence: 'secrets stay readable in the index',
  });
});

test('findings in a request are judged as OPA itself judges them', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const rules = [
    { effect: 'deny', types: ['SECRET', 'PEM'], when: { groups: ['staff'] } },
    { effect: 'hold', types: ['EMAIL'], places: ['file', 'tool_result'], min_count: 3, incomplete: 'allow' },
    { effect: 'deny', types: ['CARD'], when: { connections: ['other'] } },
  ];
  writeFileSync(join(directory, 'lists/findings/data.json'), JSON.stringify({ rules }));
  const edited = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  assert.deepEqual([engine.looksAtFindings, edited.looksAtFindings], [false, true]);
  const { identity } = requestDocument();
  const other = identity && { ...identity, groups: ['guests'] };
  const documents = [
    ...findingPlaces.flatMap((place) =>
      (['SECRET', 'EMAIL', 'CARD'] as const).map((type) => requestDocument({ findings: [{ type, place, count: 3 }] })),
    ),
    requestDocument({ findings: [{ type: 'EMAIL', place: 'file', count: 2 }] }),
    requestDocument({ findings: [{ type: 'PEM', place: 'file', count: 1 }], identity: other }),
    requestDocument({ findings_complete: false }),
    requestDocument({ findings_complete: false, identity: other }),
  ];
  const query = '[d | some document in input; d := data.skilltape.request.decision with input as document]';
  const decisions = documents.map((input) => edited.request(input));
  assert.deepEqual(decisions, await evaluate(query, documents, directory));
  assert.deepEqual(new Set(decisions.map(({ verdict }) => verdict)), new Set(['allow', 'hold', 'deny']));
});

test('excerpts of prompts are judged as OPA itself judges them', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const rules = [
    { effect: 'deny', phrases: ['Projekt Zürich', 'merger'], when: { groups: ['staff'] }, incomplete: 'allow' },
    { effect: 'hold', phrases: ['apollo'] },
  ];
  writeFileSync(join(directory, 'lists/prompts/data.json'), JSON.stringify({ rules }));
  const edited = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  assert.deepEqual([engine.looksAtExcerpt, edited.looksAtExcerpt], [false, true]);
  const texts = ['', 'hello', 'MERGER', 'projekt zÜRICH', 'Apollo, a merger', 'apollo', 'a\ud800pollo', 'ap\u0000ollo'];
  const documents = texts.flatMap((text) =>
    [true, false].map((complete) => requestDocument({ excerpt: { text: text.toWellFormed(), complete } })),
  );
  const query = '[d | some document in input; d := data.skilltape.request.decision with input as document]';
  const decisions = documents.map((input) => edited.request(input));
  assert.deepEqual(decisions, await evaluate(query, documents, directory));
  assert.deepEqual(new Set(decisions.map(({ verdict }) => verdict)), new Set(['allow', 'hold', 'deny']));
});

test('the documents of this comparison reach every rule and every verdict', () => {
  const decisions = [
    ...accessVariants().map((input) => engine.access(input)),
    ...requestVariants().map((input) => engine.request(input)),
  ];
  const rules = new Set(decisions.flatMap(({ reasons }) => reasons.map(({ rule }) => rule)));
  assert.deepEqual(new Set(decisions.map(({ verdict }) => verdict)), new Set(['allow', 'deny']));
  assert.deepEqual([...rules].sort(), [
    'access/content_type',
    'access/deny_list',
    'access/endpoint_enabled',
    'access/endpoint_known',
    'access/endpoint_secrets',
    'access/identity_required',
    'request/body_parsed',
    'request/model_denied',
    'request/model_known',
  ]);
});

test('who may look is decided as OPA itself decides it, and nobody may with the shipped list', async (t) => {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  const limits = { values_per_operator_per_hour: 5, values_per_person_per_hour: 3, reason_min_chars: 10 };
  const operators = [
    { actions: ['reveal'], users: ['ada'], types: ['EMAIL'] },
    { actions: ['reveal'], groups: ['incident'], connections: ['claude'] },
    { actions: ['decide'], users: ['ada'], person: { issuer: 'https://idp.example', subject: 'u-9' } },
    { actions: ['decide'], users: ['eve'] },
    { actions: ['stop', 'tail'], users: ['ada'] },
  ];
  writeFileSync(join(directory, 'lists/console/data.json'), JSON.stringify({ operators, limits }));
  const edited = await createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
  const documents = [...consoleVariants(), ...malformed];
  const query = '[d | some document in input; d := data.skilltape.console.decision with input as document]';
  const decisions = documents.map((input) => edited.console(input));
  assert.deepEqual(decisions, await evaluate(query, documents, directory));
  const rules = new Set(decisions.flatMap(({ reasons }) => reasons.map(({ rule }) => rule)));
  for (const rule of ['operator_listed', 'own_request', 'reason_given', 'hourly_limit'])
    assert.ok(rules.has(`console/${rule}`), rule);
  assert.ok(decisions.some(({ verdict }) => verdict === 'allow'));
  for (const document of consoleVariants()) assert.equal(engine.console(document).verdict, 'deny');
  assert.deepEqual(failures, []);
});
