import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild, waitFor } from '../../demo/child.ts';
import { SkilltapeError } from '../../errors.ts';
import type { Gateway, Route } from '../model.ts';
import { clusterNameOf, providersOf, recordedOf } from '../recorded.ts';
import { type Arrivals, startArrivals } from './arrivals.ts';
import { type Answer, ask, type Question, questionFor } from './ask.ts';
import { type ScratchEnvoy, startScratchEnvoy } from './envoy.ts';
import { type ProcessorPlace, scratchConfig } from './scratch.ts';
import { createSignIn, type SignIn } from './sign-in.ts';

export const caseNames = [
  'upstream-counts',
  'processor-answers',
  'processor-down',
  'processor-stopped',
  'cluster-missing',
  'socket-unreadable',
  'stream-ended',
] as const;
export type CaseName = (typeof caseNames)[number];

/** `proven`: as it must be. `failed`: it is not. `unproven`: it could not be tried. */
export type Proof = { name: CaseName; outcome: 'proven' | 'failed' | 'unproven'; detail: string };

/** Longer than an Envoy with a health check and a keepalive needs, shorter than people wait. */
const waitMaxMs = 20_000;
const routesMax = 32;
const falseProcessor = fileURLToPath(new URL('../../wire/false-processor.ts', import.meta.url));

type Bench = {
  binary: string;
  directory: string;
  gateway: Gateway;
  signIn: SignIn;
  arrivals: Arrivals;
  questions: readonly { question: Question; manager: number; route: Route }[];
  credential: [string, string];
};

/**
 * Breaks the way to the processor in every way of `caseNames` and asks on each route whether anything still passes. Reaches
 * nothing beyond this machine; only `processor-answers` speaks to what runs on it.
 * @throws SkilltapeError `usage`: no connection manager has a processor, or no route can be tried
 */
export async function prove(gateway: Gateway, { binary }: { binary: string }): Promise<Proof[]> {
  const questions = questionsOf(gateway);
  const provider = providersOf(gateway)[0]?.provider;
  if (questions.length === 0 || provider === undefined) {
    throw new SkilltapeError(
      'usage',
      'there is nothing to try: no route with an ext_proc filter and a jwt_authn provider',
      {
        remedy: 'see what `skilltape doctor` without --live says of this file',
      },
    );
  }
  await using parts = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-doctor-'));
  parts.defer(() => rmSync(directory, { recursive: true, force: true }));
  const signIn = await createSignIn();
  const arrivals = parts.use(await startArrivals());
  writeFileSync(credentialFile(directory), secret(), { mode: 0o600 });
  const credential = await signIn.credential(provider);
  const bench = { binary, directory, gateway, signIn, arrivals, questions, credential };
  const proofs: Proof[] = [];
  for (const name of caseNames) proofs.push(await proofOf(name, bench));
  return proofs;
}

async function proofOf(name: CaseName, bench: Bench): Promise<Proof> {
  const socket = join(bench.directory, `${name}.sock`);
  switch (name) {
    case 'upstream-counts':
      return counts(bench);
    case 'processor-answers':
      return answers(bench);
    case 'processor-down':
      return refuses(name, bench, { kind: 'socket', path: socket });
    case 'cluster-missing':
      return refuses(name, bench, { kind: 'missing' });
    case 'processor-stopped': {
      await using processor = await startFalseProcessor(bench, socket);
      return await refuses(name, bench, { kind: 'socket', path: socket }, () => processor.stop());
    }
    case 'stream-ended': {
      await using _processor = await startFalseProcessor(bench, socket);
      return await refuses(name, bench, { kind: 'socket', path: socket }, async () => {});
    }
    case 'socket-unreadable': {
      await using _socket = await unreadableSocket(socket);
      return await refuses(name, bench, { kind: 'socket', path: socket });
    }
    default:
      return name satisfies never;
  }
}

/** The control: without protection the request arrives, so that nothing arriving later means something. */
async function counts(bench: Bench): Promise<Proof> {
  const name = 'upstream-counts';
  await using envoy = await startEnvoy(bench, name, { kind: 'unprotected' });
  if (envoy === null)
    return { name, outcome: 'unproven', detail: 'Envoy does not start with the routes of this configuration' };
  const asked = await askAll(bench, envoy, bench.credential);
  const lost = asked.filter(({ mark }) => bench.arrivals.of(mark) === 0).map(({ label }) => label);
  if (lost.length === 0)
    return { name, outcome: 'proven', detail: `requests arrive at the local upstream on ${routesIn(asked)}` };
  return { name, outcome: 'unproven', detail: `nothing arrives on ${lost.join(', ')} even without filters` };
}

