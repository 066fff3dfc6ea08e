/**
 * Tells what is new in a conversation from its history: where the last prompt begins, and one text form for a message,
 * so that the same message resent later is recognised by a keyed hash.
 */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { Turn } from './request.ts';

/**
 * Where the last run of prompts begins: after the last answer that has a prompt behind it. What the caller puts into the
 * answer's mouth behind that prompt is no history either.
 */
export function lastPromptAt(messages: readonly Turn[]): number {
  const lastPrompt = messages.findLastIndex(({ role }) => role !== 'assistant');
  return messages.slice(0, Math.max(0, lastPrompt)).findLastIndex(({ role }) => role === 'assistant') + 1;
}

/**
 * Equal for a turn and for the same turn as clients send it again: Claude Code moves `cache_control` to the last block
 * each time, typed clients drop nulls, keys come in any order, and a string is the same as one text block.
 * Only that vendor noise is levelled. Inside tool inputs, and in a `cache_control` of another shape than the API
 * knows, everything counts: a caller must not slip new text into a history that counts as seen.
 * The turn comes from `parseStrictJson`, so recursion is bounded by its depth.
 */
export function canonicalTurn(turn: Turn): string {
  const rest = turn.rest === undefined ? '' : `,"rest":${canonicalObject(turn.rest, true)}`;
  return `{"role":${JSON.stringify(turn.role)},"content":${canonicalContent(turn.content)}${rest}}`;
}

/**
 * The same for a system prompt. Claude Code begins it with a line about its own version, which is another one in each
 * conversation, while the long text behind it stays.
 */
export function canonicalSystem(system: JsonValue): string {
  const content = Array.isArray(system) ? system.filter((block) => !isVersionLine(block)) : system;
  return canonicalTurn({ role: 'system', content });
}

/** Short and of few characters: nothing readable fits into it. */
const versionLine =
  /^x-anthropic-billing-header: cc_version=[0-9a-z.]{1,24};(?: cc[a-z_]{0,16}=[0-9a-z-]{1,16};){0,4}$/;

function isVersionLine(block: JsonValue): boolean {
  if (!isJsonObject(block) || typeof block.text !== 'string' || !versionLine.test(block.text)) return false;
  return Object.keys(block).every((key) => key === 'type' || key === 'text');
}

/** Fields through which vendor structure goes on; what is below any other field is taken as it is. */
const structural = new Set(['content', 'source', 'citations', 'caller']);

function canonicalContent(content: JsonValue): string {
  return canonical(typeof content === 'string' ? [{ type: 'text', text: content }] : content, true);
}

function canonical(value: JsonValue, level: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, level)).join(',')}]`;
  if (isJsonObject(value)) return canonicalObject(value, level);
  return JSON.stringify(value);
}

function canonicalObject(object: JsonObject, level: boolean): string {
  const fields: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const value = object[key] ?? null;
    if (level && (value === null || (key === 'cache_control' && isCacheControl(value)))) continue;
    const isResultText = level && object.type === 'tool_result' && key === 'content';
    const text = isResultText ? canonicalContent(value) : canonical(value, level && structural.has(key));
    fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}

function isCacheControl(value: JsonValue): boolean {
  if (!isJsonObject(value) || value.type !== 'ephemeral') return false;
  return Object.entries(value).every(([key, field]) => key === 'type' || (key === 'ttl' && isTtl(field)));
}

function isTtl(value: JsonValue): boolean {
  return value === null || value === '5m' || value === '1h';
}
