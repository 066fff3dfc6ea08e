import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';

/** One request whose upload and answer a test steps through. */
export type RawCall = {
  write(bytes: string | Uint8Array): void;
  end(bytes?: string | Uint8Array): void;
  /** Closes the connection. */
  abort(): void;
  /** Rejects when the connection ends before an answer's headers came. */
  readonly head: Promise<{ status: number; headers: IncomingHttpHeaders }>;
  /** The bytes of the answer's body that have come so far. */
  received(): Buffer;
  /** `ended` only when HTTP says that the answer is whole. */
  readonly over: Promise<'ended' | 'cut'>;
};

type Place = { url: string; authorityPem: string };

/** Opens the connection and sends the headers at once, before any byte of the body. */
export function openCall(
  { url, authorityPem }: Place,
  options: { headers: Record<string, string | number>; path?: string; agent?: Agent; method?: string },
): RawCall {
  const { headers, path = '/v1/messages', agent, method = 'POST' } = options;
  const usual = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
  const parts: Buffer[] = [];
  const head = Promise.withResolvers<{ status: number; headers: IncomingHttpHeaders }>();
  const over = Promise.withResolvers<'ended' | 'cut'>();
  head.promise.catch(() => {});
  const call = request(`${url}${path}`, {
    method,
    headers: { ...usual, ...headers },
    ca: authorityPem,
    agent: agent ?? false,
  });
  let answered = false;
  call.on('response', (response) => {
    answered = true;
    head.resolve({ status: response.statusCode ?? 0, headers: response.headers });
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('error', () => {});
    response.on('close', () => over.resolve(response.complete ? 'ended' : 'cut'));
  });
  // A refusal may come before the upload is done; what cannot be sent any more is no error of its own then.
  call.on('error', (error) => head.reject(error));
  call.on('close', () => {
    head.reject(new Error('the connection was closed before an answer came'));
    if (!answered) over.resolve('cut');
  });
  call.flushHeaders();
  return {
    write: (bytes) => void call.write(bytes),
    end: (bytes) => void call.end(bytes),
    abort: () => void call.destroy(),
    head: head.promise,
    received: () => Buffer.concat(parts),
    over: over.promise,
  };
}
