import { SkilltapeError } from '../extproc/errors.ts';

/**
 * The test files of one run in their groups, and patterns for the names of tests. `alone` are those that ask how much
 * memory is taken: beside other work garbage is collected later, and the same code takes more.
 */
export type Selection = { unit: string[]; rest: string[]; alone: string[]; patterns: string[] };

const patternOption = '--test-name-pattern=';

/**
 * @param files paths relative to the repository
 * @param args parts of paths, of which a file must contain one, and `--test-name-pattern=…`
 * @throws SkilltapeError `usage` for another option: passed over in silence, it would run other tests than meant
 */
export function selectTests(files: readonly string[], args: readonly string[]): Selection {
  const patterns: string[] = [];
  const filters: string[] = [];
  for (const arg of args) {
    if (arg.startsWith(patternOption)) patterns.push(arg.slice(patternOption.length));
    else if (arg.startsWith('-')) throw new SkilltapeError('usage', `npm test does not know the option ${arg}.`);
    else filters.push(arg.replace(/^\.\//, ''));
  }
  const chosen = files
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .toSorted();
  const isUnit = (file: string): boolean => file.startsWith('test/unit/');
  const isAlone = (file: string): boolean => !isUnit(file) && /\/memory-|-load\.test/.test(file);
  const isRest = (file: string): boolean => !isUnit(file) && !isAlone(file);
  return { unit: chosen.filter(isUnit), rest: chosen.filter(isRest), alone: chosen.filter(isAlone), patterns };
}
