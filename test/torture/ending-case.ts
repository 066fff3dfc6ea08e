import { readdirSync, readFileSync } from 'node:fs';
import type { Outcome } from '../../extproc/exchange/outcome.ts';
import type { EncodedStream } from './encoded-stream.ts';
import { encodeStream, encodings } from './encoded-stream.ts';

/** Who ends the answer once the caller has all bytes up to the cut. */
export const breaks = ['client', 'upstream_reset', 'upstream_end', 'processor_killed'] as const;
export type Break = (typeof breaks)[number];

/** One cell of the matrix: `cut` bytes of the stream are sent, reach the caller, and then it is broken off. */
export type EndingCase = { name: string; stream: EncodedStream; cut: number; by: Break };

const fixtures = new URL('../fixtures/answers/', import.meta.url);

/** Every stream x each event border and `randomCuts` random bytes x each encoding x each way to break off. */
export async function endingCases(random: () => number, randomCuts: number): Promise<EndingCase[]> {
  const cases: EndingCase[] = [];
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith('.sse'))) {
    for (const encoding of encodings) {
      const stream = await encodeStream(readFileSync(new URL(file, fixtures)), encoding);
      const some = Array.from({ length: randomCuts }, () => Math.floor(random() * (stream.bytes.length + 1)));
      for (const cut of new Set([0, ...stream.borders, ...some, stream.bytes.length])) {
        for (const by of breaks)
          cases.push({ name: `${file} ${encoding} ${cut}/${stream.bytes.length} ${by}`, stream, cut, by });
      }
    }
  }
  return cases;
}

const brokenOff: Record<Break, Outcome> = {
  client: 'client_aborted',
  upstream_reset: 'upstream_aborted',
  upstream_end: 'upstream_aborted',
  processor_killed: 'interrupted',
};

/**
 * The outcomes that are true. More than one only where the cut lies inside the encoded bytes of the event that ends the
 * stream: a decoder may or may not have all of it by then.
 */
export function trueOutcomes({ stream, cut, by }: EndingCase): Outcome[] {
  const broken = brokenOff[by];
  if (stream.endsAfter === null) return [broken];
  // The next start sees an end that is plain, and decodes nothing: of an encoded stream it would have to see the end itself.
  if (by === 'processor_killed' && stream.encoding !== 'identity') return [broken];
  const { event, outcome } = stream.endsAfter;
  const begin = stream.borders[event - 1] ?? 0;
  const end = stream.borders[event] ?? 0;
  if (cut >= end) return [outcome];
  if (stream.encoding !== 'identity') return cut <= begin ? [broken] : [broken, outcome];
  // A blank line that ends with CR and LF is one from its CR on.
  return cut === end - 1 && stream.bytes.subarray(end - 2, end).equals(Buffer.from('\r\n')) ? [outcome] : [broken];
}
