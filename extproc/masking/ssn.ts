import { contextFinder, contextIn } from './context.ts';
import type { ScanInput } from './detector.ts';
import { type DigitCluster, digitsOf, endsNumber, hasShape, separatorBefore } from './digit-groups.ts';

const ssnContext = contextFinder({
  near: ['ssn', 'ssns', 'social security', 'social', 'soc sec', 'ss#', 'ssid', 'taxpayer', 'tax id', 'tin', 'itin'],
  against: [
    ...[
      'social insurance',
      'zip',
      'phone',
      'tel',
      'order',
      'invoice',
      'isbn',
      'version',
      'routing',
      'account',
      'ticket',
      'case',
    ],
    ...['size', 'bytes', 'total', 'timestamp', 'count', 'commit', 'serial', 'row', 'line', 'amount'],
  ],
});

/** Areas 000, 666 and 900 to 999, group 00 and serial 0000 were never given out (SSA, randomisation of 2011). */
export function isSsn(digits: string): boolean {
  const area = digits.slice(0, 3);
  if (digits.length !== 9 || area === '000' || area === '666' || area >= '900') return false;
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000';
}

const grouped = [3, 2, 4];

/** Number of groups from `index` that are a US social security number, or 0. Without hyphens it needs context. */
export function ssnAt(input: ScanInput, cluster: DigitCluster, index: number): number {
  const { text } = input;
  const first = cluster.groups[index];
  if (first === undefined) return 0;
  const length = first.end - first.start;
  const count = length === 9 ? 1 : length === 3 && hasShape(text, cluster, index, grouped) ? 3 : 0;
  const last = cluster.groups[index + count - 1];
  if (count === 0 || last === undefined || !endsNumber(text, last.end)) return 0;
  if (!isSsn(digitsOf(text, cluster.groups.slice(index, index + count)))) return 0;
  const separator = count === 1 ? '' : separatorBefore(text, cluster, index + 1);
  const joined = text[first.start - 1] === '-' || text[last.end] === '-';
  if (separator === '-' && !joined) return count;
  const fits = separator === '' || separator === '-' || separator === ' ' || separator === '.';
  return fits && contextIn(ssnContext, input, first.start, last.end) === 'near' ? count : 0;
}
