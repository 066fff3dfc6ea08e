/** GET /v1/models and /v1/models/{id}: a fixed list, the same in both dialects. */
import { notFound } from './api-error.ts';
import { type Call, ok, param } from './call.ts';
import type { Reply } from './reply.ts';
import { pageById } from './storage/paging.ts';

const MODELS = [
  { id: 'claude-opus-5-5', display_name: 'Claude Opus 5.5', line: 'opus' },
  { id: 'claude-haiku-5-5', display_name: 'Claude Haiku 5.5', line: 'haiku' },
].map((model) => ({
  type: 'model',
  ...model,
  created_at: '2026-10-21T00:00:00Z',
  capabilities: null,
  lifecycle: 'active',
  deprecated_at: null,
  retires_at: null,
  max_input_tokens: 1_000_000,
  max_tokens: 128_000,
}));

export function listModels(call: Call): Reply {
  return ok(pageById(MODELS, call.query));
}

export function getModel(call: Call): Reply {
  const id = param(call, 'model_id');
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw notFound(`model: ${id}`);
  return ok(model);
}
