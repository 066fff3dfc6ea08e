import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { SearchHit, Snippet } from './port.ts';

/** A hit is a part of a masked document. */
export function hitOf(document: Masked<ExchangeDocument>, snippet: Snippet): Masked<SearchHit> {
  const { user, skilltape, gen_ai: genAi } = document;
  const { input_tokens: input, output_tokens: output } = genAi.usage;
  const hit: SearchHit = {
    id: document.event.id,
    time: document['@timestamp'],
    user: user === null ? null : { id: user.id, name: user.name, email: user.email },
    connection: skilltape.connection,
    model: genAi.request.model || genAi.response.model,
    verdict: skilltape.verdict.decision,
    outcome: skilltape.outcome,
    session: skilltape.session.id,
    noise: skilltape.noise,
    skills: skillNames(document),
    snippet,
    totalTokens: input === null && output === null ? null : (input ?? 0) + (output ?? 0),
  };
  return hit as Masked<SearchHit>;
}

/** The skills that came into use, each once: one may be named by several versions and sources. */
export function skillNames({ skilltape }: ExchangeDocument): string[] {
  return [...new Set(skilltape.skill.map(({ name }) => name))];
}

/** What the person asked last: clients put the system prompt and reminders of their own before it. */
export function headlineOf({ skilltape, gen_ai }: ExchangeDocument): string {
  for (const message of skilltape.new_messages.toReversed()) {
    const { role, content } = Object(message) as { role?: unknown; content?: unknown };
    if (role !== 'user') continue;
    const texts = Array.isArray(content) ? content.map((block) => Object(block).text) : [content];
    const last = texts.findLast((text) => typeof text === 'string' && text !== '');
    if (typeof last === 'string') return last;
  }
  return gen_ai.input.text === '' ? gen_ai.output.text : gen_ai.input.text;
}
