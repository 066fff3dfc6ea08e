import { readFileSync } from 'node:fs';
import type { WorkloadName } from './options.ts';

/** What one kind of exchange sends, and the kind of answer that must come back whole. */
export type Workload = { name: WorkloadName; title: string; body: string; answer: 'json' | 'sse' };

/** The load generator puts a number of the exchange's own in its place, so that each is a first turn of the same size. */
const serialMark = 'SERIALSERIAL';
const captured = new URL('../fixtures/claude/i_claude_p_request.trimmed.json', import.meta.url);
/** What the client sent before the wording of the captured request was shortened. */
const codeRequestBytes = 48_042;
const words = 'The contract of the northern depot runs for two more years and names three people who may sign. ';

export function workloadOf(name: WorkloadName): Workload {
  switch (name) {
    case 'json':
      return { name, title: '2 kB request, 1 kB JSON answer', answer: 'json', body: plainRequest(2_048, {}) };
    case 'sse':
      return { name, title: '600 B request, SSE answer', answer: 'sse', body: plainRequest(600, { stream: true }) };
    case 'code':
      return { name, title: '48 kB request of Claude Code, SSE answer', answer: 'sse', body: codeRequest() };
  }
}

/** @param bytes size of the whole body */
function plainRequest(bytes: number, more: Record<string, unknown>): string {
  const bodyWith = (text: string) =>
    JSON.stringify({
      model: 'claude-opus-5-5',
      max_tokens: 1024,
      system: 'You help the people of a depot with their contracts.',
      metadata: { user_id: `user-${serialMark}` },
      messages: [{ role: 'user', content: `Question ${serialMark}: what does this say? ${text}` }],
      ...more,
    });
  return bodyWith(wordsOf(bytes - bodyWith('').length));
}

type CodeRequest = {
  metadata: { user_id: string };
  messages: { content: { text: string }[] }[];
  system: { text: string }[];
};

/** The captured request (system blocks, 12 tools with schemas, a first turn) at its first size, as a new conversation. */
function codeRequest(): string {
  const request = JSON.parse(readFileSync(captured, 'utf8')) as CodeRequest;
  const [reminder, question] = request.messages[0]?.content ?? [];
  const instructions = request.system.at(-1);
  if (reminder === undefined || question === undefined || instructions === undefined) {
    throw new Error(`${captured.pathname} is not the request that this is built on`);
  }
  request.metadata.user_id = JSON.stringify({
    ...JSON.parse(request.metadata.user_id),
    session_id: `00000000-0000-4000-8000-${serialMark}`,
  });
  question.text = `Question ${serialMark}: tidy up the module`;
  const missing = codeRequestBytes - JSON.stringify(request).length;
  reminder.text += wordsOf(Math.floor(missing / 2));
  instructions.text += wordsOf(Math.ceil(missing / 2));
  return JSON.stringify(request);
}

function wordsOf(length: number): string {
  return words.repeat(Math.ceil(length / words.length)).slice(0, length);
}
