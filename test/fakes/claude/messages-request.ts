/** Reads what the fake needs from the body of POST /v1/messages, count_tokens or one request of a batch. */

export type Tool = { readonly name: string; readonly inputSchema: unknown };
export type NamedSkill = { readonly type: 'anthropic' | 'custom'; readonly skillId: string; readonly version: string };
export type PendingTool = { readonly id: string; readonly name: string; readonly input: unknown };

export type MessagesRequest = {
  readonly model: string;
  readonly stream: boolean;
  /** Text blocks of the last user message, joined by a line end; tool results are no text. */
  readonly lastUserText: string;
  /** The tools that the caller runs itself (those with a schema). */
  readonly tools: readonly Tool[];
  /** Of `container`. */
  readonly skills: readonly NamedSkill[];
  readonly containerId: string | undefined;
  /** Call of a server tool that ends the conversation without its result: the turn was paused there. */
  readonly pendingTool: PendingTool | undefined;
  readonly mcpServerName: string | undefined;
  /** Images in the last user message. */
  readonly imageCount: number;
  readonly inputTokens: number;
};

/** A body that the API would refuse with 400; the message says why. */
export class InvalidRequest extends Error {}

const BYTES_PER_TOKEN = 4;

/** The fake's measure of text: a token per four characters, at least one. */
export function countTokens(characters: number): number {
  return Math.max(1, Math.ceil(characters / BYTES_PER_TOKEN));
}

/** Reads a parsed body. Throws {@link InvalidRequest}. */
export function readMessagesRequest(body: unknown): MessagesRequest {
  const model = property(body, 'model');
  const messages = property(body, 'messages');
  if (typeof model !== 'string') throw new InvalidRequest('model: Field required');
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new InvalidRequest('messages: at least one message is required');
  }
  const container = property(body, 'container');
  const lastUserContent = property(
    messages.findLast((message) => property(message, 'role') === 'user'),
    'content',
  );
  return {
    model,
    stream: property(body, 'stream') === true,
    lastUserText: readText(lastUserContent),
    tools: readTools(property(body, 'tools')),
    skills: readSkills(property(container, 'skills')),
    containerId: text(container) ?? text(property(container, 'id')),
    pendingTool: readPendingTool(messages.at(-1)),
    mcpServerName: text(property(list(property(body, 'mcp_servers'))[0], 'name')),
    imageCount: list(lastUserContent).filter((block) => property(block, 'type') === 'image').length,
    inputTokens: countTokens(JSON.stringify([property(body, 'system'), property(body, 'tools'), messages]).length),
  };
}

/**
 * Reads a body too large to hold, from its first and last part alone: whether a stream is wanted, and the directives.
 * Tools, skills and containers of such a request are not seen.
 */
export function skimMessagesRequest(ends: string, bodyBytes: number): MessagesRequest {
  return {
    model: /"model"\s{0,8}:\s{0,8}"([A-Za-z0-9_.:-]{1,100})"/.exec(ends)?.[1] ?? 'claude-opus-5-5',
    stream: /"stream"\s{0,8}:\s{0,8}true/.test(ends),
    lastUserText: ends,
    tools: [],
    skills: [],
    containerId: undefined,
    pendingTool: undefined,
    mcpServerName: undefined,
    imageCount: 0,
    inputTokens: countTokens(bodyBytes),
  };
}

/** The text blocks of a message's content, joined by a line end. */
export function readText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((block) => (property(block, 'type') === 'text' ? property(block, 'text') : undefined))
    .filter((part) => typeof part === 'string')
    .join('\n');
}

function readTools(tools: unknown): Tool[] {
  return list(tools).flatMap((tool) => {
    const name = property(tool, 'name');
    const inputSchema = property(tool, 'input_schema');
    return typeof name === 'string' && inputSchema !== undefined ? [{ name, inputSchema }] : [];
  });
}

function readSkills(skills: unknown): NamedSkill[] {
  return list(skills).flatMap((skill) => {
    const skillId = text(property(skill, 'skill_id'));
    const version = text(property(skill, 'version')) ?? 'latest';
    const type = property(skill, 'type') === 'custom' ? 'custom' : 'anthropic';
    return skillId === undefined ? [] : [{ type, skillId, version }];
  });
}

function readPendingTool(message: unknown): PendingTool | undefined {
  const block = list(property(message, 'content')).at(-1);
  const id = text(property(block, 'id'));
  const name = text(property(block, 'name'));
  const isCall = property(message, 'role') === 'assistant' && property(block, 'type') === 'server_tool_use';
  if (!isCall || id === undefined || name === undefined) return undefined;
  return { id, name, input: property(block, 'input') };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** An own property of a parsed JSON object; undefined for anything else, so `__proto__` is never followed. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
