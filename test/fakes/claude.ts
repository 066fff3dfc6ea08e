/** A Claude API that is not: an upstream for tests and the demo, with answers that can be foretold. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Arrival, ArrivalLog, ByteCounter } from './claude/arrival.ts';
import type { Behaviour } from './claude/behaviour.ts';
import { type Connections, watchConnections } from './claude/connections.ts';
import { receiveBody } from './claude/request-body.ts';
import { createResources } from './claude/resources.ts';
import { type RespondOptions, respond } from './claude/respond.ts';
import { MESSAGES } from './claude/routes.ts';
import { Script } from './claude/script.ts';
import { sendReply } from './claude/send.ts';

export type FakeClaudeOptions = {
  /** Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** `clientAuthorityPem` asks every client for a certificate of that authority (mutual TLS). */
  readonly tls?: {
    readonly certificatePem: string;
    readonly privateKeyPem: string;
    readonly clientAuthorityPem?: string;
  };
  /** Milliseconds before each event of a stream, unless `[fake: slow …]` says otherwise; 0 without. */
  readonly pace?: number;
  /** Refuses every other key with 401; without it any key will do. */
  readonly apiKey?: string;
  /** Holds the bodies of requests in memory, in `requests[n].body`. */
  readonly keepBodies?: boolean;
  /** What links in answers (`results_url` of a batch) begin with; the fake's own URL without. No slash at the end. */
  readonly publicUrl?: string;
  /** How many requests are remembered; 10,000 without. */
  readonly requestsKeptMax?: number;
};

export type FakeClaude = {
  /** Base URL for a client, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The requests remembered, oldest first; filled in while they go on. */
  readonly requests: readonly Arrival[];
  /** Requests whose headers have come, remembered or not. */
  readonly requestCount: () => number;
  readonly acceptCount: () => number;
  /** Resolves when the headers of request n (from 1) have come; rejects when the fake is closed first. */
  readonly waitForRequest: (n: number) => Promise<Arrival>;
  /** Resolves when the exchange of request n is over: answered, broken off or abandoned. */
  readonly waitForSettled: (n: number) => Promise<Arrival>;
  /**
   * Queues what the next requests to POST /v1/messages do, one step each; directives in those requests are not read.
   * A step is a behaviour, or directives as text: `fake.script('[fake: error 529]', { answer: { kind: 'text', text: 'hi' } })`.
   */
  readonly script: (...steps: readonly (string | Partial<Behaviour>)[]) => void;
  /**
   * The same for the next requests to another route, by its line in `claude/routes.ts`, for example
   * `GET /v1/files/{file_id}/content`. Of answers only `error`, `raw` and `fixture` can take the place of the route's own.
   */
  readonly scriptRoute: (route: string, ...steps: readonly (string | Partial<Behaviour>)[]) => void;
  /** Stops listening and breaks every connection. */
  readonly close: () => Promise<void>;
};

type State = {
  readonly log: ArrivalLog;
  readonly connections: Connections;
  readonly respondOptions: RespondOptions;
  readonly keepBodies: boolean;
};

const REQUESTS_KEPT_MAX = 10_000;
const ORGANIZATION_ID = '00000000-0000-4000-8000-00000000fa4e';

export async function startFakeClaude(options: FakeClaudeOptions): Promise<FakeClaude> {
  const server = createFor(options.tls);
  // Idle connections stay: a pool in front of the fake must never race with the fake closing them.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  const script = new Script();
  let ownUrl = '';
  const usual = {
    answer: { kind: 'default' },
    producedFileBytes: undefined,
    stopReason: undefined,
    ending: 'complete',
    encoding: 'identity',
    msPerEvent: options.pace ?? 0,
    bytesPerWrite: undefined,
  } as const;
  const state: State = {
    log: new ArrivalLog(options.requestsKeptMax ?? REQUESTS_KEPT_MAX),
    connections: watchConnections(server),
    respondOptions: {
      apiKey: options.apiKey,
      usual,
      nextStep: (route) => script.next(route),
      resources: createResources(() => options.publicUrl ?? ownUrl),
    },
    keepBodies: options.keepBodies ?? false,
  };
  server.on('request', (request, response) => void serve(state, request, response));
  const port = await listen(server, options.listen);
  const host = options.listen.host.includes(':') ? `[${options.listen.host}]` : options.listen.host;
  ownUrl = `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
  return {
    url: ownUrl,
    port,
    requests: state.log.kept,
    requestCount: () => state.log.arrivedCount,
    acceptCount: state.connections.acceptCount,
    waitForRequest: (n) => state.log.whenArrived(n),
    waitForSettled: (n) => state.log.whenSettled(n),
    script: (...steps) => script.add(MESSAGES, steps),
    scriptRoute: (route, ...steps) => script.add(route, steps),
    close: () => close(server, state),
  };
}

/** One exchange, from complete headers to its end. A mistake in a script (say, an impossible header) is thrown. */
async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { arrival, number } = state.log.add({
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.rawHeaders,
    connectionId: state.connections.idOf(request.socket),
  });
  const serial = String(number).padStart(16, '0');
  const ids = { requestId: `req_011CFake${serial}`, serial };
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.setHeader('request-id', ids.requestId);
  response.setHeader('anthropic-organization-id', ORGANIZATION_ID);
  const answer = new ByteCounter();
  try {
    const body = await receiveBody(request, arrival, state.keepBodies).catch(() => undefined);
    if (body === undefined) {
      arrival.clientAborted = true;
      return;
    }
    const received = { method: arrival.method, path: arrival.path, headers: request.headers, body };
    const { reply, behaviour } = await respond(received, state.respondOptions, ids);
    if (behaviour.ending !== 'hang' && behaviour.ending !== 'reset_before_headers') arrival.status = reply.status;
    const onSent = (bytes: Buffer) => {
      answer.add(bytes);
      arrival.answerBytes = answer.bytes;
    };
    arrival.clientAborted = (await sendReply(response, reply, behaviour, onSent, gone.signal)) === 'client_gone';
  } finally {
    arrival.answerSha256 = answer.digest();
    state.log.settle(number);
  }
}

function createFor(tls: FakeClaudeOptions['tls']): Server {
  if (tls === undefined) return createServer();
  const certificate = { cert: tls.certificatePem, key: tls.privateKeyPem };
  return tls.clientAuthorityPem === undefined
    ? createTlsServer(certificate)
    : createTlsServer({ ...certificate, ca: tls.clientAuthorityPem, requestCert: true, rejectUnauthorized: true });
}

async function listen(server: Server, { host, port }: FakeClaudeOptions['listen']): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : port;
}

async function close(server: Server, state: State): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  state.connections.destroyAll();
  await closed;
  state.log.close();
}
