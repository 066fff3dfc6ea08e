/** Reads the body of a Messages request (`/v1/messages`, count_tokens, `params` of a batch entry). */
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { mcpHostsOf } from './mcp-host.ts';
import { type McpToolset, readMcpToolsets } from './mcp-toolsets.ts';
import { readModels } from './request-models.ts';
import { readTools, toolDefinitions } from './request-tools.ts';

/** One message. `rest` holds its other fields (Claude Code sends `output_config`), and is absent when there are none. */
export type Turn = { role: string; content: JsonValue; rest?: JsonObject };

/** `version` is empty when the caller names none. */
export type SkillRef = { type: string; id: string; version: string };

/**
 * What policy and records need of a request. `toolNames` and `toolTypes` (a tool without a type is `custom`) also hold
 * the tools that are defined inside messages. Ids are null when absent.
 */
export type MessagesRequest = {
  model: string;
  /** Every model that may answer, `model` first: those of `fallbacks` and of tools too. */
  models: string[];
  maxTokens: number | null;
  stream: boolean;
  system: JsonValue;
  messages: Turn[];
  /** The definitions as sent; null without any. */
  tools: JsonValue;
  toolNames: string[];
  toolTypes: string[];
  skills: SkillRef[];
  containerId: string | null;
  metadataUserId: string | null;
  mcpServerNames: string[];
  /** Where the MCP servers are, see `mcpHostOf`. */
  mcpServerHosts: string[];
  mcpToolsets: McpToolset[];
  previousMessageId: string | null;
  /** Begins a thread or goes on with one; the first request of a thread names no message yet. */
  inThread: boolean;
  /** Has the API keep of it what later requests are compared with; the first request names no message yet. */
  isComparable: boolean;
};

export type ReadRequest = { ok: true; request: MessagesRequest } | { ok: false; fault: string };

/** Unknown fields and blocks are left alone; `fault` names the field and its place, never its value. */
export function readMessagesRequest(value: JsonValue): ReadRequest {
  if (!isJsonObject(value)) return { ok: false, fault: 'the body must be an object' };
  const reader = new RequestReader(value);
  const request = reader.read();
  return reader.fault === null ? { ok: true, request } : { ok: false, fault: reader.fault };
}

/**
 * Where policy judges by a field that has a form we cannot read, the request has a fault: guessing would let the
 * upstream read something else. Keeps the first fault.
 */
class RequestReader {
  readonly #body: JsonObject;
  fault: string | null = null;

  constructor(body: JsonObject) {
    this.#body = body;
  }

  read(): MessagesRequest {
    const { model, stream, max_tokens: maxTokens, system, metadata, thread, diagnostics } = this.#body;
    this.#demand(typeof model === 'string' && model !== '', 'model must be a non-empty string');
    this.#demand(stream === undefined || typeof stream === 'boolean', 'stream must be a boolean');
    this.#demand(maxTokens === undefined || Number.isFinite(maxTokens), 'max_tokens must be a number');
    const messages = this.#array(this.#body.messages, 'messages').map((message, at) => this.#turn(message, at));
    const tools = readTools(this.#body.tools, messages);
    if (!tools.ok) this.#demand(false, tools.fault);
    const name = typeof model === 'string' ? model : '';
    const models = readModels(name, this.#body.fallbacks, tools.ok ? tools.models : []);
    if (!models.ok) this.#demand(false, models.fault);
    return {
      model: name,
      models: models.ok ? models.models : [],
      maxTokens: typeof maxTokens === 'number' ? maxTokens : null,
      stream: stream === true,
      system: system ?? null,
      messages,
      tools: Array.isArray(this.#body.tools) && this.#body.tools.length > 0 ? this.#body.tools : null,
      toolNames: tools.ok ? tools.names : [],
      toolTypes: tools.ok ? tools.types : [],
      ...this.#container(this.#body.container ?? null),
      metadataUserId: isJsonObject(metadata) ? stringOrNull(metadata.user_id) : null,
      mcpServerNames: this.#array(this.#body.mcp_servers ?? [], 'mcp_servers').map((server, at) => {
        const fields = this.#object(server, `mcp_servers[${at}]`);
        return this.#string(fields.name, `mcp_servers[${at}].name`);
      }),
      mcpServerHosts: mcpHostsOf(this.#body.mcp_servers),
      mcpToolsets: this.#mcpToolsets(messages),
      previousMessageId: isJsonObject(thread) ? stringOrNull(thread.previous_message_id) : null,
      inThread: isJsonObject(thread),
      isComparable: isJsonObject(diagnostics),
    };
  }

  #turn(message: JsonValue, at: number): Turn {
    const fields = this.#object(message, `messages[${at}]`);
    const turn: Turn = {
      role: this.#string(fields.role, `messages[${at}].role`),
      content: fields.content ?? null,
    };
    if (Object.keys(fields).some(isOfRest)) {
      const { role: _role, content: _content, ...rest } = fields;
      turn.rest = rest;
    }
    return turn;
  }

  #mcpToolsets(messages: readonly Turn[]): McpToolset[] {
    const read = readMcpToolsets(this.#body.mcp_servers, toolDefinitions(this.#body.tools, messages));
    if (!read.ok) this.#demand(false, read.fault);
    return read.ok ? read.toolsets : [];
  }

  /** A container is an id, or an object with an id and skills. */
  #container(container: JsonValue): {
    skills: SkillRef[];
    containerId: string | null;
  } {
    if (container === null) return { skills: [], containerId: null };
    if (typeof container === 'string') return { skills: [], containerId: container };
    const { id, skills } = this.#object(container, 'container');
    const refs = this.#array(skills ?? [], 'container.skills').map((skill, at) => {
      const place = `container.skills[${at}]`;
      const { type, skill_id: skillId, version } = this.#object(skill, place);
      return {
        type: this.#string(type, `${place}.type`),
        id: this.#string(skillId, `${place}.skill_id`),
        version: this.#string(version ?? '', `${place}.version`),
      };
    });
    return { skills: refs, containerId: stringOrNull(id) };
  }

  #array(value: JsonValue | undefined, place: string): JsonValue[] {
    const isArray = Array.isArray(value);
    this.#demand(isArray, `${place} must be an array`);
    return isArray ? value : [];
  }

  #object(value: JsonValue, place: string): JsonObject {
    const isObject = isJsonObject(value);
    this.#demand(isObject, `${place} must be an object`);
    return isObject ? value : {};
  }

  #string(value: JsonValue | undefined, place: string): string {
    this.#demand(typeof value === 'string', `${place} must be a string`);
    return typeof value === 'string' ? value : '';
  }

  #demand(holds: boolean, fault: string): void {
    if (!holds) this.fault ??= fault;
  }
}

function isOfRest(field: string): boolean {
  return field !== 'role' && field !== 'content';
}

function stringOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
