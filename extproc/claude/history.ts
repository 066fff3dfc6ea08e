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
export function writeCanonicalTurn(turn: Turn, write: Write): void {
  write(`{"role":${JSON.stringify(turn.role)},"content":`);
  writeContent(turn.content, write);
  if (turn.rest !== undefined) {
    write(',"rest":');
    writeObject(turn.rest, true, write);
  }
  write('}');
}

/** The same as one text. */
export function canonicalTurn(turn: Turn): string {
  return textOf((write) => writeCanonicalTurn(turn, write));
}

/**
 * The same for a system prompt. Claude Code begins it with a line about its own version, which is another one in each
 * conversation, while the long text behind it stays.
 */
export function writeCanonicalSystem(system: JsonValue, write: Write): void {
  const content = Array.isArray(system) ? system.filter((block) => !isVersionLine(block)) : system;
  writeCanonicalTurn({ role: 'system', content }, write);
}

/** The same as one text. */
export function canonicalSystem(system: JsonValue): string {
  return textOf((write) => writeCanonicalSystem(system, write));
}

/** Takes a text piece by piece: that of a turn with a long prompt would be a second copy of it. */
type Write = (piece: string) => void;

function textOf(pieces: (write: Write) => void): string {
  const all: string[] = [];
  pieces((piece) => all.push(piece));
  return all.join('');
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

function writeContent(content: JsonValue, write: Write): void {
  writeValue(typeof content === 'string' ? [{ type: 'text', text: content }] : content, true, write);
}

function writeValue(value: JsonValue, level: boolean, write: Write): void {
  if (Array.isArray(value)) {
    write('[');
    for (const [at, item] of value.entries()) {
      if (at > 0) write(',');
      writeValue(item, level, write);
    }
    write(']');
  } else if (isJsonObject(value)) writeObject(value, level, write);
  else if (typeof value === 'string') writeString(value, write);
  else write(JSON.stringify(value));
}

function writeObject(object: JsonObject, level: boolean, write: Write): void {
  let opening = '{';
  for (const key of Object.keys(object).sort()) {
    const value = object[key] ?? null;
    if (level && (value === null || (key === 'cache_control' && isCacheControl(value)))) continue;
    write(`${opening}${JSON.stringify(key)}:`);
    opening = ',';
    const isResultText = level && object.type === 'tool_result' && key === 'content';
    if (isResultText) writeContent(value, write);
    else writeValue(value, level && structural.has(key), write);
  }
  write(opening === '{' ? '{}' : '}');
}

const pieceChars = 65_536;

/** As JSON.stringify writes it. A piece never ends between the two halves of a character. */
function writeString(text: string, write: Write): void {
  if (text.length <= pieceChars) {
    write(JSON.stringify(text));
    return;
  }
  write('"');
  for (let from = 0; from < text.length; ) {
    let to = from + pieceChars;
    const last = text.charCodeAt(to - 1);
    if (last >= 0xd800 && last <= 0xdbff) to += 1;
    write(JSON.stringify(text.slice(from, to)).slice(1, -1));
    from = to;
  }
  write('"');
}

function isCacheControl(value: JsonValue): boolean {
  if (!isJsonObject(value) || value.type !== 'ephemeral') return false;
  return Object.entries(value).every(([key, field]) => key === 'type' || (key === 'ttl' && isTtl(field)));
}

function isTtl(value: JsonValue): boolean {
  return value === null || value === '5m' || value === '1h';
}
