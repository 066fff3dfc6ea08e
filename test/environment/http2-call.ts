import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';

export type Http2Answer = { status: number; id: string; stream: ClientHttp2Stream };

/** POST /v1/messages on a connection that others share; resolves with the head of the answer, whose body is not read yet. */
export async function postOn(session: ClientHttp2Session, body: string, authorization: string): Promise<Http2Answer> {
  const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', authorization };
  const stream = session.request({ ':method': 'POST', ':path': '/v1/messages', ...headers });
  stream.end(body);
  const [head] = await once(stream, 'response');
  return { status: Number(head[':status']), id: String(head['x-skilltape-exchange']), stream };
}
