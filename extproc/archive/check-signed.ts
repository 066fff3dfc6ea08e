/** Judges a file of signed lines by itself: each must be signed, number 1 more than the one before, and name its hash. */
import type { SignedFile } from './checkpoint.ts';
import type { Finding } from './finding.ts';

/** Lines in the order of their numbers, each once; what is wrong with the file is added to `findings`. */
export function checkSignedFile<T extends { number: number; previous: string | null }>(
  signed: SignedFile<T>,
  file: string,
  findings: Finding[],
): Map<number, { hash: string; line: number; value: T }> {
  const byNumber = new Map<number, { hash: string; line: number; value: T }>();
  const found = (kind: Finding['kind'], line: number, reason: string) => findings.push({ kind, file, line, reason });
  for (const { line, reason } of signed.bad) found('edited', line, reason);
  const gaps: { number: number; line: number }[] = [];
  let expected = 1;
  for (const [at, { hash, value }] of signed.entries.entries()) {
    const line = signed.places[at] ?? 0;
    const known = byNumber.get(value.number);
    if (known !== undefined) {
      const isSame = known.hash === hash;
      found(
        isSame ? 'duplicated' : 'edited',
        line,
        isSame
          ? `line ${known.line} stands here once more`
          : `another line of number ${value.number} is line ${known.line}`,
      );
      continue;
    }
    byNumber.set(value.number, { hash, line, value });
    for (; expected < value.number; expected += 1) gaps.push({ number: expected, line });
    if (value.number === expected) expected += 1;
    else found('swapped', line, `number ${value.number} stands behind numbers that belong behind it`);
  }
  tellMissing(
    gaps.filter(({ number }) => !byNumber.has(number)),
    signed.bad.length,
    found,
  );
  for (const { line, value } of byNumber.values()) {
    const before = byNumber.get(value.number - 1);
    const isNamed =
      value.number === 1 ? value.previous === null : before === undefined || before.hash === value.previous;
    if (!isNamed)
      found('edited', line, `number ${value.number} does not name the line before it: signed again after the fact`);
  }
  return byNumber;
}

/** A line that was changed is missing too: it was told of as such. */
function tellMissing(
  missing: { number: number; line: number }[],
  bad: number,
  found: (kind: 'deleted', line: number, reason: string) => void,
): void {
  for (const { number, line } of missing.slice(bad))
    found('deleted', line, `number ${number} is missing before this line`);
}
