import { contextFinder, contextIn } from './context.ts';
import type { ScanInput } from './detector.ts';
import { type DigitCluster, digitsOf, endsNumber, separatorBefore } from './digit-groups.ts';
import { type NationalIdRule, nationalIdRules } from './national-id-rules.ts';

/** A spelling taken apart: `3.3.3-2` has the lengths 3, 3, 3, 2 and the separators `.`, `.`, `-`. */
type Spelling = { rule: NationalIdRule; lengths: readonly number[]; separators: readonly string[]; needsWord: boolean };

/** By the length of their first group, longest spelling first: a number is read as far as it goes. */
const spellings = new Map<number, Spelling[]>();
for (const rule of nationalIdRules) {
  for (const shape of rule.shapes) add(rule, shape, false);
  for (const shape of [...rule.plainShapes, String(rule.digits)]) add(rule, shape, true);
}
for (const list of spellings.values()) list.sort((a, b) => b.lengths.length - a.lengths.length);
const contexts = new Map(nationalIdRules.map(({ id, words }) => [id, contextFinder({ near: words, against: [] })]));

function add(rule: NationalIdRule, shape: string, needsWord: boolean): void {
  const lengths = shape.split(/\D/).map(Number);
  const first = lengths[0] ?? 0;
  const spelling = { rule, lengths, separators: shape.split(/\d+/).slice(1, -1), needsWord };
  spellings.set(first, [...(spellings.get(first) ?? []), spelling]);
}

export type NationalId = { rule: string; count: number };

/** The personal number that begins with group `index`, if any, and how many groups it takes. */
export function nationalIdAt(input: ScanInput, cluster: DigitCluster, index: number): NationalId | undefined {
  const { text } = input;
  const first = cluster.groups[index];
  const candidates = first === undefined ? undefined : spellings.get(first.end - first.start);
  if (first === undefined || candidates === undefined) return undefined;
  for (const spelling of candidates) {
    const { rule, lengths, needsWord } = spelling;
    const last = cluster.groups[index + lengths.length - 1];
    if (last === undefined || !fits(text, cluster, index, spelling) || !endsNumber(text, last.end)) continue;
    if (!rule.check(digitsOf(text, cluster.groups.slice(index, index + lengths.length)))) continue;
    const context = needsWord ? contexts.get(rule.id) : undefined;
    if (!needsWord || (context && contextIn(context, input, first.start, last.end) === 'near'))
      return { rule: rule.id, count: lengths.length };
  }
  return undefined;
}

function fits(text: string, cluster: DigitCluster, index: number, { lengths, separators }: Spelling): boolean {
  for (let i = 1; i < lengths.length; i++) {
    const group = cluster.groups[index + i];
    if (group === undefined || group.end - group.start !== lengths[i]) return false;
    if (separatorBefore(text, cluster, index + i) !== separators[i - 1]) return false;
  }
  return true;
}
