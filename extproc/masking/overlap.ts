import { type Candidate, type Finding, ranks } from './finding.ts';

function isStronger(a: Candidate, b: Candidate): boolean {
  const byRank = ranks.indexOf(a.rank) - ranks.indexOf(b.rank);
  if (byRank !== 0) return byRank > 0;
  const byLength = a.end - a.start - (b.end - b.start);
  return byLength !== 0 ? byLength > 0 : a.start < b.start;
}

/**
 * Joins candidates that overlap: the strongest by rank, then length, then place gives its name to all the characters
 * any of them covers, so nothing found is left readable. Sorted by place, without overlaps.
 */
export function resolveOverlaps(candidates: Candidate[]): Finding[] {
  candidates.sort((a, b) => a.start - b.start || a.end - b.end);
  const joined: Candidate[] = [];
  for (const candidate of candidates) {
    const last = joined.at(-1);
    if (last === undefined || candidate.start >= last.end) joined.push({ ...candidate });
    else joined[joined.length - 1] = join(last, candidate);
  }
  return joined.map(({ rank: _rank, ...finding }) => finding);
}

function join(a: Candidate, b: Candidate): Candidate {
  const stronger = isStronger(b, a) ? b : a;
  return { ...stronger, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
