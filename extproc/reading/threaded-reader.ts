/** Reads small bodies where they are, and larger ones in threads of their own. */
import type { Reader, ReadingKind } from '../exchange/reader.ts';
import { readHere } from '../exchange/reader.ts';
import { LargeWork } from '../large-work.ts';
import { Lane } from './lane.ts';
import type { JournalPlace } from './protocol.ts';

/** Read in a few milliseconds at the worst; nearly all requests are no larger. */
const hereMaxBytes = 64 * 1024;
/** What decodes to more than it is can be large however small it is. */
const isEncoded = (encoding: string): boolean => encoding !== '' && encoding.trim().toLowerCase() !== 'identity';
/** Larger ones take up to seconds, which the others must not wait for. */
const quickMaxBytes = 2 * 1024 * 1024;
const readMaxMs = 20_000;
/** Beginning a thread takes some 200 ms, which large bodies that follow one another need not wait for. */
const idleMaxMs = 10_000;

/** A caller waits for it. */
const patienceMs = 5_000;

/** For `createThreadedReader`; its memory goes to the shipping thread. */
export function largeReading(): LargeWork {
  return new LargeWork('reading', patienceMs);
}

/** Without a journal no body may have stored parts. */
export function createThreadedReader(
  journal: JournalPlace | null = null,
  largeWork: LargeWork = largeReading(),
): Reader & { close(): Promise<void> } {
  const options = { readMaxMs, idleMaxMs, journal, largeWork };
  const quick = new Lane(options);
  const slow = new Lane(options);
  return {
    read(kind, asked, body) {
      const encoding = 'contentEncoding' in asked ? asked.contentEncoding : '';
      const isHere = body.bytes <= hereMaxBytes && !isEncoded(encoding) && body.stored === null;
      if (isHere) return readHere(kind, asked, body.joined());
      const lane = kind === ('body' satisfies ReadingKind) && body.bytes <= quickMaxBytes ? quick : slow;
      return lane.ask(kind, asked, body.bytes, () => ({ bytes: body.copied(), stored: body.stored }));
    },
    async close() {
      await Promise.all([quick.close(), slow.close()]);
    },
  };
}
