import { codeAt, isAlnum, isDigit, isEscapeLetter } from './characters.ts';

/** Groups of one cluster at most; a longer cluster is read in overlapping windows. */
const groupsMax = 24;
const separatorMax = 3;
const point = 46;
const underscore = 95;

/** One of ` -./()`. */
export function isSeparator(code: number): boolean {
  return code === 32 || code === 45 || code === 46 || code === 47 || code === 40 || code === 41;
}

/** Offsets of a run of digits. */
export type DigitGroup = { start: number; end: number };

/** Digit groups with at most three separator characters between neighbours, such as a phone number or an IP address. */
export type DigitCluster = { groups: readonly DigitGroup[]; full: boolean };

/** Reads the cluster whose first digit stands at `start`; `full` says that more groups may follow. */
export function readCluster(text: string, start: number): DigitCluster {
  const groups: DigitGroup[] = [];
  let at = start;
  while (groups.length < groupsMax) {
    let end = at;
    while (isDigit(codeAt(text, end))) end++;
    groups.push({ start: at, end });
    let next = end;
    while (next - end < separatorMax && isSeparator(codeAt(text, next))) next++;
    if (next === end || !isDigit(codeAt(text, next))) return { groups, full: false };
    at = next;
  }
  return { groups, full: true };
}

/** The text between group `index` and the one before it; empty for the first group. */
export function separatorBefore(text: string, cluster: DigitCluster, index: number): string {
  const previous = cluster.groups[index - 1];
  const group = cluster.groups[index];
  return previous === undefined || group === undefined ? '' : text.slice(previous.end, group.start);
}

/** Whether the groups from `index` have these lengths, and one and the same separator between them all. */
export function hasShape(text: string, cluster: DigitCluster, index: number, lengths: readonly number[]): boolean {
  for (let i = 0; i < lengths.length; i++) {
    const group = cluster.groups[index + i];
    if (group === undefined || group.end - group.start !== lengths[i]) return false;
  }
  const separator = separatorBefore(text, cluster, index + 1);
  for (let i = index + 2; i < index + lengths.length; i++) {
    if (separatorBefore(text, cluster, i) !== separator) return false;
  }
  return true;
}

export function digitsOf(text: string, groups: readonly DigitGroup[]): string {
  return groups.map((group) => text.slice(group.start, group.end)).join('');
}

/** Whether the digits at `start` may begin a number: no letter, digit, `_` or decimal point directly before. */
export function beginsNumber(text: string, start: number): boolean {
  const before = codeAt(text, start - 1);
  if (isAlnum(before)) return isEscapeLetter(text, start - 1);
  if (before === underscore) return false;
  return !(before === point && isDigit(codeAt(text, start - 2)));
}

/** Whether a number may end before `end`: no letter, digit or `_`, and no decimal point with digits. */
export function endsNumber(text: string, end: number): boolean {
  const after = codeAt(text, end);
  if (isAlnum(after) || after === underscore) return false;
  return !(after === point && isDigit(codeAt(text, end + 1)));
}
