/** Puts the exchanges of one session together to conversations: a session may have several, side by side. */
import type { Masked } from '../masking/masked.ts';
import type { ChatPart } from './chat.ts';

export type Conversation = readonly Masked<ChatPart>[];

type Thread = { parts: Masked<ChatPart>[]; key: string };

/**
 * In the order in which they began. An exchange goes on with the one conversation of the same connection and agent that
 * has exactly as many messages as its request says it had before. Where there is none, or more than one, it begins
 * another. `parts` are all exchanges of the session that brought messages, in the order of
 * time: one that is missing could be taken for another of its length.
 */
export function conversationsOf(parts: readonly Masked<ChatPart>[]): Conversation[] {
  const open = new Map<string, Set<Thread>>();
  const inOrder: Thread[] = [];
  for (const part of parts) {
    const thread = onlyThreadFor(part, open) ?? { parts: [], key: '' };
    if (thread.parts.length === 0) inOrder.push(thread);
    const alike = open.get(thread.key);
    alike?.delete(thread);
    if (alike?.size === 0) open.delete(thread.key);
    thread.parts.push(part);
    thread.key = keyOf(part, part.sentMessages + (part.hasAnswer ? 1 : 0));
    const others = open.get(thread.key);
    if (others === undefined) open.set(thread.key, new Set([thread]));
    else others.add(thread);
  }
  return inOrder.map((thread) => thread.parts);
}

function onlyThreadFor(part: ChatPart, open: ReadonlyMap<string, Set<Thread>>): Thread | null {
  if (part.historyMessages === 0 || part.action !== 'exchange') return null;
  const alike = open.get(keyOf(part, part.historyMessages));
  const [only] = alike ?? [];
  return only !== undefined && alike?.size === 1 ? only : null;
}

function keyOf({ connection, agent }: ChatPart, messages: number): string {
  return JSON.stringify([connection, agent, messages]);
}
