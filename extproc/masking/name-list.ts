import type { Detector } from './detector.ts';
import type { NameList } from './detector-list.ts';
import { type FindingType, ownPrefix, ownRank } from './finding.ts';
import { WordMatcher } from './word-matcher.ts';

const listedScore = 0.9;

/** Values that are known one by one: names, customers, projects. Null where nothing is listed. */
export function nameListDetector(lists: readonly NameList[], why = 'listed'): Detector | null {
  const listed = lists.flatMap((list) =>
    list.entries.map((text) => ({ text, matchCase: list.match_case === true, of: list })),
  );
  if (listed.length === 0) return null;
  const matcher = new WordMatcher(listed);
  return {
    id: 'own-names',
    detect({ text }, out) {
      matcher.each(text, (start, end, { id, type }) => {
        const found = { type: type as FindingType, rule: `${ownPrefix}${id}`, rank: ownRank(type), why };
        out.push({ ...found, start, end, score: listedScore });
      });
    },
  };
}
