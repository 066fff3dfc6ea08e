/** One conversation as a line of JSON: docs/export.md has its schema. */
import type { JsonValue } from '../transcript/document.ts';
import type { ChatMessage } from './chat.ts';
import type { Conversation } from './threads.ts';

/** With it a reader knows what to expect; another number for whatever a reader of this one would misunderstand. */
export const chatSchema = 'skilltape.chat/1';

export type ChatLine = {
  schema: typeof chatSchema;
  /** Of the first exchange. */
  id: string;
  session: string;
  connection: string;
  models: string[];
  skills: string[];
  exchanges: { id: string; time: string; outcome: string }[];
  /** Messages before the first one that are in no exchange of this line. */
  history_messages: number;
  /** As they were sent last; null where none were new. */
  tools: JsonValue[] | null;
  messages: ChatMessage[];
};

/** Null for a conversation without a message. */
export function chatLineOf(conversation: Conversation): ChatLine | null {
  const [first] = conversation;
  const messages = conversation.flatMap((part) => part.messages);
  if (first === undefined || messages.length === 0) return null;
  const { exchange, session, connection, historyMessages } = first;
  return {
    ...{ schema: chatSchema, id: exchange, session, connection },
    models: unique(conversation.map(({ model }) => model).filter((model) => model !== '')),
    skills: unique(conversation.flatMap(({ skills }) => skills)),
    exchanges: conversation.map(({ exchange: id, time, outcome }) => ({ id, time, outcome })),
    history_messages: historyMessages,
    tools: conversation.findLast(({ tools }) => tools !== null)?.tools ?? null,
    messages,
  };
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
