import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { TestGateway } from './gateway.ts';

export type Http2Answer = { status: number; id: string; stream: ClientHttp2Stream };

/** POST /v1/messages on a connection that others share; resolves with the head of the answer, whose body is not read yet. */
export async function postOn(session: ClientHttp2Session, body: string, authorization: string): Promise<Http2Answer> {
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', authorization };
  const stream = session.request({ ':method': 'POST', ':path': '/v1/messages', ...headers });
  stream.end(body);
  const [head] = await once(stream, 'response');
  return { status: Number(head[':status']), id: String(head['x-skilltape-exchange']), stream };
}

/** The status of one request with these fields, pseudo-headers among them; null when it was reset without one. */
export async function http2Status(
  { url, authorityPem }: Pick<TestGateway, 'url' | 'authorityPem'>,
  fields: Record<string, string>,
  body: string,
): Promise<number | null> {
  const session = connect(url, { ca: authorityPem });
  try {
    return await new Promise((resolve) => {
      session.on('error', () => resolve(null));
      const stream = session.request(fields);
      stream.on('response', (head) => resolve(Number(head[':status'])));
      stream.on('error', () => resolve(null));
      stream.on('close', () => resolve(null));
      stream.resume();
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}
