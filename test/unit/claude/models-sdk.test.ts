import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readAgentDefinition } from '../../../extproc/claude/agent-definition.ts';
import { readBatchRequest } from '../../../extproc/claude/batch.ts';
import { readCompletionRequest } from '../../../extproc/claude/completion-request.ts';
import type { JsonObject } from '../../../extproc/claude/json.ts';
import { readMessagesRequest } from '../../../extproc/claude/request.ts';

/** What an SDK's types declare, by name: the text of all declarations of that name, without comments. */
function declarationsIn(packageName: string): Map<string, string> {
  const root = dirname(fileURLToPath(import.meta.resolve(packageName)));
  const files = globSync('resources/**/*.d.ts', { cwd: root }).filter((file) => !file.includes('organization'));
  const declarations = new Map<string, string>();
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    // A namespace of the name of its class lists all that its file exports; only those of parameters declare something.
    const found = source.matchAll(
      /^export (?:declare )?(?:interface|type|namespace(?= \w+Params\b)) (\w+)[\s\S]*?(?=^export |(?![\s\S]))/gm,
    );
    for (const [text, name = ''] of found) declarations.set(name, `${declarations.get(name) ?? ''}${text}\n`);
  }
  return declarations;
}

/** Each field in what can be sent that is named after a model, or typed as one; as `Type.field`. */
function modelFieldsSent(packageName: string): string[] {
  const declarations = declarationsIn(packageName);
  const toRead = [...declarations.keys()].filter((name) => name.endsWith('Params'));
  assert.ok(toRead.length > 40, String(toRead.length));
  const sent = new Set(toRead);
  const fields = new Set<string>();
  for (const name of sent) {
    const text = declarations.get(name) ?? '';
    const named = [...text.matchAll(/^ +'?(\w*model\w*)'?\??:/gim)];
    const typed = [...text.matchAll(/^ +'?(\w+)'?\??: [^\n]*\b\w*Model\b/gm)];
    for (const [, field] of [...named, ...typed]) fields.add(`${name}.${field}`);
    for (const [mentioned] of text.matchAll(/\b[A-Z]\w+/g)) if (declarations.has(mentioned)) sent.add(mentioned);
  }
  return [...fields].sort();
}

const model = 'planted-model';
const question: JsonObject = { model: 'm', messages: [] };

function inMessages(body: JsonObject): string[] {
  const read = readMessagesRequest({ ...question, ...body });
  return read.ok ? read.request.models : [read.fault];
}

function inAgent(endpoint: string, body: JsonObject): string[] {
  const read = readAgentDefinition(endpoint, body);
  return read.ok ? (read.definition?.models ?? []) : [read.fault];
}

function inBatch(): string[] {
  const read = readBatchRequest({ requests: [{ custom_id: 'a', params: { ...question, model } }] });
  return read.ok ? read.entries.flatMap(({ request }) => request.models) : [read.fault];
}

function inCompletion(): string[] {
  const read = readCompletionRequest({ model, prompt: '' });
  return read.ok ? read.request.models : [read.fault];
}

/** How each is read; or why it calls no model. */
const places: Record<string, (() => string[]) | string> = {
  'AgentCreateParams.model': () => inAgent('agents.create', { model }),
  'AgentUpdateParams.model': () => inAgent('agents.update', { model }),
  'BatchCreateParams.model': inBatch,
  'BetaAdvisorTool20260301.model': () => inMessages({ tools: [{ type: 'advisor_20260301', name: 'advisor', model }] }),
  'BetaFallbackInfoParam.model': 'an earlier answer that is sent back; the API does not look at it',
  'BetaFallbackParam.model': () => inMessages({ fallbacks: [{ model }] }),
  'BetaManagedAgentsAdvisorParams.model': () =>
    inAgent('agents.create', { model: 'm', multiagent: { agents: [{ type: 'advisor', model }] } }),
  'BetaManagedAgentsAgentWithOverridesParams.model': () =>
    inAgent('sessions.create', { agent: { type: 'agent_with_overrides', id: 'a', model } }),
  'BetaManagedAgentsModelConfigParams.id': () => inAgent('agents.update', { model: { id: model } }),
  'BetaManagedAgentsMultiagentAdvisorEnabledParams.model': () =>
    inAgent('agents.create', { model: 'm', multiagent: { advisor: { type: 'enabled', model } } }),
  'CompletionCreateParamsBase.model': inCompletion,
  'DreamCreateParams.model': () => inAgent('dreams.create', { model }),
  'MessageCountTokensParams.model': () => inMessages({ model }),
  'MessageCreateParamsBase.model': () => inMessages({ model }),
};

test('each field of the official SDKs that can name a model in a request is known, and no other', () => {
  const found = ['@anthropic-ai/sdk', 'anthropic-sdk-0'].flatMap(modelFieldsSent);
  assert.deepEqual([...new Set(found)].sort(), Object.keys(places).sort());
});

test('policy judges the model in each of these fields', () => {
  for (const [field, models] of Object.entries(places)) {
    if (typeof models === 'function') assert.ok(models().includes(model), field);
  }
});
