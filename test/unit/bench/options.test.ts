import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { help, parseBenchOptions } from '../../bench/options.ts';

const parse = (...args: string[]) => parseBenchOptions(args, () => 99);

test('without options every variant meets every workload at one and at 16 exchanges at once', () => {
  assert.deepEqual(parse(), {
    rounds: 8,
    seconds: 4,
    warmupSeconds: 2,
    concurrency: [1, 16],
    workloads: ['json', 'code', 'sse'],
    variants: ['envoy', 'empty', 'skilltape'],
    seed: 99,
    out: undefined,
    profile: undefined,
  });
});

test('every option that the help names is taken', () => {
  const options = parse(
    ...['--rounds', '3', '--seconds', '0.5', '--warmup', '0', '--concurrency', '4', '--workload', 'sse,json'],
    ...['--variant', 'skilltape', '--seed', '12', '--out', 'a.json', '--profile', 'folder'],
  );
  assert.deepEqual(options, {
    ...{ rounds: 3, seconds: 0.5, warmupSeconds: 0, concurrency: [4], workloads: ['sse', 'json'] },
    ...{ variants: ['skilltape'], seed: 12, out: 'a.json', profile: 'folder' },
  });
  const named = [...help.matchAll(/^ {2}--([a-z]+)/gm)].map(([, name]) => name);
  const taken = ['rounds', 'seconds', 'warmup', 'concurrency', 'workload', 'variant', 'seed', 'out', 'profile', 'help'];
  assert.deepEqual(named, taken);
});

test('--help asks for nothing else', () => {
  assert.equal(parse('--help'), 'help');
});

const mistakes: [args: string[], named: RegExp][] = [
  [['--round', '3'], /--round/],
  [['3'], /3/],
  [['--rounds', '0'], /--rounds takes a whole number from 1 to 1000, not "0"/],
  [['--rounds', '1.5'], /--rounds/],
  [['--rounds', '0x10'], /--rounds/],
  [['--rounds', ''], /--rounds/],
  [['--rounds'], /--rounds/],
  [['--seconds', '-1'], /--seconds/],
  [['--seconds', '1e99'], /--seconds/],
  [['--concurrency', '1,,2'], /--concurrency/],
  [['--concurrency', '16,16'], /twice/],
  [['--workload', 'xml'], /--workload knows json, code, sse, not "xml"/],
  [['--variant', 'Envoy'], /--variant knows/],
  [['--seed', '4294967296'], /--seed/],
  [['--out', ''], /--out needs a path/],
];

for (const [args, named] of mistakes) {
  test(`${JSON.stringify(args)} is a mistake that is named`, () => {
    assert.throws(
      () => parse(...args),
      (error) => error instanceof SkilltapeError && error.code === 'usage' && named.test(error.message),
    );
  });
}
