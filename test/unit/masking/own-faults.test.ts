import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DetectorList, detectorLimits, type OwnRule } from '../../../extproc/masking/detector-list.ts';
import { detectorFaults } from '../../../extproc/masking/own-faults.ts';
import { unboundedRepeats } from '../../../extproc/masking/own-pattern.ts';
import { ownList, ownNames, ownRule } from './own-list.ts';

const ofRule = (more: Partial<OwnRule>): string => detectorFaults(ownList({ rules: [ownRule(more)] })).join('\n');
const ofList = (more: Partial<DetectorList>): string => detectorFaults(ownList(more)).join('\n');

test('a sound list has no fault, and an empty one neither', () => {
  const names = ownNames(['Acme', '株式会社'], { match_case: true });
  const rule = ownRule({ context: ['ticket'], positive: ['ticket TCK-12345'], validator: 'random', score: 0.5 });
  const random = { ...rule, pattern: '\\b[A-Z0-9-]{9,40}\\b', positive: ['ticket TCK-1234567-X9Z'] };
  assert.deepEqual(detectorFaults(ownList({ rules: [random], names: [names], hashed_types: ['TICKET'] })), []);
  assert.deepEqual(detectorFaults(ownList()), []);
});

test('a pattern that is not linear, or could match at any length, is refused with what to write instead', () => {
  for (const pattern of ['a+', 'a*', 'x.*y', '(?:ab)+', 'a{3,}', '[^]]+x', '[[:alpha:]]+', '\\d+?']) {
    assert.match(
      ofRule({ pattern }),
      /^rules\[0\] "ticket": the pattern repeats without bound at \d+ \(".*"\); write a bound/,
      pattern,
    );
  }
  for (const pattern of ['(?<=a)b', '(?<!a)b', 'a(?=b)', 'a(?!b)'])
    assert.match(ofRule({ pattern }), /look-around is not linear; give/, pattern);
  for (const pattern of ['(a)\\1', '(?P<x>a)\\k<x>'])
    assert.match(ofRule({ pattern }), /a back reference is not linear; write/, pattern);
  assert.match(
    ofRule({ pattern: 'a{1,900}b{1,900}c{1,900}' }),
    /compiles to \d+ instructions, at most 2000 are taken; use smaller bounds/,
  );
  assert.match(ofRule({ pattern: `a${'b'.repeat(1_000)}` }), /more than 1000 characters/);
  assert.match(ofRule({ pattern: 'a[' }), /the pattern cannot be read: missing closing \]/);
});

test('signs in classes, escapes and quotations are no repeats', () => {
  for (const pattern of ['[+*]', '[]+*]', '[^]+*]', '\\+\\*', '\\Q+*\\E', '[[:alpha:]+]', '[\\]+]', 'a{1,64}']) {
    assert.deepEqual(unboundedRepeats(pattern), [], pattern);
  }
  assert.deepEqual(
    unboundedRepeats('[]]+a\\Q+\\E*').map(({ at }) => at),
    [3, 10],
  );
});

test('a pattern that matches the empty string is refused', () => {
  for (const pattern of ['a{0,3}', '\\b', '^', 'x|', '(?:)', '\\B'])
    assert.match(ofRule({ pattern }), /matches the empty string/, pattern);
});

test('an own example that fails is a fault, with what the rule needs beside the pattern', () => {
  assert.match(ofRule({ positive: ['nothing'] }), /example positive\[0\] is not found; correct the pattern/);
  assert.match(ofRule({ negative: ['x', 'a TCK-99999'] }), /example negative\[1\] is found; make the pattern narrower/);
  assert.match(
    ofRule({ context: ['badge'], validator: 'luhn' }),
    /\(it also needs a context word near it and a value that passes luhn\)/,
  );
});

test('types are upper case, not DEEP, no name of a secret, and hashed ones are given by a rule', () => {
  assert.match(ofRule({ type: 'ticket' }), /the type "ticket" is not of the form .*; write it in upper case/);
  assert.match(ofRule({ type: 'DEEP' }), /take another type/);
  assert.match(ofRule({ type: 'API_KEY' }), /reads like the name of a secret/);
  assert.match(ofList({ hashed_types: ['TICKET'] }), /hashed_types: "TICKET" is no type that/);
  assert.match(
    ofList({ rules: [ownRule({ type: 'EMAIL' })], hashed_types: ['EMAIL'] }),
    /hashed_types: "EMAIL" is no type that/,
  );
});

test('ids are given once over rules and lists', () => {
  assert.match(
    ofList({ rules: [ownRule({ id: 'x' })], names: [ownNames(['Acme'], { id: 'x' })] }),
    /"x": the id is given twice; .* rename one/,
  );
});

test('each limit is told with its number', () => {
  const many = <T>(count: number, of: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => of(at));
  const { rulesMax, ownTypesMax, entriesMax, nameListsMax, contextWordsMax } = detectorLimits;
  assert.match(
    ofList({ rules: many(rulesMax + 1, (at) => ownRule({ id: `r${at}` })) }),
    /there are 201 rules, at most 200 are taken/,
  );
  assert.match(
    ofList({ rules: many(ownTypesMax + 1, (at) => ownRule({ id: `r${at}`, type: `T_${at}` })) }),
    /33 types of your own, at most 32/,
  );
  assert.match(
    ofList({ names: [ownNames(many(entriesMax + 1, (at) => `name ${at}`))] }),
    /20001 entries in all lists of names, at most 20000/,
  );
  assert.match(
    ofList({ names: many(nameListsMax + 1, (at) => ownNames(['Acme'], { id: `n${at}` })) }),
    /51 lists of names, at most 50/,
  );
  assert.match(ofRule({ context: many(contextWordsMax + 1, (at) => `word${at}`) }), /51 context words, at most 50/);
  const large = many(12, (at) => ownRule({ id: `r${at}`, pattern: '(?:a{1,900}b{1,900}|TCK-[0-9]{5})' }));
  assert.match(ofList({ rules: large }), /instructions in all patterns together, at most 20000/);
});

test('an entry of one letter, or of more characters than an entry may have, is refused', () => {
  assert.match(
    ofList({ names: [ownNames(['A', 'ok ok', 'x'.repeat(201)])] }),
    /^names\[0\] "customers": entries\[0\] has fewer than two letters .*\n.*entries\[2\] has more than 200 characters/,
  );
});
