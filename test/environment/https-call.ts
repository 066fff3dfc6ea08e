import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent, request } from 'node:https';
import type { TestGateway } from './gateway.ts';

export type HeaderPairs = readonly (readonly [name: string, value: string])[];

export type HttpsCall = {
  method?: string;
  /** Goes out as it is, also what no URL may hold. */
  path?: string;
  /** In this order; a name may come twice. `host`, and the framing of the body, are added when they are missing. */
  headers: HeaderPairs;
  body?: string | Uint8Array;
  agent?: Agent;
};

/** What is needed of a gateway to call it. */
export type Reached = Pick<TestGateway, 'url' | 'authorityPem'>;

export type HttpsAnswer = { status: number; headers: HeaderPairs; body: Buffer; exchangeId: string };

/** A client without manners of its own: what it sends, and what it got, to the header. */
export async function httpsCall(gateway: Reached, call: HttpsCall): Promise<HttpsAnswer> {
  const agent = call.agent ?? new Agent();
  try {
    return await answerOf(gateway, call, agent);
  } finally {
    if (call.agent === undefined) agent.destroy();
  }
}

function answerOf(gateway: Reached, call: HttpsCall, agent: Agent): Promise<HttpsAnswer> {
  const { port } = new URL(gateway.url);
  const own = new Set(call.headers.map(([name]) => name.toLowerCase()));
  const framing: (readonly [string, string])[] =
    call.body === undefined || own.has('transfer-encoding') || own.has('content-length')
      ? []
      : [['content-length', String(Buffer.byteLength(call.body))]];
  const host: (readonly [string, string])[] = own.has('host') ? [] : [['host', 'gateway.example']];
  const options: RequestOptions = {
    ...{ host: '127.0.0.1', port, servername: 'localhost', ca: gateway.authorityPem, agent },
    method: call.method ?? 'POST',
    path: call.path ?? '/v1/messages',
    // Node takes a flat list of names and values too, which keeps repeats.
    headers: [...host, ...call.headers, ...framing].flat() as unknown as Record<string, string>,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      // An answer that breaks off rejects too.
      wholeOf(response).then(resolve, reject);
    });
    outgoing.on('error', reject);
    // As bytes: Node joins a text body with the headers and then writes them as UTF-8 too.
    outgoing.end(typeof call.body === 'string' ? Buffer.from(call.body) : call.body);
  });
}

async function wholeOf(response: IncomingMessage): Promise<HttpsAnswer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const headers = pairs(response.rawHeaders);
  const exchangeId = headers.find(([name]) => name === 'x-skilltape-exchange')?.[1] ?? '';
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(parts), exchangeId };
}

/** Names and values of a flat list, names in lower case. */
export function pairs(flat: readonly string[]): HeaderPairs {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), flat[at + 1] ?? ''] as const] : []));
}
