/** Reads small bodies where they are, and larger ones in threads of their own. */
import type { Reader, ReadingKind } from '../exchange/reader.ts';
import { readHere } from '../exchange/reader.ts';
import { Lane } from './lane.ts';
import type { JournalPlace } from './protocol.ts';

/** Read in a few milliseconds at the worst; nearly all requests are no larger. */
const hereMaxBytes = 64 * 1024;
/** What decodes to more than it is can be large however small it is. */
const isEncoded = (encoding: string): boolean => encoding !== '' && encoding.trim().toLowerCase() !== 'identity';
/** Larger ones take up to seconds, which the others must not wait for. */
const quickMaxBytes = 2 * 1024 * 1024;
const readMaxMs = 20_000;

/** Without a journal no body may have stored parts. */
export function createThreadedReader(journal: JournalPlace | null = null): Reader & { close(): Promise<void> } {
  const quick = new Lane(readMaxMs, journal);
  const slow = new Lane(readMaxMs, journal);
  return {
    read(kind, asked, body) {
      const encoding = 'contentEncoding' in asked ? asked.contentEncoding : '';
      const isHere = body.bytes <= hereMaxBytes && !isEncoded(encoding) && body.stored === null;
      if (isHere) return readHere(kind, asked, body.joined());
      const lane = kind === ('body' satisfies ReadingKind) && body.bytes <= quickMaxBytes ? quick : slow;
      return lane.ask(kind, asked, () => ({ bytes: body.copied(), stored: body.stored }));
    },
    async close() {
      await Promise.all([quick.close(), slow.close()]);
    },
  };
}
