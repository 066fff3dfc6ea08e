/** GET /v1/models and /v1/models/{id}: a fixed list, the same in both dialects. */

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

export function modelsJson(): string {
  return JSON.stringify({ data: MODELS, has_more: false, first_id: MODELS[0]?.id, last_id: MODELS.at(-1)?.id });
}

/** Undefined for a model that is not in the list. */
export function modelJson(id: string): string | undefined {
  const model = MODELS.find((candidate) => candidate.id === id);
  return model === undefined ? undefined : JSON.stringify(model);
}
