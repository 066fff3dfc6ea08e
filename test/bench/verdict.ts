import { randomInt } from 'node:crypto';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine, type PolicyEngine } from '../../extproc/policy/engine.ts';
import type { RequestInput } from '../../extproc/policy/input.ts';
import { accessDocument, requestDocument } from '../policy/documents.ts';
import { opaBinary, policiesDirectory } from '../policy/opa.ts';
import { medianInterval, seededRandom } from './statistics.ts';

/** `npm run bench:verdict`: what a verdict of the shipped policies takes of a processor, by the size of its input. */
const inputSizes = [2_000, 8_000];
const rounds = 20;
const evaluationsPerRound = 2_000;

/** Of that many bytes as JSON, by a longer excerpt. */
function requestOf(bytes: number): RequestInput {
  const missing = bytes - JSON.stringify(requestDocument({ excerpt: { text: '', complete: true } })).length;
  return requestDocument({
    excerpt: { text: 'what does the plan say? '.repeat(bytes).slice(0, missing), complete: true },
  });
}

function cases(engine: PolicyEngine): { name: string; bytes: number; evaluate: () => { verdict: string } }[] {
  const access = accessDocument();
  return [
    { name: 'access', bytes: JSON.stringify(access).length, evaluate: () => engine.access(access) },
    ...inputSizes.map((size) => {
      const request = requestOf(size);
      return { name: 'request', bytes: JSON.stringify(request).length, evaluate: () => engine.request(request) };
    }),
  ];
}

/** Of all threads of this process: what the collector of garbage takes beside is in it. */
function cpuMicroseconds(evaluate: () => { verdict: string }): number {
  const before = process.cpuUsage();
  for (let count = 0; count < evaluationsPerRound; count += 1) {
    const { verdict } = evaluate();
    if (verdict !== 'allow') throw new Error(`the verdict is ${verdict}, whose cost is not what is asked`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / evaluationsPerRound;
}

const bundle = await compilePolicies({ opaBinary: opaBinary(), directory: policiesDirectory });
const reckoning = await createPolicyEngine(bundle, { remembers: false });
const remembering = await createPolicyEngine(bundle);
const measured = [
  ...cases(reckoning).map((one) => ({ ...one, how: 'reckoned', values: [] as number[] })),
  ...cases(remembering).map((one) => ({ ...one, how: 'given again', values: [] as number[] })),
];
for (const { evaluate } of measured) cpuMicroseconds(evaluate);
for (let round = 0; round < rounds; round += 1) {
  for (const { evaluate, values } of measured) values.push(cpuMicroseconds(evaluate));
}
const seed = randomInt(2 ** 32);
process.stdout.write(
  `CPU of one verdict, median over ${rounds} rounds with its 95 % interval (seed ${seed}); at most 200 µs is the aim for 2 kB, reckoned\n`,
);
for (const { name, bytes, how, values } of measured) {
  const { median, low, high } = medianInterval(values, seededRandom(seed));
  process.stdout.write(
    `${name.padEnd(8)} ${how.padEnd(12)} ${String(bytes).padStart(6)} B  ${median.toFixed(0)} µs [${low.toFixed(0)} ${high.toFixed(0)}]\n`,
  );
}
