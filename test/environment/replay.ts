/** Sends what Claude Code sent once, with the answers that it got, through the gateway again. */
import { readFileSync } from 'node:fs';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import type { TestGateway } from './gateway.ts';

type Block = { type: string; text?: string; input?: unknown; content?: unknown };
type Turn = { role: string; content: string | Block[] };
type Usage = Record<string, number> & { cache_creation: Record<string, number> };

/** Of Claude Code 2.1.330; the vendor's own prompts and descriptions are replaced by sample wording. */
export type RecordedCall = {
  headers: Record<string, string>;
  body: { model: string; stream?: boolean; messages: Turn[]; system?: unknown; tools?: unknown[] };
  answer: { id: string; content: Block[]; stop_reason: string; usage: Usage };
};

export type Replayed = { call: RecordedCall; document: ExchangeDocument };

export function recordedCalls(name: string): RecordedCall[] {
  const file = new URL(`../fixtures/claude-code/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as RecordedCall[];
}

/** One call after the other; ends when all of them are in the index. */
export async function replay(
  gateway: TestGateway,
  calls: readonly RecordedCall[],
  options: { person?: string; headers?: Record<string, string> } = {},
): Promise<Replayed[]> {
  const authorization = `Bearer ${await gateway.token(options.person)}`;
  const exchangeIds: string[] = [];
  for (const { headers, body, answer } of calls) {
    const raw = {
      kind: 'raw',
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: streamOf(answer),
    } as const;
    gateway.fake.script({ answer: raw });
    const all = { ...headers, ...options.headers, authorization };
    const { status, exchangeId } = await gateway.post(JSON.stringify(body), all, '/v1/messages?beta=true');
    if (status !== 200) throw new Error(`the gateway answered ${status}`);
    exchangeIds.push(exchangeId);
  }
  const documents = await Promise.all(exchangeIds.map((id) => gateway.document(id)));
  return calls.flatMap((call, at) => {
    const document = documents[at];
    return document === undefined ? [] : [{ call, document }];
  });
}

/** The message as an event stream; texts and inputs come in two pieces. */
export function streamOf(message: RecordedCall['answer']): string {
  const { content, stop_reason: stopReason, usage } = message;
  const { output_tokens: outputTokens, ...input } = usage;
  const events: { type: string; [key: string]: unknown }[] = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } },
    },
    ...content.flatMap((block, index) => [
      ...piecesOf(block).map((piece) => ({ ...piece, index })),
      { type: 'content_block_stop', index },
    ]),
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: outputTokens },
    },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

function piecesOf(block: Block): { type: string; [key: string]: unknown }[] {
  const start = (fields: object) => ({ type: 'content_block_start', content_block: { ...block, ...fields } });
  const delta = (fields: object) => ({ type: 'content_block_delta', delta: fields });
  const halves = (text: string) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
  if (block.type === 'text')
    return [start({ text: '' }), ...halves(block.text ?? '').map((text) => delta({ type: 'text_delta', text }))];
  if (block.type !== 'tool_use') return [start({})];
  const inputs = halves(JSON.stringify(block.input));
  return [start({ input: {} }), ...inputs.map((json) => delta({ type: 'input_json_delta', partial_json: json }))];
}
