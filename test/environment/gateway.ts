import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Anthropic from '@anthropic-ai/sdk';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Gateway, GatewayOptions } from '../../extproc/demo/gateway.ts';
import { startGateway } from '../../extproc/demo/gateway.ts';
import { indexedDocument } from '../../extproc/demo/indexed.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { createAuthority } from '../fakes/certificates.ts';
import type { FakeClaude } from '../fakes/claude.ts';
import { startFakeClaude } from '../fakes/claude.ts';

/** The key that Envoy puts in; it must be seen upstream and nowhere else. */
export const upstreamKey = 'sk-ant-api03-upstream-0123456789abcdefghijklmnopqrstuvwxyz';

export type TestGateway = Gateway & {
  directory: string;
  fake: FakeClaude;
  authorityPem: string;
  /** Trusts the gateway's certificate; HTTP/1.1, as the official clients speak. */
  dispatcher: Agent;
  /** `fetch` for an official SDK's `fetch` option. */
  fetch: NonNullable<ConstructorParameters<typeof Anthropic>[0]>['fetch'] & object;
  token(subject?: string): Promise<string>;
  /** POST /v1/messages as a plain client. */
  post(body: string | Uint8Array, headers?: Record<string, string>, path?: string): Promise<PlainAnswer>;
  /** Waits until the exchange is in the index. */
  document(exchangeId: string | null | undefined): Promise<ExchangeDocument>;
};

const unboundedRefusals = {
  recordsPerMinute: 100_000,
  recordsPerMinuteAllSources: 100_000,
  sourcesMax: 100,
  callerRecordsPerMinute: 1_000_000,
};

export type PlainAnswer = { status: number; headers: Headers; body: Buffer; exchangeId: string };

/** The real parts on this machine, with a fake Claude behind them; `stop` removes everything again. */
export async function startTestGateway(
  options: Partial<
    Pick<GatewayOptions, 'settings' | 'serveScript' | 'processorPort' | 'consolePort' | 'workers' | 'changeEnvoyConfig'>
  > & {
    keepBodies?: boolean;
    /** Called with the folder of all files before anything is started in it. */
    prepare?: (directory: string) => void;
  } = {},
): Promise<TestGateway> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-gateway-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await createAuthority('test authority');
  const tls = await authority.issue({ commonName: 'claude', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const { keepBodies = false, prepare, settings, ...rest } = options;
  prepare?.(directory);
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 }, tls, apiKey: upstreamKey, keepBodies });
  started.defer(() => fake.close());
  const target = { host: '127.0.0.1', port: fake.port, serverName: 'localhost', caFile: join(directory, 'ca.pem') };
  const gateway = await startGateway({
    ...{ directory, authority, upstreamKey, userClientSecret: 'test', ...rest },
    // Coverage makes records of requests that were refused without one: a test that counts records has to ask for it.
    // Tests ask for many a record of a bad token in one minute, all of one source.
    // How full this machine's disk is must not matter to a test that does not ask for it.
    settings: {
      ...{ coverage: {}, refusals: unboundedRefusals, ...settings },
      journal: { volumeRefuseAtPercent: 100, ...(settings?.journal ?? {}) },
    },
    upstreams: ['claude', 'sandbox'].map((name) => ({ name, ...target })),
    envoyBinary: (await resolveTool('envoy', { env: process.env })).path,
    opaBinary: (await resolveTool('opa', { env: process.env })).path,
  });
  started.defer(() => gateway.stop());
  const dispatcher = new Agent({ connect: { ca: authority.certificatePem }, bodyTimeout: 0, headersTimeout: 0 });
  started.defer(() => dispatcher.destroy());
  const all = started.move();
  const fetchThrough = (input: unknown, init: unknown) =>
    undiciFetch(input as string, { ...(init as object), dispatcher } as never);
  const own = { directory, fake, dispatcher, authorityPem: authority.certificatePem };
  return Object.create(gateway, {
    ...Object.getOwnPropertyDescriptors(own),
    fetch: { value: fetchThrough },
    token: { value: (subject = 'alice') => gateway.identityProvider.token(subject) },
    post: { value: poster(gateway, fetchThrough) },
    document: { value: (id: string) => indexedDocument(gateway.dataDirectory, id) },
    stop: { value: () => all.disposeAsync() },
  }) as TestGateway;
}

function poster(gateway: Gateway, fetchThrough: (input: unknown, init: unknown) => Promise<unknown>) {
  return async (body: string | Uint8Array, headers: Record<string, string> = {}, path = '/v1/messages') => {
    const usual = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };
    const response = (await fetchThrough(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { ...usual, ...headers },
      body,
    })) as Response;
    const answer = Buffer.from(await response.arrayBuffer());
    const exchangeId = response.headers.get('x-skilltape-exchange') ?? '';
    return { status: response.status, headers: response.headers, body: answer, exchangeId };
  };
}
