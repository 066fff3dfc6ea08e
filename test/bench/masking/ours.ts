import { labelOf } from '../../../extproc/cli/mask.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { scan, scanEverything } from '../../../extproc/masking/scan.ts';
import { spansOf } from '../../../extproc/masking/spans.ts';
import type { Span } from './quality.ts';

/** The engine with all detectors, as `skilltape mask` runs it. */
export function findIn(text: string): Span[] {
  return spansOf(text, scanEverything).map(({ start, end, type }) => ({ start, end, type: labelOf(type) }));
}

const masker = new Masker({ key: new Uint8Array(32).fill(1), scan });

/** As records are written: found, replaced, and looked at again until nothing more is found. */
export function maskText(text: string): string {
  return masker.text(text, 'bench').value;
}

/** CPU seconds of this process, of all its threads. */
export function cpuSecondsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
