import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export type ElasticsearchCall = {
  readonly url: string;
  readonly path: string;
  readonly method?: string;
  /** Sent as JSON, or as it is when it is a text. */
  readonly body?: unknown;
  readonly ca?: string | undefined;
  /** Until the connection has been silent for this long; 10 s unless told. */
  readonly timeoutMs?: number;
  readonly login?: { readonly name: string; readonly password: string } | undefined;
};

/** One request on a connection of its own. */
export function elasticsearchCall(call: ElasticsearchCall): Promise<{ status: number; text: string }> {
  const { url, path, method = 'GET', body, ca, login, timeoutMs = 10_000 } = call;
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  const options = {
    method,
    agent: false,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    timeout: timeoutMs,
    ...(ca === undefined ? {} : { ca }),
    ...(login === undefined ? {} : { auth: `${login.name}:${login.password}` }),
  } as const;
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, options, (answer) => {
      text(answer).then((content) => resolve({ status: answer.statusCode ?? 0, text: content }), reject);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
    outgoing.once('error', reject);
    outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  });
}
