/** Turns an event of a managed-agents session into content blocks, so that it reads like a message. */
import type { JsonObject, JsonValue } from './json.ts';

export type SessionRole = 'user' | 'agent' | 'system';

/** `system` for everything that neither side says: states, spans, errors, events of unknown families. */
export function roleOf(type: string): SessionRole {
  if (type.startsWith('user.')) return 'user';
  return type.startsWith('agent.') ? 'agent' : 'system';
}

/** The same things under the names of the Messages API. */
const blockTypes: ReadonlyMap<string, string> = new Map([
  ['agent.tool_use', 'tool_use'],
  ['agent.custom_tool_use', 'tool_use'],
  ['agent.mcp_tool_use', 'mcp_tool_use'],
  ['agent.tool_result', 'tool_result'],
  ['agent.mcp_tool_result', 'mcp_tool_result'],
  ['user.tool_result', 'tool_result'],
  ['user.custom_tool_result', 'tool_result'],
]);

const renamed: ReadonlyMap<string, string> = new Map([
  ['mcp_server_name', 'server_name'],
  ['custom_tool_use_id', 'tool_use_id'],
  ['mcp_tool_use_id', 'tool_use_id'],
]);

/**
 * Content blocks of a message (with its other fields in a block before them), one block for a tool's call or result,
 * and the fields of any other event as they are; null if there are none. The event's id, type and time are left out.
 */
export function contentOf(type: string, event: JsonObject): JsonValue {
  const { id, type: _, processed_at: processedAt, content, ...rest } = event;
  const blockType = blockTypes.get(type);
  if (blockType !== undefined) return [toolBlock(blockType, content, rest, typeof id === 'string' ? id : '')];
  if (type === 'agent.thinking') return [{ ...rest, type: 'thinking', thinking: content ?? '' }];
  const isEmpty = Object.keys(rest).length === 0;
  if (content === undefined) return isEmpty ? null : rest;
  if (isEmpty) return content;
  return [{ ...rest, type }, ...(Array.isArray(content) ? content : [content])];
}

/** The id of a call is the id of its event: results name it. */
function toolBlock(type: string, content: JsonValue | undefined, fields: JsonObject, id: string): JsonObject {
  const named = Object.entries(fields).map(([name, value]): [string, JsonValue] => [renamed.get(name) ?? name, value]);
  const head: [string, JsonValue][] = type.endsWith('_use') ? [['id', id]] : [];
  const tail: [string, JsonValue][] = content === undefined ? [] : [['content', content]];
  // fromEntries defines own properties, so a key named `__proto__` stays a key.
  return Object.fromEntries([['type', type], ...head, ...named, ...tail]);
}
