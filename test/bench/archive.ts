import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goBinary } from './go-binary.ts';
import { quiet, type Run, runLoad } from './load.ts';
import { countsOf, runProgram, toldInterval } from './paired.ts';
import { type Stand, startStand, type Variant } from './stand.ts';
import { seededRandom } from './statistics.ts';
import { workloadOf } from './workload.ts';

/** `npm run bench:archive`: what archiving costs the traffic, in paired runs on two gateways. */
const help = `usage: npm run bench:archive -- [options]

In each round the same load runs once on a gateway that archives and indexes, and once on one that only indexes; who
comes first changes.

  --rounds N       (default 6)
  --seconds S      measured time of one run; more than index.yieldMaxMs, so that shipping is within it (default 25)
  --concurrency N  exchanges under way at once (default 16)
  --seed N         of the intervals (default: drawn, and printed)
`;

type Options = { rounds: number; seconds: number; concurrency: number; seed: number };
type Round = { archiving: Run; indexing: Run };
type Place = { stand: Stand; variant: Variant; pid: number; bodyFile: string };

const withoutArchive = fileURLToPath(new URL('./without-archive.ts', import.meta.url));
const workload = workloadOf('json');
const serialsPerRun = 1e8;
/** As long as a finished exchange may wait, so that the measured time is all like its end. */
const warmupSeconds = 6;

async function placeOf(binary: string, preload: string | undefined, stack: AsyncDisposableStack): Promise<Place> {
  const variants = ['skilltape'] as const;
  const stand = await startStand({ binary, variants, profile: undefined, ...(preload !== undefined && { preload }) });
  stack.defer(() => stand.stop());
  const [variant] = stand.variants;
  if (variant?.processorPid === undefined) throw new Error('there is no processor');
  const bodyFile = join(stand.directory, 'body.json');
  writeFileSync(bodyFile, workload.body);
  return { stand, variant, pid: variant.processorPid, bodyFile };
}

async function measure(places: Record<keyof Round, Place>, binary: string, options: Options): Promise<Round[]> {
  const { signal } = new AbortController();
  const { seconds, concurrency } = options;
  let firstSerial = 0;
  const measured = async (name: keyof Round): Promise<Run> => {
    for (const { pid } of Object.values(places)) await quiet(pid, signal);
    const { stand, variant, bodyFile } = places[name];
    firstSerial += serialsPerRun;
    const load = { workload, bodyFile, concurrency, seconds, warmupSeconds, firstSerial, signal };
    return runLoad(variant, { binary, caFile: stand.caFile, token: await stand.token(), ...load });
  };
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const before = round % 2 === 0 ? await measured('indexing') : null;
    const archiving = await measured('archiving');
    const indexing = before ?? (await measured('indexing'));
    rounds.push({ archiving, indexing });
    const told = ({ latencyMs, processor }: Run) =>
      `p99 ${latencyMs.p99.toFixed(1)} ms, ${processor?.cpuMs.toFixed(2)} ms of processor`;
    process.stderr.write(`round ${round + 1}: archiving ${told(archiving)}; indexing alone ${told(indexing)}\n`);
  }
  return rounds;
}

/** What is compared must be what it is called. */
function checkArchives({ archiving, indexing }: Record<keyof Round, Place>): void {
  const segments = ({ stand }: Place) =>
    readdirSync(join(stand.directory, 'data'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.segment'),
    ).length;
  if (segments(archiving) === 0) throw new Error('the gateway that was to archive did not');
  if (segments(indexing) > 0) throw new Error('the gateway that was to index alone archived');
}

function tell(rounds: readonly Round[], { seed, concurrency, seconds }: Options): number {
  const random = seededRandom(seed);
  const ratio = (of: (run: Run) => number) =>
    toldInterval(
      rounds.map(({ archiving, indexing }) => of(archiving) / of(indexing)),
      random,
    );
  const failures = rounds.reduce((sum, { archiving, indexing }) => sum + archiving.failures + indexing.failures, 0);
  const afterwork = Math.max(...rounds.map(({ archiving }) => archiving.processor?.afterworkSeconds ?? 0));
  const lines = [
    `Archive and index, by index alone, ${concurrency} exchanges at once for ${seconds} s; median over the rounds with its 95 % interval (seed ${seed})`,
    `p99 of the latency    ${ratio(({ latencyMs }) => latencyMs.p99)}`,
    `p50 of the latency    ${ratio(({ latencyMs }) => latencyMs.p50)}`,
    `exchanges a second    ${ratio(({ exchangesPerSecond }) => exchangesPerSecond)}`,
    `CPU of the processor  ${ratio(({ processor }) => processor?.cpuMs ?? Number.NaN)}`,
    `all archived ${afterwork.toFixed(1)} s after the last answer at most; ${failures} exchanges failed`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return failures === 0 ? 0 : 1;
}

async function main(options: Options): Promise<number> {
  const binary = await goBinary(process.env, (line) => void process.stderr.write(`${line}\n`));
  await using stack = new AsyncDisposableStack();
  const archiving = await placeOf(binary, undefined, stack);
  const indexing = await placeOf(binary, withoutArchive, stack);
  const rounds = await measure({ archiving, indexing }, binary, options);
  checkArchives({ archiving, indexing });
  return tell(rounds, options);
}

await runProgram({ help, optionsOf: (args) => countsOf(args, { rounds: 6, seconds: 25, concurrency: 16 }) }, main);
