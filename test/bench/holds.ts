import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { heldQuestion, holdMailAddresses } from '../environment/held-streams.ts';
import { postOn } from '../environment/http2-call.ts';
import { forgetPeak, processMemory } from '../environment/process-memory.ts';
import { goBinary } from './go-binary.ts';
import { quiet, type Run, runLoad } from './load.ts';
import { countsOf, runProgram, toldInterval } from './paired.ts';
import { type Stand, startStand, type Variant } from './stand.ts';
import { seededRandom } from './statistics.ts';
import { workloadOf } from './workload.ts';

/** `npm run bench:holds`: what held streams cost the traffic beside them, in paired runs on one gateway. */
const help = `usage: npm run bench:holds -- [options]

In each round the same load runs once with held streams open and once without; who comes first changes.

  --holds N        streams held at once (default 1000)
  --rounds N       (default 8)
  --seconds S      measured time of one run (default 4)
  --concurrency N  exchanges of the load under way at once (default 4)
  --seed N         of the intervals (default: drawn, and printed)
`;

type Options = { holds: number; rounds: number; seconds: number; concurrency: number; seed: number };
type Round = { without: Measured; beside: Measured };
type Measured = { run: Run; peakBytes: number };

const streamsPerConnection = 100;
const serialsPerRun = 1e8;
const warmupSeconds = 1;

/** Streams whose answers have begun; they leave when it is closed, and their tickets stay for the next ones. */
async function openHolds({ url }: Variant, stand: Stand, count: number): Promise<Disposable> {
  const ca = readFileSync(stand.caFile);
  const sessions: ClientHttp2Session[] = [];
  const authorization = `Bearer ${await stand.token()}`;
  for (let first = 0; first < count; first += streamsPerConnection) {
    const session = connect(url, { ca });
    sessions.push(session);
    await once(session, 'connect');
    const numbers = Array.from({ length: Math.min(streamsPerConnection, count - first) }, (_, at) => first + at);
    for (const { status, stream } of await Promise.all(
      numbers.map((number) => postOn(session, heldQuestion(`hold ${number}`), authorization)),
    )) {
      if (status !== 200) throw new Error(`a request was not held: ${status}`);
      stream.on('error', () => {});
      stream.resume();
    }
  }
  return {
    [Symbol.dispose]() {
      for (const session of sessions) session.destroy();
    },
  };
}

async function measure(stand: Stand, binary: string, options: Options): Promise<Round[]> {
  const [variant] = stand.variants;
  if (variant?.processorPid === undefined) throw new Error('there is no processor');
  const { processorPid: pid } = variant;
  const { signal } = new AbortController();
  const workload = workloadOf('json');
  const bodyFile = join(stand.directory, 'body.json');
  writeFileSync(bodyFile, workload.body);
  let firstSerial = 0;
  const measured = async (): Promise<Measured> => {
    await quiet(pid, signal);
    forgetPeak(pid);
    firstSerial += serialsPerRun;
    const { seconds, concurrency } = options;
    const load = { workload, bodyFile, concurrency, seconds, warmupSeconds, firstSerial, signal };
    const run = await runLoad(variant, { binary, caFile: stand.caFile, token: await stand.token(), ...load });
    return { run, peakBytes: processMemory(pid).peakBytes };
  };
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const before = round % 2 === 0 ? await measured() : null;
    // Those of the round before are gone then: there is a limit to how many may be held.
    await quiet(pid, signal);
    const held = await openHolds(variant, stand, options.holds);
    const beside = await measured();
    held[Symbol.dispose]();
    const without = before ?? (await measured());
    rounds.push({ without, beside });
    const told = ({ run: { latencyMs }, peakBytes }: Measured) =>
      `p99 ${latencyMs.p99.toFixed(2)} ms, ${Math.round(peakBytes / 1e6)} MB`;
    process.stderr.write(`round ${round + 1}: ${told(without)} alone; ${told(beside)} beside ${options.holds}\n`);
  }
  return rounds;
}

function tell(rounds: readonly Round[], { seed, holds }: Options): number {
  const random = seededRandom(seed);
  const ratio = (of: (run: Run) => number) =>
    toldInterval(
      rounds.map(({ without, beside }) => of(beside.run) / of(without.run)),
      random,
    );
  const failures = rounds.reduce((sum, { without, beside }) => sum + without.run.failures + beside.run.failures, 0);
  const megabytes = (of: (round: Round) => Measured) =>
    Math.round(Math.max(...rounds.map((round) => of(round).peakBytes)) / 1e6);
  const lines = [
    `Beside ${holds} held streams, by without; median over the rounds with its 95 % interval (seed ${seed})`,
    `p99 of the latency    ${ratio(({ latencyMs }) => latencyMs.p99)}`,
    `p50 of the latency    ${ratio(({ latencyMs }) => latencyMs.p50)}`,
    `exchanges a second    ${ratio(({ exchangesPerSecond }) => exchangesPerSecond)}`,
    `memory of the processor at most ${megabytes(({ beside }) => beside)} MB, without ${megabytes(({ without }) => without)} MB; ${failures} exchanges failed`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return failures === 0 ? 0 : 1;
}

async function main(options: Options): Promise<number> {
  const binary = await goBinary(process.env, (line) => void process.stderr.write(`${line}\n`));
  const stand = await startStand({
    ...{ binary, variants: ['skilltape'], profile: undefined, prepare: holdMailAddresses },
    settings: {
      policies: { directory: 'policies' },
      approvals: { ticketsPerCallerMax: options.holds, streamed: { releaseSocket: 'release.sock' } },
      connections: { claude: { streamHolds: true } },
    },
  });
  try {
    return tell(await measure(stand, binary, options), options);
  } finally {
    await stand.stop();
  }
}

await runProgram(
  { help, optionsOf: (args) => countsOf(args, { holds: 1_000, rounds: 8, seconds: 4, concurrency: 4 }) },
  main,
);
