/** Stands between a client and a real Elasticsearch and does what networks, balancers and overloaded nodes do. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { type BulkItem, bulkBody, bulkItems, type ItemError, mergeAnswer } from './elasticsearch-proxy/bulk.ts';
import { forward, type ProxyAnswer, type ProxyRequest } from './elasticsearch-proxy/forward.ts';

/**
 * - `answer`: the server does not see the request; `body` is by default what Elasticsearch says, nothing for 413.
 * - `answer_after`: the server executes it, and the client is told something else.
 * - `items`: the chosen operations of a bulk do not reach the server; the others do. By default they are refused as
 *   Elasticsearch refuses what its queue has no room for (429).
 * - `reset_before`, `reset_after`: the connection is reset when the request was read; with `after` it was executed too.
 * - `cut`: executed, and half of the answer's body comes before the reset.
 * - `hold`: nothing goes on until the promise settles; `before` the server gets it, or `after` it executed it.
 */
export type ElasticsearchFault =
  | { readonly kind: 'answer' | 'answer_after'; readonly status: number; readonly body?: string }
  | { readonly kind: 'items'; readonly which: (item: BulkItem) => boolean; readonly error?: ItemError }
  | { readonly kind: 'reset_before' | 'reset_after' | 'cut' }
  | { readonly kind: 'hold'; readonly when: 'before' | 'after'; readonly until: Promise<unknown> };

/**
 * @property on requests that it meets; by default those to `_bulk`
 * @property times how often, by default once
 */
export type FaultScope = { readonly on?: (request: ProxyRequest) => boolean; readonly times?: number };

export type InjectedFault = {
  /** How many requests it has met. */
  used(): number;
  remove(): void;
};

/** A request that came; `executed` is whether the server has answered it, `status` what the client was told, if anything. */
export type ProxiedRequest = {
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
  executed: boolean;
  status: number | undefined;
};

export type ElasticsearchProxy = {
  readonly url: string;
  readonly requests: readonly ProxiedRequest[];
  /** The first fault that was injected and still lasts meets a request, and no other. */
  inject(fault: ElasticsearchFault, scope?: FaultScope): InjectedFault;
  close(): Promise<void>;
};

type Injected = { fault: ElasticsearchFault; on: (request: ProxyRequest) => boolean; left: number; used: number };
type Exchange = { request: ProxyRequest; response: ServerResponse; seen: ProxiedRequest; execute: Execute };
type Execute = (request: ProxyRequest) => Promise<ProxyAnswer>;

const overloaded: ItemError = {
  status: 429,
  type: 'es_rejected_execution_exception',
  reason: 'rejected execution of primary operation',
};

/** @param target URL of the server; `ca` is what to trust when it is an https one */
export async function startElasticsearchProxy(target: string, ca?: string): Promise<ElasticsearchProxy> {
  const faults: Injected[] = [];
  const requests: ProxiedRequest[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming;
    const request: ProxyRequest = { method, path, headers, body: await buffer(incoming) };
    const seen: ProxiedRequest = { method, path, bodyBytes: request.body.length, executed: false, status: undefined };
    requests.push(seen);
    const execute: Execute = async (changed) => {
      const answer = await forward(target, ca, changed);
      seen.executed = true;
      return answer;
    };
    const met = faults.find(({ on, left }) => left > 0 && on(request));
    if (met !== undefined) {
      met.left -= 1;
      met.used += 1;
    }
    await act(met?.fault, { request, response, seen, execute });
  };
  // What cannot be had from the server is not made up either.
  const server = createServer((incoming, response) => void serve(incoming, response).catch(() => reset(response)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    inject(fault, { on = isBulk, times = 1 } = {}) {
      const injected = { fault, on, left: times, used: 0 };
      faults.push(injected);
      return {
        used: () => injected.used,
        remove: () => {
          injected.left = 0;
        },
      };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function isBulk({ path }: ProxyRequest): boolean {
  return /\/_bulk(\?|$)/.test(path);
}

async function act(fault: ElasticsearchFault | undefined, exchange: Exchange): Promise<void> {
  const { request, response, execute } = exchange;
  switch (fault?.kind) {
    case undefined:
      return reply(exchange, await execute(request));
    case 'answer':
      return reply(exchange, errorAnswer(fault.status, fault.body));
    case 'answer_after':
      await execute(request);
      return reply(exchange, errorAnswer(fault.status, fault.body));
    case 'items':
      return reply(exchange, await refuseItems(exchange, fault.which, fault.error ?? overloaded));
    case 'reset_before':
      return reset(response);
    case 'reset_after':
      await execute(request);
      return reset(response);
    case 'cut':
      return cut(response, await execute(request));
    case 'hold': {
      if (fault.when === 'before') await fault.until;
      const answer = await execute(request);
      if (fault.when === 'after') await fault.until;
      return reply(exchange, answer);
    }
  }
}

function reply({ response, seen, request }: Exchange, { status, headers, body }: ProxyAnswer): void {
  seen.status = status;
  response.writeHead(status, request.method === 'HEAD' ? headers : { ...headers, 'content-length': body.length });
  response.end(body);
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function cut(response: ServerResponse, { status, headers, body }: ProxyAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => reset(response));
}

function errorAnswer(status: number, body: string | undefined): ProxyAnswer {
  const type = status === 429 ? overloaded.type : 'unavailable_exception';
  const error = { type, reason: 'injected by the test' };
  const usual = status === 413 ? '' : JSON.stringify({ error: { root_cause: [error], ...error }, status });
  const headers = { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' };
  return { status, headers, body: Buffer.from(body ?? usual) };
}

async function refuseItems(
  { request, execute }: Exchange,
  which: (item: BulkItem) => boolean,
  error: ItemError,
): Promise<ProxyAnswer> {
  const packed = request.headers['content-encoding'] === 'gzip';
  const items = bulkItems((packed ? gunzipSync(request.body) : request.body).toString(), request.path);
  const refused = new Set(items.filter(which));
  const others = items.filter((item) => !refused.has(item));
  const { 'content-encoding': _body, 'accept-encoding': _answer, ...headers } = request.headers;
  const headersOfNone = { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' };
  const none = { status: 200, headers: headersOfNone, body: Buffer.from('{"took":0,"errors":false,"items":[]}') };
  const answer =
    others.length === 0 ? none : await execute({ ...request, headers, body: Buffer.from(bulkBody(others)) });
  if (answer.status !== 200) return answer;
  const merged = mergeAnswer(items, refused, error, JSON.parse(answer.body.toString()));
  return { ...answer, body: Buffer.from(JSON.stringify(merged)) };
}
