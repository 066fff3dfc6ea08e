/** The chat form: what an exchange adds to its conversation, as messages of Claude's Messages API. */

import { deriveMasked, type Masked } from '../masking/masked.ts';
import type { DocumentAction, ExchangeDocument, JsonValue } from '../transcript/document.ts';

export type ChatMessage = { role: string; content: JsonValue[] };

/**
 * One exchange of a conversation, with what is new in it. `historyMessages`: messages that its request had before these,
 * of earlier exchanges. `sentMessages`: how many its request had in all.
 */
export type ChatPart = {
  exchange: string;
  /** ISO 8601, UTC. */
  time: string;
  action: DocumentAction;
  session: string;
  connection: string;
  /** Claude Code's agent; null for its main one, and for other clients. */
  agent: string | null;
  model: string;
  skills: string[];
  outcome: string;
  historyMessages: number;
  sentMessages: number;
  hasAnswer: boolean;
  tools: JsonValue[] | null;
  messages: ChatMessage[];
  recordPolicyRevision: string;
};

/** Made of nothing but the masked document (inv. 6). */
export function chatPartOf(document: Masked<ExchangeDocument>): Masked<ChatPart> {
  return deriveMasked(document, (whole): ChatPart => {
    const { event, gen_ai: genAi, skilltape } = whole;
    const sent = skilltape.new_messages.flatMap(messageOf);
    const answered = answerOf(skilltape.answer);
    const system = partsOf(skilltape.system);
    return {
      exchange: event.id,
      time: whole['@timestamp'],
      action: event.action,
      session: skilltape.session.id,
      connection: skilltape.connection,
      agent: genAi.agent.id,
      model: genAi.response.model || genAi.request.model,
      skills: [...new Set(skilltape.skill.map(({ name }) => name))],
      outcome: skilltape.outcome,
      historyMessages: skilltape.history.message_count,
      sentMessages: skilltape.history.message_count + skilltape.new_messages.length,
      hasAnswer: answered.length > 0,
      tools: Array.isArray(skilltape.tools) ? skilltape.tools : null,
      messages: [...(system.length === 0 ? [] : [{ role: 'system', content: system }]), ...sent, ...answered],
      recordPolicyRevision: skilltape.verdict.record_policy_revision,
    };
  });
}

function messageOf(message: JsonValue): ChatMessage[] {
  const { role, content } = fieldsOf(message);
  const parts = partsOf(content ?? null);
  return typeof role === 'string' && parts.length > 0 ? [{ role, content: parts }] : [];
}

/** A message, or what an agent said in the events of a managed session; another answer is no turn of a chat. */
function answerOf(answer: JsonValue): ChatMessage[] {
  const { type, content } = fieldsOf(answer);
  if (type === 'session_events' && Array.isArray(content)) {
    return content.flatMap((event) => {
      const said = fieldsOf(event);
      return said.type === 'agent.message' ? messageOf({ role: 'assistant', content: said.content ?? null }) : [];
    });
  }
  return type === 'message' ? messageOf({ role: 'assistant', content: content ?? null }) : [];
}

/** A text alone is one part, as the API has it. */
function partsOf(content: JsonValue): JsonValue[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : [];
}

function fieldsOf(value: JsonValue): { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
