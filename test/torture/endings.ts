import { fileURLToPath } from 'node:url';
import { seededRandom } from '../bench/statistics.ts';
import { endingCases } from './ending-case.ts';
import { runEndings } from './ending-matrix.ts';

/** The whole matrix, to be listed with the other tortures; also a program of its own, with the seed as its argument. */
export const endings = {
  name: 'endings',
  description: 'answers broken off everywhere, by everybody; a round is one more random cut of each encoded stream',
  roundsDefault: 50,
  async run(options: { seed: number; rounds: number; progress: (line: string) => void }) {
    const cases = await endingCases(seededRandom(options.seed), options.rounds);
    const violations = await runEndings(cases, options.progress);
    return { counts: { endings: cases.length }, violations };
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 32));
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  progress(`seed ${seed}`);
  const report = await endings.run({ seed, rounds: endings.roundsDefault, progress });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}
