import type { BatchEntry } from '../claude/batch.ts';
import { lastPromptAt } from '../claude/history.ts';
import type { MessagesRequest } from '../claude/request.ts';
import { textBytes } from '../claude/text-bytes.ts';
import type { BatchFacts, ClaudeFacts } from '../policy/input.ts';

/** What a Messages request asks for, without its text. */
export function claudeFacts(request: MessagesRequest): ClaudeFacts {
  const { messages, system } = request;
  return {
    model: request.model,
    models: request.models,
    stream: request.stream,
    max_tokens: request.maxTokens,
    message_count: messages.length,
    new_message_count: messages.length - lastPromptAt(messages),
    tool_names: request.toolNames,
    tool_types: request.toolTypes,
    mcp_server_names: request.mcpServerNames,
    mcp_server_hosts: request.mcpServerHosts,
    mcp_toolsets: request.mcpToolsets,
    skills: request.skills,
    has_system: system !== null,
    // All of it: nobody knows here whether the history that a caller sends was ever said.
    text_bytes: messages.reduce((sum, { content }) => sum + textBytes(content), textBytes(system)),
  };
}

/** How many kinds of requests one batch may have; policy judges each kind once (inv. 10). */
export const batchVariantsMax = 64;

export type ReadBatchFacts = { ok: true; batch: BatchFacts } | { ok: false; fault: string };

/**
 * Requests that ask for the same things are judged as one, in the order in which they first come; sizes and counts are
 * the largest of any of them.
 */
export function batchFacts(entries: readonly BatchEntry[]): ReadBatchFacts {
  const variants = new Map<string, BatchFacts['requests'][number]>();
  for (const { request } of entries) {
    const facts = claudeFacts(request);
    const { models, stream, tool_names, tool_types, skills, has_system } = facts;
    const things = [models, tool_names, tool_types, skills];
    const servers = [facts.mcp_server_names, facts.mcp_server_hosts, facts.mcp_toolsets];
    const key = JSON.stringify([stream, has_system, things, servers]);
    const same = variants.get(key);
    variants.set(key, same === undefined ? { ...facts, count: 1 } : merged(same, facts));
    if (variants.size > batchVariantsMax) return { ok: false, fault: tooVaried };
  }
  return { ok: true, batch: { size: entries.length, requests: [...variants.values()] } };
}

const tooVaried = `its requests differ in model, tools, skills or servers; at most ${batchVariantsMax} different kinds are taken in one batch`;

function merged(variant: BatchFacts['requests'][number], facts: ClaudeFacts): BatchFacts['requests'][number] {
  return {
    ...variant,
    max_tokens: largestOrNull(variant.max_tokens, facts.max_tokens),
    message_count: Math.max(variant.message_count, facts.message_count),
    new_message_count: Math.max(variant.new_message_count, facts.new_message_count),
    text_bytes: Math.max(variant.text_bytes, facts.text_bytes),
    count: variant.count + 1,
  };
}

function largestOrNull(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
