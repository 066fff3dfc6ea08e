import type { Agent } from '../claude/agent.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import { isJsonObject } from '../claude/json.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { usageOf } from '../claude/usage.ts';
import type { ExchangeDocument } from './document.ts';

/** The OpenTelemetry part of a draft; the texts are left empty, they are derived from the masked blocks. */
export function genAiOf(options: {
  operation: string;
  conversation: string;
  request: MessagesRequest | null;
  message: JsonObject | null;
  agent: Agent;
}): ExchangeDocument['gen_ai'] {
  const { request, message, agent } = options;
  const usage = usageOf(message);
  return {
    provider: { name: 'anthropic' },
    operation: { name: options.operation },
    conversation: { id: options.conversation },
    request: { model: request?.model ?? '', max_tokens: request?.maxTokens ?? null, stream: request?.stream ?? false },
    response: {
      id: textOf(message?.id),
      model: textOf(message?.model),
      finish_reasons: [textOf(message?.stop_reason)].filter((reason) => reason !== ''),
    },
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read: { input_tokens: usage.cacheReadTokens },
      cache_creation: { input_tokens: usage.cacheCreationTokens },
      reasoning: { output_tokens: usage.reasoningTokens },
    },
    agent: { id: agent.agentId, name: agent.agentType },
    tool: { name: toolsUsed(message) },
    input: { text: '' },
    output: { text: '' },
  };
}

/** What is billed at prices of its own, as the API counts it. */
export function billedOf(message: JsonObject | null): ExchangeDocument['skilltape']['usage'] {
  const usage = usageOf(message);
  const { inputTokens, cacheReadTokens, cacheCreationTokens } = usage;
  return {
    uncached_input_tokens:
      inputTokens === null ? null : inputTokens - (cacheReadTokens ?? 0) - (cacheCreationTokens ?? 0),
    cache_creation_5m_input_tokens: usage.cacheCreation5mTokens,
    cache_creation_1h_input_tokens: usage.cacheCreation1hTokens,
    web_search_requests: usage.webSearchRequests,
    web_fetch_requests: usage.webFetchRequests,
    service_tier: usage.serviceTier,
  };
}

/** The tools that the answer calls, each once. */
export function toolsUsed(message: JsonObject | null): string[] {
  const blocks = Array.isArray(message?.content) ? message.content : [];
  const names = blocks.flatMap((block) =>
    isJsonObject(block) && typeof block.type === 'string' && block.type.endsWith('tool_use')
      ? [textOf(block.name)]
      : [],
  );
  return [...new Set(names)].filter((name) => name !== '');
}

export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** An own field of an object, and nothing of anything else. */
export function fieldOf(value: JsonValue, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
