import { cardAt } from './card.ts';
import { codeAt, isAlnum, isDigit, isEscapeLetter, isLetter } from './characters.ts';
import type { Detector, ScanInput } from './detector.ts';
import { beginsNumber, type DigitCluster, type DigitGroup, isSeparator, readCluster } from './digit-groups.ts';
import type { Candidate, FindingType, Rank } from './finding.ts';
import { ibanEnd } from './iban.ts';
import { ipv4At } from './ip.ts';
import { nationalIdAt } from './national-id.ts';
import { phoneAt } from './phone.ts';
import { ssnAt } from './ssn.ts';
import { charKind } from './trigger.ts';

/** The shortest things apart from IPv4 addresses are phone numbers of seven digits. */
const digitsMin = 7;
/** Groups of a full window that are left to the next window, so that no number is cut at its end. */
const overlapGroups = 12;

type GroupRule = {
  finding: { type: FindingType; rule: string; rank: Rank; score: number };
  at: (input: ScanInput, cluster: DigitCluster, index: number) => number;
};

const ipv4 = { type: 'IP', rule: 'ipv4', rank: 'validated', score: 0.9 } as const;
/** Rules over whole digit groups, strictest first; each answers how many groups it took. */
const groupRules: readonly GroupRule[] = [
  { finding: { type: 'SSN', rule: 'ssn', rank: 'validated', score: 0.85 }, at: ssnAt },
  { finding: { type: 'CARD', rule: 'card', rank: 'validated', score: 0.95 }, at: cardAt },
];

/** Answers the group to go on from. `digits` are those of the cluster from `index` on. */
function takeGroups(input: ScanInput, cluster: DigitCluster, index: number, digits: number, out: Candidate[]): number {
  const start = cluster.groups[index]?.start ?? 0;
  const ipGroups = ipv4At(input.text, cluster, index);
  if (ipGroups > 0) {
    out.push({ ...ipv4, start, end: cluster.groups[index + ipGroups - 1]?.end ?? start });
    return index + ipGroups;
  }
  if (digits < digitsMin || !beginsNumber(input.text, start)) return index + 1;
  for (const { at, finding } of groupRules) {
    const count = at(input, cluster, index);
    const last = cluster.groups[index + count - 1];
    if (count === 0 || last === undefined) continue;
    out.push({ ...finding, start, end: last.end });
    return index + count;
  }
  const national = nationalIdAt(input, cluster, index);
  const lastOfId = cluster.groups[index + (national?.count ?? 0) - 1];
  if (national !== undefined && lastOfId !== undefined) {
    const finding = { type: 'NATIONAL_ID', rule: national.rule, rank: 'validated', score: 0.85 } as const;
    out.push({ ...finding, start, end: lastOfId.end });
    return index + national.count;
  }
  const phone = phoneAt(input, cluster, index);
  if (phone === undefined) return index + 1;
  const rank = phone.score > 0.6 ? 'validated' : 'weak';
  out.push({ type: 'PHONE', rule: 'phone', rank, start: phone.start, end: phone.end, score: phone.score });
  return phone.next;
}

const lengthOf = (group: DigitGroup | undefined): number => (group === undefined ? 0 : group.end - group.start);

/** Reads the numbers that begin at the digit at `at`; answers the offset to go on from. */
function takeCluster(input: ScanInput, at: number, out: Candidate[]): number {
  const { text } = input;
  let end = at;
  while (isDigit(codeAt(text, end))) end++;
  if (isAlnum(codeAt(text, at - 1)) && !isEscapeLetter(text, at - 1)) {
    if (end - at < 2 || !isLetter(codeAt(text, at - 2))) return end;
    const afterIban = ibanEnd(text, at - 2);
    if (afterIban === -1) return end;
    out.push({ type: 'IBAN', rule: 'iban', rank: 'validated', start: at - 2, end: afterIban, score: 0.97 });
    return afterIban;
  }
  // most numbers of a text stand alone and are short
  if (end - at < digitsMin && !isSeparator(codeAt(text, end))) return end;
  const cluster = readCluster(text, at);
  const groups = cluster.groups;
  const count = cluster.full ? groups.length - overlapGroups : groups.length;
  const known = out.length;
  let digits = 0;
  for (const group of groups) digits += lengthOf(group);
  let index = 0;
  while (index < count) {
    const next = takeGroups(input, cluster, index, digits, out);
    for (; index < next; index++) digits -= lengthOf(groups[index]);
  }
  const reached = groups[index - 1]?.end ?? end;
  const last = out.length > known ? out.at(-1) : undefined;
  return Math.max(reached, last?.end ?? 0);
}

/** Everything that is made of digits, in one pass: IPv4, SSN, card, IBAN, national ids and phone. */
export const numbersDetector: Detector = {
  id: 'numbers',
  needs: charKind.digit,
  detect(input, out) {
    let next = 0;
    for (const at of input.triggers.digitRuns) if (at >= next) next = takeCluster(input, at, out);
  },
};
