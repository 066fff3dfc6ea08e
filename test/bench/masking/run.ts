import { randomInt } from 'node:crypto';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { generatedDocuments } from './documents.ts';
import { gitleaks } from './gitleaks.ts';
import { growthOfShapes } from './hostile.ts';
import { labelledSets } from './labelled.ts';
import { help, type MaskBenchOptions, type PeerName, parseMaskBenchOptions } from './options.ts';
import { cpuSecondsOf, findIn, maskText } from './ours.ts';
import type { Peer, PeerState } from './peer.ts';
import { presidio } from './presidio.ts';
import { quality } from './quality.ts';
import { growthTable, qualityTable, speedTable } from './report.ts';
import { megabytesPerSecond, type Speeds, summarised } from './speed.ts';

const documentBytes = 10_000;
/** The compiler of V8 is done with the engine after some megabytes; a service is past them within its first minute. */
const warmupRounds = 3;
const print = (text: string) => void process.stdout.write(text);
const progress = (line: string) => void process.stderr.write(`${line}\n`);
const installers: Record<PeerName, (env: NodeJS.ProcessEnv, progress: (line: string) => void) => Promise<PeerState>> = {
  presidio,
  gitleaks,
};

/** `npm run bench:mask`: progress on standard error, the tables on standard output. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseMaskBenchOptions(args, () => randomInt(2 ** 32));
  if (options === 'help') {
    print(help);
    return 0;
  }
  // faults in the data are told before minutes are spent
  const sets = options.data === undefined ? [] : labelledSets(options.data);
  const states: PeerState[] = [];
  for (const name of options.peers) states.push(await installers[name](process.env, progress));
  const peers = states.flatMap((state) => (state.kind === 'ready' ? [state.peer] : []));
  await speed(options, peers);
  if (options.hostile) print(`\nhostile texts, all detectors\n${growthTable(growthOfShapes(findIn, progress))}`);
  for (const set of sets) {
    print(`\n${set.name}: ${set.texts.length} texts\n`);
    const texts = set.texts.map(({ text }) => text);
    print(qualityTable('skilltape', quality(set.texts, texts.map(findIn))));
    for (const peer of peers) print(qualityTable(peer.name, quality(set.texts, (await peer.analyse(texts)).spans)));
  }
  const missing = states.flatMap((state) => (state.kind === 'missing' ? [state] : []));
  for (const { name, why } of missing) print(`\n${name} could not be had: ${why}\n`);
  return missing.length === 0 ? 0 : 1;
}

/** Every round has documents of its own, so that nothing remembered of one makes the next look fast. */
async function speed(
  { rounds, documents, peerDocuments, seed }: MaskBenchOptions,
  peers: readonly Peer[],
): Promise<void> {
  const find: number[] = [];
  const mask: number[] = [];
  const others = peers.map((peer) => ({ peer, speeds: [] as number[] }));
  const again = generatedDocuments(seed, Math.min(documents, 50), documentBytes);
  for (let round = 1 - warmupRounds; round <= rounds; round++) {
    progress(round <= 0 ? 'warming up' : `round ${round} of ${rounds}`);
    const texts = generatedDocuments((seed + round + warmupRounds) % 2 ** 32, documents, documentBytes);
    const bytes = texts.length * documentBytes;
    // while a peer is asked, V8 throws code away
    for (const text of again) {
      findIn(text);
      maskText(text);
    }
    const found = megabytesPerSecond(
      bytes,
      cpuSecondsOf(() => texts.forEach(findIn)),
    );
    const masked = megabytesPerSecond(
      bytes,
      cpuSecondsOf(() => texts.forEach(maskText)),
    );
    if (round <= 0) continue;
    find.push(found);
    mask.push(masked);
    for (const { peer, speeds } of others) {
      const some = texts.slice(0, peerDocuments);
      speeds.push(megabytesPerSecond(some.length * documentBytes, (await peer.analyse(some)).cpuSeconds));
    }
  }
  const all: Speeds[] = [
    { name: 'skilltape, finding', megabytesPerSecond: find },
    { name: 'skilltape, masking', megabytesPerSecond: mask },
    ...others.map(({ peer, speeds }) => ({ name: `${peer.name} ${peer.version}`, megabytesPerSecond: speeds })),
  ];
  const size = `${documents} documents of 10 kB a round, ${Math.min(documents, peerDocuments)} of them for peers`;
  print(`${rounds} rounds, ${size}; seed ${seed}; medians with 95 % intervals\n${speedTable(summarised(all, seed))}`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SkilltapeError)) throw error;
  process.stderr.write(`${error.message}\n${error.remedy === undefined ? '' : `${error.remedy}\n`}`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}