async function answers(bench: Bench): Promise<Proof> {
  const name = 'processor-answers';
  await using envoy = await startEnvoy(bench, name, { kind: 'as-configured' });
  const cluster = clusterNameOf(recordedOf(bench.gateway)[0]?.processor.config ?? bench.gateway.root).text;
  if (envoy === null)
    return { name, outcome: 'unproven', detail: 'Envoy does not start with the processor of this configuration' };
  if (!(await envoy.healthy(cluster)))
    return { name, outcome: 'unproven', detail: 'no processor runs where this configuration says' };
  const asked = await askAll(bench, envoy, null);
  const arrived = arrivedOf(bench, asked);
  if (arrived.length > 0)
    return { name, outcome: 'failed', detail: `a request without a token went upstream on ${arrived.join(', ')}` };
  const silent = asked.filter(
    ({ answer }) => answer.kind !== 'status' || answer.status !== 401 || answer.exchangeId === '',
  );
  if (silent.length === 0)
    return {
      name,
      outcome: 'proven',
      detail: `the running processor refused and recorded a request without a token on ${routesIn(asked)}`,
    };
  return {
    name,
    outcome: 'failed',
    detail: `no recorded refusal on ${silent.map(({ label, answer }) => `${label} (${wordsOf(answer)})`).join(', ')}`,
  };
}

/** @param whenHealthy what happens to the processor once Envoy takes it for healthy */
async function refuses(
  name: CaseName,
  bench: Bench,
  place: ProcessorPlace,
  whenHealthy?: () => Promise<void>,
): Promise<Proof> {
  await using envoy = await startEnvoy(bench, name, place);
  if (envoy === null) return { name, outcome: 'proven', detail: 'Envoy does not start' };
  if (whenHealthy !== undefined) {
    for (const { processor } of recordedOf(bench.gateway)) await envoy.healthy(clusterNameOf(processor.config).text);
    await whenHealthy();
  }
  const asked = await askAll(bench, envoy, bench.credential);
  const arrived = arrivedOf(bench, asked);
  if (arrived.length > 0)
    return { name, outcome: 'failed', detail: `the request went upstream on ${arrived.join(', ')}` };
  const hung = asked.filter(
    ({ answer }) => answer.kind === 'hung' || (answer.kind === 'status' && answer.status < 400),
  );
  if (hung.length > 0)
    return {
      name,
      outcome: 'failed',
      detail: `not refused within ${waitMaxMs / 1000} s: ${hung.map(({ label }) => label).join(', ')}`,
    };
  const heard = [...new Set(asked.map(({ answer }) => wordsOf(answer)))].join(', ');
  return { name, outcome: 'proven', detail: `refused on ${routesIn(asked)} (${heard}), nothing upstream` };
}

function questionsOf(gateway: Gateway): Bench['questions'] {
  return recordedOf(gateway)
    .flatMap(({ manager }, at) =>
      manager.routes.flatMap((route) => {
        const question = questionFor(route);
        return question === null || route.clusters.length === 0 ? [] : [{ question, manager: at, route }];
      }),
    )
    .slice(0, routesMax);
}

function startEnvoy(
  { binary, directory, gateway, signIn, arrivals }: Bench,
  name: CaseName,
  place: ProcessorPlace,
): Promise<ScratchEnvoy | null> {
  const config = scratchConfig({
    ...{ gateway, place, upstreamPort: arrivals.port, jwks: signIn.jwks },
    credentialFile: credentialFile(directory),
    adminSocket: join(directory, 'admin.sock'),
  });
  return startScratchEnvoy({ binary, directory, name, config, listeners: recordedOf(gateway).length });
}

type Asked = { label: string; answer: Answer; mark: string };

function askAll({ questions }: Bench, envoy: ScratchEnvoy, credential: [string, string] | null): Promise<Asked[]> {
  return Promise.all(
    questions.map(async ({ question, manager, route }) => {
      const { answer, mark } = await ask(envoy.ports[manager] ?? 0, question, credential, waitMaxMs);
      return { label: route.label, answer, mark };
    }),
  );
}

function arrivedOf({ arrivals }: Bench, asked: readonly Asked[]): string[] {
  return asked.filter(({ mark }) => arrivals.of(mark) > 0).map(({ label }) => label);
}

function routesIn(asked: readonly Asked[]): string {
  return asked.length === 1 ? '1 route' : `${asked.length} routes`;
}

function wordsOf(answer: Answer): string {
  return answer.kind === 'status' ? `${answer.status}` : answer.kind === 'hung' ? 'no answer' : 'connection broken';
}

async function startFalseProcessor(
  { directory }: Bench,
  socket: string,
): Promise<{ stop(): Promise<void>; [Symbol.asyncDispose](): Promise<void> }> {
  const child: Child = startChild({
    name: 'the false processor',
    command: process.execPath,
    args: [falseProcessor, socket],
    logFile: join(directory, 'false-processor.log'),
  });
  const said = new Promise<true>((resolve) => child.process.stdout?.once('data', () => resolve(true)));
  const check = () => Promise.race([said, new Promise<undefined>((resolve) => setTimeout(resolve, 50, undefined))]);
  await waitFor('the false processor does not start', [child], check);
  return {
    async stop() {
      child.process.kill('SIGSTOP');
    },
    [Symbol.asyncDispose]: () => child.stop(1_000),
  };
}

/** Not to be opened by others than root; whom it lets in, it hangs up on. */
async function unreadableSocket(path: string): Promise<AsyncDisposable> {
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function credentialFile(directory: string): string {
  return join(directory, 'credential.json');
}

function secret(): string {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  const generic = { secret: { inline_string: 'the doctor has no key' } };
  return JSON.stringify({ resources: [{ '@type': type, name: 'doctor', generic_secret: generic }] });
}
