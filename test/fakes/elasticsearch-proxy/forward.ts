import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';

export type ProxyRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came: with `content-encoding` it is compressed. */
  readonly body: Buffer;
};

export type ProxyAnswer = {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
};

/** Of one connection, not of the message; the length is set anew. */
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect'];

/** Has the server execute the request and takes in the whole answer. */
export function forward(target: string, ca: string | undefined, request: ProxyRequest): Promise<ProxyAnswer> {
  const send = target.startsWith('https:') ? requestHttps : requestHttp;
  const { method, path, body } = request;
  const length = body.length === 0 && (method === 'GET' || method === 'HEAD') ? {} : { 'content-length': body.length };
  const headers = { ...without(request.headers), ...length };
  return new Promise((resolve, reject) => {
    const outgoing = send(`${target}${path}`, { method, headers, agent: false, ...(ca && { ca }) }, (answer) => {
      const { statusCode = 0, headers: received } = answer;
      buffer(answer).then((whole) => resolve({ status: statusCode, headers: without(received), body: whole }), reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function without(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
}
