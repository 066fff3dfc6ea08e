import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { help, parseMaskBenchOptions } from '../../../bench/masking/options.ts';

const parse = (...args: string[]) => parseMaskBenchOptions(args, () => 99);

test('without options both peers are asked, hostile texts are looked at and no labelled data', () => {
  assert.deepEqual(parse(), {
    ...{ rounds: 5, documents: 200, peerDocuments: 20, peers: ['presidio', 'gitleaks'], seed: 99 },
    ...{ data: undefined, hostile: true },
  });
});

test('every option that the help names is taken', () => {
  const options = parse(
    ...['--rounds', '2', '--documents', '9', '--peer-documents', '3', '--peers', 'gitleaks', '--seed', '7'],
    ...['--data', 'folder', '--no-hostile'],
  );
  assert.deepEqual(options, {
    ...{ rounds: 2, documents: 9, peerDocuments: 3, peers: ['gitleaks'], seed: 7, data: 'folder', hostile: false },
  });
  const named = [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
  const taken = ['rounds', 'documents', 'peer-documents', 'peers', 'seed', 'data', 'no-hostile', 'help'];
  assert.deepEqual(named, taken);
  assert.equal(parse('--help'), 'help');
  assert.partialDeepStrictEqual(parse('--peers', 'none'), { peers: [] });
});

const mistakes: [args: string[], named: RegExp][] = [
  [['--round', '3'], /--round/],
  [['--rounds', '0'], /--rounds takes a whole number from 1 to 1000, not "0"/],
  [['--documents', '1e3'], /--documents/],
  [['--peers', 'presidio,other'], /--peers knows presidio, gitleaks and none, not "other"/],
  [['--seed', '-1'], /--seed/],
  [['--data', ''], /--data needs a path/],
  [['folder'], /folder/],
];
for (const [args, named] of mistakes) {
  test(`${args.join(' ')} is named as a mistake`, () => {
    assert.throws(
      () => parse(...args),
      (error) => error instanceof SkilltapeError && error.code === 'usage' && named.test(error.message),
    );
  });
}
