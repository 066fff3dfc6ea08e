/** Reads what the fake needs from the body of POST /v1/messages or count_tokens. */

export type Tool = { readonly name: string; readonly inputSchema: unknown };

export type MessagesRequest = {
  readonly model: string;
  readonly stream: boolean;
  /** Text blocks of the last user message, joined by a line end; tool results are no text. */
  readonly lastUserText: string;
  /** The tools that the caller runs itself (those with a schema). */
  readonly tools: readonly Tool[];
  readonly namesSkills: boolean;
  readonly inputTokens: number;
};

/** A body that the API would refuse with 400; the message says why. */
export class InvalidRequest extends Error {}

const BYTES_PER_TOKEN = 4;

/** The fake's measure of text: a token per four characters, at least one. */
export function countTokens(characters: number): number {
  return Math.max(1, Math.ceil(characters / BYTES_PER_TOKEN));
}

/** Reads a whole decoded body. Throws {@link InvalidRequest}. */
export function readMessagesRequest(body: Buffer): MessagesRequest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new InvalidRequest(`The request body is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
  const model = property(parsed, 'model');
  const messages = property(parsed, 'messages');
  if (typeof model !== 'string') throw new InvalidRequest('model: Field required');
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new InvalidRequest('messages: at least one message is required');
  }
  const skills = property(property(parsed, 'container'), 'skills');
  return {
    model,
    stream: property(parsed, 'stream') === true,
    lastUserText: readLastUserText(messages),
    tools: readTools(property(parsed, 'tools')),
    namesSkills: Array.isArray(skills) && skills.length > 0,
    inputTokens: countTokens(JSON.stringify([property(parsed, 'system'), property(parsed, 'tools'), messages]).length),
  };
}

/**
 * Reads a body too large to hold, from its first and last part alone: whether a stream is wanted, and the directives.
 * Tools and skills of such a request are not seen.
 */
export function skimMessagesRequest(ends: string, bodyBytes: number): MessagesRequest {
  return {
    model: /"model"\s{0,8}:\s{0,8}"([A-Za-z0-9_.:-]{1,100})"/.exec(ends)?.[1] ?? 'claude-opus-5-5',
    stream: /"stream"\s{0,8}:\s{0,8}true/.test(ends),
    lastUserText: ends,
    tools: [],
    namesSkills: false,
    inputTokens: countTokens(bodyBytes),
  };
}

function readLastUserText(messages: readonly unknown[]): string {
  const content = property(
    messages.findLast((message) => property(message, 'role') === 'user'),
    'content',
  );
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((block: unknown) => (property(block, 'type') === 'text' ? property(block, 'text') : undefined))
    .filter((text) => typeof text === 'string')
    .join('\n');
}

function readTools(tools: unknown): Tool[] {
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: unknown) => {
    const name = property(tool, 'name');
    const inputSchema = property(tool, 'input_schema');
    return typeof name === 'string' && inputSchema !== undefined ? [{ name, inputSchema }] : [];
  });
}

/** An own property of a parsed JSON object; undefined for anything else, so `__proto__` is never followed. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
