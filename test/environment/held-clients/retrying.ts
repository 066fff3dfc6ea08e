/**
 * A program that asks as Claude Code does: a stream, ten retries of the same bytes, each of which says that it is the
 * first, and no wait for longer than a minute.
 */
import { setTimeout } from 'node:timers/promises';
import { Agent, fetch as undiciFetch } from 'undici';
import { type Asked, askedOf, type Told, tell } from './told.ts';

const retriesMax = 10;
const waitMaxSeconds = 60;
const retriedStatuses = new Set([401, 408, 409, 429, 500, 502, 503, 504]);

/** What one attempt came to: an answer, or an error and whether it is worth another attempt. */
type Attempt = { message: Told['message'] } | { error: string; again: boolean; afterSeconds: number | null };

type Event = {
  type: string;
  delta?: { text?: string; stop_reason?: string };
  error?: { type: string; message: string };
};

// Claude Code waits for the head of an answer as long as for all of it.
const dispatcher = new Agent({ headersTimeout: 0 });

async function attempt(asked: Asked, body: string): Promise<Attempt> {
  const response = await undiciFetch(`${asked.baseUrl}/v1/messages`, {
    method: 'POST',
    body,
    dispatcher,
    headers: {
      authorization: `Bearer ${asked.token}`,
      ...{ 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-stainless-retry-count': '0' },
      ...{ 'user-agent': 'claude-cli/2.1.330 (external, sdk-cli)' },
    },
  });
  const text = await response.text();
  if (response.status === 200) return readStream(text);
  const after = response.headers.get('retry-after');
  const afterSeconds = after === null ? null : Number(after);
  const told = response.headers.get('x-should-retry');
  const isRetried = told === null ? retriedStatuses.has(response.status) : told === 'true';
  const again = isRetried && (afterSeconds ?? 0) <= waitMaxSeconds;
  return { error: `${response.status} ${text}`, again, afterSeconds };
}

function readStream(text: string): Attempt {
  const events = text
    .split('\n')
    .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as Event] : []));
  const error = events.find(({ type }) => type === 'error')?.error;
  if (error !== undefined) {
    const again = error.type === 'overloaded_error';
    return { error: `${error.type} ${error.message}`, again, afterSeconds: null };
  }
  if (events.at(-1)?.type !== 'message_stop') return { error: 'the stream broke off', again: true, afterSeconds: null };
  const stopReason = events.find(({ type }) => type === 'message_delta')?.delta?.stop_reason ?? null;
  const answer = events.map(({ delta }) => delta?.text ?? '').join('');
  return { message: { stop_reason: stopReason, content: [{ type: 'text', text: answer }] } };
}

async function call(asked: Asked): Promise<Told> {
  const messages = [{ role: 'user', content: asked.prompt }];
  const body = JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, stream: true, messages });
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await attempt(asked, body).catch((fault: unknown) => {
      return { error: String(fault), again: true, afterSeconds: null };
    });
    if ('message' in outcome) return { attempts, message: outcome.message, error: null };
    if (!outcome.again || attempts > retriesMax) return { attempts, message: null, error: outcome.error };
    await setTimeout((outcome.afterSeconds ?? Math.min(0.5 * 2 ** (attempts - 1), 35)) * 1_000);
  }
}

tell(await call(askedOf(process.env)));
await dispatcher.close();
