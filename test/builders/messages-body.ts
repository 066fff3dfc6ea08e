/** The body of a POST /v1/messages with one user message. */
export function messagesBody(text: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    model: 'claude-opus-5-5',
    max_tokens: 64,
    messages: [{ role: 'user', content: text }],
    ...more,
  });
}
