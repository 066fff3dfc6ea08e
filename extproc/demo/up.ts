import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createAuthority } from '../../test/fakes/certificates.ts';
import type { FakeClaude } from '../../test/fakes/claude.ts';
import { startFakeClaude } from '../../test/fakes/claude.ts';
import { resourceOf } from '../../test/fakes/identity-provider/configuration.ts';
import type { TlsTarget } from '../envoy/plan.ts';
import { SkilltapeError } from '../errors.ts';
import { currentOperator } from '../looks/operator.ts';
import { SqliteLookLog } from '../looks/sqlite-look-log.ts';
import { trusted } from '../masking/trusted.ts';
import { renderTranscript } from '../terminal/transcript.ts';
import { resolveTool } from '../tools/resolve.ts';
import { freePort } from './console.ts';
import { demoDirectory, demoFile } from './facts.ts';
import type { Gateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
import { indexedDocument } from './indexed.ts';
import { demoPolicies } from './policies.ts';
import { demoPricesFile } from './prices.ts';
import type { TourStop } from './tour.ts';
import { model, takeTour } from './tour.ts';

export type UpOptions = { once: boolean; port: string; consolePort: string };
type Write = (text: string) => void;

/** Brings everything up, takes the tour, and with `once` ends; otherwise a signal ends it. */
export async function up({ once, port, consolePort }: UpOptions, write: Write): Promise<void> {
  const signalled = endSignal();
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const envoy = await resolveTool('envoy', { env: process.env });
  const opa = await resolveTool('opa', { env: process.env });
  const directory = once ? mkdtempSync(join(tmpdir(), 'skilltape-')) : resolve(demoDirectory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = await createAuthority('skilltape demo');
  const userClientSecret = randomBytes(24).toString('base64url');
  const upstream = await startUpstream(authority, directory, process.env.ANTHROPIC_API_KEY);
  progress(`Starting ${upstream.name}, the identity provider, the processor and Envoy ...`);
  const gateway = await startGateway({
    ...{ directory, authority, userClientSecret, upstreams: upstream.targets, upstreamKey: upstream.key },
    ...{ envoyBinary: envoy.path, opaBinary: opa.path, listenerPort: once ? 0 : Number(port) },
    // The tour needs nobody to decide.
    ...(!once && { consolePort: consolePort === '0' ? await freePort() : Number(consolePort) }),
    settings: {
      usage: { pricesFile: demoPricesFile(directory, upstream.fake !== undefined) },
      policies: { directory: demoPolicies(directory) },
    },
  }).catch(async (error) => {
    await upstream.fake?.close();
    rmSync(join(directory, 'sds'), { recursive: true, force: true });
    throw new SkilltapeError('internal', error.message, {
      cause: error,
      remedy: `Is another one running here, or port ${port} or ${consolePort} taken? The logs are in ${directory}.`,
    });
  });
  try {
    writeDemoFacts(directory, gateway, userClientSecret);
    progress('Sending four exchanges with the official SDK ...');
    const { url, caFile, identityProvider } = gateway;
    const isFake = upstream.fake !== undefined;
    const stops = await takeTour({ url, caFile, isFake, token: (subject) => identityProvider.token(subject) });
    await printTranscripts(stops, gateway, write);
    if (!once) {
      write(nextSteps(gateway));
      await signalled;
      progress('Draining ...');
    }
  } finally {
    await gateway.stop();
    await upstream.fake?.close();
    // A key must not stay behind; the logs do after a failure, they tell why.
    if (once) rmSync(join(directory, 'sds'), { recursive: true, force: true });
  }
  if (once) rmSync(directory, { recursive: true, force: true });
}

/**
 * Listens from the start, so that a signal never leaves the other processes behind: what is under way is finished, then
 * everything ends. Ctrl-C reaches us from the terminal and once more from npm; the second must not cut the draining.
 */
async function endSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}

type Upstream = {
  name: string;
  key: string;
  targets: (TlsTarget & { name: string })[];
  fake: FakeClaude | undefined;
};

async function startUpstream(
  authority: Awaited<ReturnType<typeof createAuthority>>,
  directory: string,
  realKey: string | undefined,
): Promise<Upstream> {
  if (realKey) {
    const host = 'api.anthropic.com';
    const target = { host, port: 443, serverName: host, caFile: '/etc/ssl/certs/ca-certificates.crt' };
    const targets = [{ name: 'claude', ...target }];
    return { name: 'the way to the Claude API', key: realKey, targets, fake: undefined };
  }
  const tls = await authority.issue({ commonName: 'fake Claude', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
  const key = `sk-ant-api03-${randomBytes(24).toString('base64url')}`;
  const fake = await startFakeClaude({ listen: { host: '127.0.0.1', port: 0 }, tls, apiKey: key });
  const target = { host: '127.0.0.1', port: fake.port, serverName: 'localhost', caFile: join(directory, 'ca.pem') };
  const targets = ['claude', 'sandbox'].map((name) => ({ name, ...target }));
  return { name: 'a fake Claude', key, targets, fake };
}

function writeDemoFacts(directory: string, gateway: Gateway, userClientSecret: string): void {
  const { url, caFile, identityProvider } = gateway;
  const facts = { url, caFile, issuer: identityProvider.issuer, resource: resourceOf('skilltape'), userClientSecret };
  writeFileSync(join(directory, demoFile), JSON.stringify(facts), { mode: 0o600 });
}

async function printTranscripts(stops: TourStop[], gateway: Gateway, write: Write): Promise<void> {
  const lookLog = new SqliteLookLog(gateway.dataDirectory);
  for (const [index, { title, exchangeId, expected }] of stops.entries()) {
    const document = await indexedDocument(gateway.dataDirectory, exchangeId);
    lookLog.record({ who: currentOperator(), what: 'show', subject: trusted`an exchange of the tour` });
    write(`\n=== ${index + 1}. ${title} ===\n`);
    write(renderTranscript([document], { color: process.stdout.isTTY === true, width: process.stdout.columns ?? 100 }));
    const { decision } = document.skilltape.verdict;
    if (decision !== expected) throw new Error(`exchange ${exchangeId} has the verdict ${decision}, not ${expected}`);
  }
}

function nextSteps({ url, caFile, console }: Gateway): string {
  return `
The gateway is up at ${url} until you press Ctrl-C. In another terminal, in this folder:

  npx skilltape search passau
  npx skilltape search --user bob@example.com
  npx skilltape show <exchange or session id>
  npx skilltape usage --by user,model
  npx skilltape coverage
  npx skilltape reveal <exchange id> --all --reason 'to see how it works'

The console is at ${console?.url}: log in there as Grace, who decides about what is held. An account number is:

  curl --cacert ${caFile} -H "authorization: Bearer $(npx skilltape token --user alice)" \\
    -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \\
    -d '{"model":"${model}","max_tokens":64,"messages":[{"role":"user","content":"Pay to DE89370400440532013000"}]}' \\
    ${url}/v1/messages

Claude Code against it:

  export NODE_EXTRA_CA_CERTS=${caFile}
  export ANTHROPIC_BASE_URL=${url}
  export ANTHROPIC_AUTH_TOKEN=$(npx skilltape token --user alice)
`;
}
