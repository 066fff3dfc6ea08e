/** The text that is new in a request: what its caller says now, whoever said what before it. */
import { lastPromptAt } from '../claude/history.ts';
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from '../claude/json.ts';
import { flatText } from '../claude/text.ts';

type Message = { role: string; content: JsonValue };

/** The requests of a batch; of any other body what stands in the place of them. */
export function batchedIn(body: JsonObject): JsonObject[] {
  return objectsIn(body.requests).map(({ params }) => (isJsonObject(params) ? params : {}));
}

export function messageCount(request: JsonObject): number {
  return conversationsIn(request).reduce((sum, { length }) => sum + length, 0);
}

/**
 * Of each conversation that a request has, so that a field which its endpoint does not know hides no other. `older`: how
 * many messages stand before it.
 */
export function newestPrompt(request: JsonObject): { text: string; older: number } {
  const prompts = conversationsIn(request).map((messages) => {
    const older = lastPromptAt(messages);
    const newest = messages.slice(older);
    return { text: newest.map(({ content }) => flatText(content)).join('\n'), older };
  });
  return { text: joined(prompts), older: prompts.reduce((sum, { older }) => sum + older, 0) };
}

export function joined(prompts: readonly { text: string }[]): string {
  return prompts.flatMap(({ text }) => (text === '' ? [] : [text])).join('\n');
}

/** A completion has one prompt, and events stand in the place of messages. */
function conversationsIn(request: JsonObject): Message[][] {
  const prompt: Message[][] = typeof request.prompt === 'string' ? [[{ role: 'user', content: request.prompt }]] : [];
  const lists = [request.messages, request.events, request.initial_events].filter((field) => Array.isArray(field));
  return [
    ...prompt,
    ...lists.map((list) =>
      objectsIn(list).map(({ role, content = null }) => ({ role: role === 'assistant' ? role : 'user', content })),
    ),
  ];
}
