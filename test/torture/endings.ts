/** `npm run torture -- endings`: the whole matrix of endings; `SKILLTAPE_TEST_SEED` chooses the random cuts. */
import { seededRandom } from '../bench/statistics.ts';
import { endingCases } from './ending-case.ts';
import { runEndings } from './ending-matrix.ts';

const randomCuts = 50;
const seed = Number(process.env.SKILLTAPE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
const say = (line: string) => void process.stdout.write(`${line}\n`);
say(`seed ${seed} (SKILLTAPE_TEST_SEED)`);
const cases = await endingCases(seededRandom(seed), randomCuts);
const faults = await runEndings(cases, say);
for (const fault of faults) say(`FAULT ${fault}`);
say(`${cases.length} endings, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
