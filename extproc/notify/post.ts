import type { Sent } from './target.ts';

/** Longest that a receiver's wish to be left alone is heeded: a forged header must not silence us for a day. */
const retryAfterMaxMs = 15 * 60_000;
/** What of an answer is read, so that its connection can be used again. */
const answerMaxBytes = 16 * 1024;

export type Post = { url: string; allowPlainHttp: boolean; headers: Record<string, string>; body: string };

/**
 * One POST to an address that the operator configured, and to no other: a redirect is not followed. Never throws; `why`
 * names neither the URL, which is a credential, nor what the receiver wrote.
 */
export async function post({ url, allowPlainHttp, headers, body }: Post, timeoutMs: number): Promise<Sent> {
  const refused = refusalOf(url, allowPlainHttp);
  if (refused !== null) return failed(refused);
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', redirect: 'manual', body, signal: AbortSignal.timeout(timeoutMs) },
      headers: { 'content-type': 'application/json', 'user-agent': 'skilltape', ...headers },
    });
    // What was answered stands, also when the rest of it never comes: else a message that was taken would be sent again.
    await drained(response).catch(() => {});
    return sentOf(response);
  } catch (thrown) {
    return failed(thrown instanceof Error && thrown.name === 'TimeoutError' ? 'no answer in time' : reasonOf(thrown));
  }
}

/** Null where it may be posted to. */
export function refusalOf(text: string, allowPlainHttp: boolean): string | null {
  if (!URL.canParse(text)) return 'the file does not hold a URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'the URL has a user in it';
  if (url.protocol === 'https:') return null;
  if (url.protocol !== 'http:') return 'the URL is neither https nor http';
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return isLoopback || allowPlainHttp ? null : 'the URL is http, and allowPlainHttp is not set';
}

function sentOf({ status, headers }: Response): Sent {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status >= 300 && status < 400) return failed(`answered with a redirect (${status}), which is not followed`);
  // Gone, or a message that it will not take however often it comes.
  const isFinal = status === 400 || status === 410 || status === 413 || status === 422;
  return { ...failed(`answered with ${status}`), isFinal, retryAfterMs: retryAfterMsOf(headers.get('retry-after')) };
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
export function retryAfterMsOf(header: string | null, nowMs = Date.now()): number | null {
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, retryAfterMaxMs) : null;
}

async function drained({ body }: Response): Promise<void> {
  if (body === null) return;
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    // Leaving the loop ends the stream.
    if (bytes > answerMaxBytes) return;
  }
}

function failed(why: string): Extract<Sent, { kind: 'failed' }> {
  return { kind: 'failed', why, retryAfterMs: null, isFinal: false };
}

/** The code of the system or of TLS; messages of libraries may hold the URL. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return `no connection (${code.replaceAll(/[^\w-]/g, '').slice(0, 60)})`;
}
