import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Gateway } from '../../extproc/demo/gateway.ts';
import { startGateway } from '../../extproc/demo/gateway.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { createAuthority } from '../fakes/certificates.ts';
import { upstreamKey } from './gateway.ts';
import type { HeaderPairs, HttpsAnswer } from './https-call.ts';
import { httpsCall } from './https-call.ts';
import { sharedWorkspace } from './policy-edits.ts';

export type ScriptedRequest = { method: string; path: string; body: string };
/** Several pieces go out as chunks of their own, without content-length. */
export type ScriptedAnswer = {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array | readonly Uint8Array[];
};

export type ScriptedGateway = Gateway & {
  authorityPem: string;
  /** What reached the upstream. */
  requests: ScriptedRequest[];
  /** POST with a body, GET without; the token is of that person. */
  call(path: string, options?: CallOptions): Promise<HttpsAnswer & { header(name: string): string | undefined }>;
};

export type CallOptions = { person?: string; body?: unknown; headers?: HeaderPairs; method?: string };

/** The real parts with an upstream whose answers the test writes itself; `connections` as in skilltape.yaml. */
export async function startScriptedGateway(options: {
  connections: Record<string, Record<string, unknown>>;
  workers?: number;
  /** Whatever ids a test makes up may be used. */
  sharedWorkspace?: boolean;
  answer: (request: ScriptedRequest) => ScriptedAnswer;
}): Promise<ScriptedGateway> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-scripted-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await createAuthority('test authority');
  const tls = await authority.issue({ commonName: 'claude', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  if (options.sharedWorkspace) sharedWorkspace.prepare(directory);
  const requests: ScriptedRequest[] = [];
  const server = createServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, async (incoming, outgoing) => {
    const request = { method: incoming.method ?? '', path: incoming.url ?? '', body: await text(incoming) };
    requests.push(request);
    send(options.answer(request), incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  started.defer(() => void server.closeAllConnections());
  started.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const target = { host: '127.0.0.1', port, serverName: 'localhost', caFile: join(directory, 'ca.pem') };
  const gateway = await startGateway({
    ...{ directory, authority, upstreamKey, userClientSecret: 'test' },
    settings: { connections: options.connections, ...(options.sharedWorkspace && sharedWorkspace.settings) },
    ...(options.workers !== undefined && { workers: options.workers }),
    upstreams: Object.keys(options.connections).map((name) => ({ name, ...target })),
    envoyBinary: (await resolveTool('envoy', { env: process.env })).path,
    opaBinary: (await resolveTool('opa', { env: process.env })).path,
  });
  started.defer(() => gateway.stop());
  const all = started.move();
  const { certificatePem: authorityPem } = authority;
  return Object.create(gateway, {
    ...Object.getOwnPropertyDescriptors({ authorityPem, requests }),
    call: { value: (path: string, call?: CallOptions) => callThrough(gateway, authorityPem, path, call) },
    stop: { value: () => all.disposeAsync() },
  }) as ScriptedGateway;
}

async function callThrough(gateway: Gateway, authorityPem: string, path: string, options: CallOptions = {}) {
  const { person = 'alice', body, headers = [], method = body === undefined ? 'GET' : 'POST' } = options;
  const usual: HeaderPairs = [
    ['authorization', `Bearer ${await gateway.identityProvider.token(person)}`],
    ['anthropic-version', '2023-06-01'],
    ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
  ];
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const call = { path, method, headers: [...usual, ...headers], ...sent };
  const answer = await httpsCall({ url: gateway.url, authorityPem }, call);
  return { ...answer, header: (name: string) => answer.headers.find(([key]) => key === name)?.[1] };
}

function send(
  { status = 200, headers = {}, body = '' }: ScriptedAnswer,
  incoming: IncomingMessage,
  out: ServerResponse,
) {
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [Buffer.from(body)] : body;
  const [first] = pieces;
  const length = first !== undefined && pieces.length === 1 ? { 'content-length': String(first.length) } : {};
  const hasBody = incoming.method !== 'HEAD' && status !== 204 && status !== 304;
  out.writeHead(status, { 'content-type': 'application/json', ...(hasBody ? length : {}), ...headers });
  if (hasBody) for (const piece of pieces) out.write(piece);
  out.end();
}
