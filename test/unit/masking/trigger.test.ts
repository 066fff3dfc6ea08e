import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Literals } from '../../../extproc/masking/literals.ts';
import { anyLiteral } from '../../../extproc/masking/pattern.ts';
import { charKind, TriggerFinder } from '../../../extproc/masking/trigger.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`triggers: FC_SEED=${seed}`);

const exact: Literals = { strings: ['sk-', 'sk-proj-', 'SK', 'eyJ', 'a.b'], ignoreCase: false };
const folded: Literals = { strings: ['dd', 'né le', 'født', 'datadog', 'dob', 'new york'], ignoreCase: true };
const finder = new TriggerFinder([exact, folded]);

/** The same by the patterns that V8 runs, without the jump behind a match that a global pattern makes. */
function byPattern(text: string, { strings, ignoreCase }: Literals) {
  const pattern = anyLiteral(strings, { ignoreCase });
  const found = [];
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    found.push({ at: match.index, literal: ignoreCase ? match[0].toLowerCase() : match[0] });
    pattern.lastIndex = match.index + 1;
  }
  return found;
}

const word = fc.constantFrom(
  ...['sk-', 'SK', 'sK-', 'sk-proj-', 'eyJ', 'EYJ', 'dd', 'Dd', 'NÉ LE', 'né le', 'FØDT', 'Datadog', 'dob', 'DO', 'b'],
  ...[
    '\u212a',
    '\u017f',
    '\u0130',
    'n\u00c9',
    ' ',
    '=',
    '7',
    '42',
    'new york',
    'New_York',
    'a.b',
    'a-b',
    '\ud800',
    '📎',
  ],
);
const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 40 });

test('literals are found where a pattern finds them, the longest of those that begin together', () => {
  fc.assert(
    fc.property(text, (parts) => {
      const joined = parts.join('');
      const { places } = finder.find(joined);
      for (const set of [exact, folded]) assert.deepEqual(places.get(set) ?? [], byPattern(joined, set));
    }),
    { seed, numRuns: 1_000 },
  );
});

test('digits and operators have their places, and a text says which kinds of characters it holds', () => {
  fc.assert(
    fc.property(text, (parts) => {
      const joined = parts.join('');
      const { kinds, digitRuns, operators, disguises } = finder.find(joined);
      assert.deepEqual(
        digitRuns,
        [...joined.matchAll(/[0-9]+/g)].map(({ index }) => index),
      );
      assert.deepEqual(
        operators,
        [...joined.matchAll(/[=:,>]/g)].map(({ index }) => index),
      );
      assert.deepEqual(
        disguises.filter((at) => joined.charCodeAt(at) < 128),
        [...joined.matchAll(/[%&\\\0]/g)].map(({ index }) => index),
      );
      assert.equal((kinds & charKind.at) !== 0, joined.includes('@'));
      assert.equal((kinds & charKind.digit) !== 0, /[0-9]/.test(joined));
      assert.equal((kinds & charKind.wide) !== 0, /[^\0-\xff]/.test(joined));
    }),
    { seed, numRuns: 1_000 },
  );
});

test('a text of any length is read whole: what stands over the end of a piece and at the end of the text is found', () => {
  for (let before = 32_760; before <= 32_776; before++) {
    const long = `${'x'.repeat(before)}sk-proj-1=${'y'.repeat(33_000)}22 dob`;
    const { places, digitRuns, operators } = finder.find(long);
    assert.deepEqual(places.get(exact), [{ at: before, literal: 'sk-proj-' }]);
    assert.deepEqual(places.get(folded), [{ at: long.length - 3, literal: 'dob' }]);
    assert.deepEqual(digitRuns, [before + 8, long.length - 6]);
    assert.deepEqual(operators, [before + 9]);
  }
});
