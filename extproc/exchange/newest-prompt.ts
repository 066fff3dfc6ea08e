/** The text that is new in a request: what its caller says now, whoever said what before it. */
import { lastPromptAt } from '../claude/history.ts';
import { type JsonObject, type JsonValue, objectsIn } from '../claude/json.ts';
import { flatText } from '../claude/text.ts';

export type Message = { role: string; content: JsonValue };

/** A completion has one prompt, and events stand in the place of messages. */
export function messagesOf(request: JsonObject): Message[] {
  if (typeof request.prompt === 'string') return [{ role: 'user', content: request.prompt }];
  const list = [request.messages, request.events, request.initial_events].find((field) => Array.isArray(field));
  return objectsIn(list).map(({ role, content = null }) => ({ role: role === 'assistant' ? role : 'user', content }));
}

/** `older`: how many messages stand before it. */
export function newestPrompt(messages: readonly Message[]): { text: string; older: number } {
  const older = lastPromptAt(messages);
  const text = messages
    .slice(older)
    .map(({ content }) => flatText(content))
    .join('\n');
  return { text, older };
}
