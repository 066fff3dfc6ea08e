/** Reads small bodies where they are, and larger ones in threads of their own. */
import type { Answered, Asked, ReadableBody, Reader, ReadingKind } from '../exchange/reader.ts';
import { readHere } from '../exchange/reader.ts';
import { LargeWork, largeMinBytes } from '../large-work.ts';
import { type DetectorList, noDetectors } from '../masking/detector-list.ts';
import { Lane } from './lane.ts';
import type { JournalPlace } from './protocol.ts';

/** Read in a few milliseconds at the worst; nearly all requests are no larger. */
const hereMaxBytes = 64 * 1024;
/** A stream of nothing but code tables takes twenty times as long for each of its bytes. */
const encodedHereMaxBytes = 16 * 1024;
/** Larger ones take up to seconds, which the others must not wait for. */
const quickMaxBytes = 2 * 1024 * 1024;
const readMaxMs = 20_000;
/** Beginning a thread takes some 200 ms, which large bodies that follow one another need not wait for. */
const idleMaxMs = 10_000;

/** A caller waits for it. */
const patienceMs = 15_000;

/** For `createThreadedReader`; its memory goes to the shipping thread. */
export function largeReading(): LargeWork {
  return new LargeWork('reading', patienceMs);
}

/** `useDetectors`: those that operators added, from the next body on. */
export type ThreadedReader = Reader & { useDetectors(detectors: DetectorList): void; close(): Promise<void> };

/** Without a journal no body may have stored parts; `detectors` are those that operators added. */
export function createThreadedReader(
  journal: JournalPlace | null = null,
  largeWork: LargeWork = largeReading(),
  detectors: DetectorList = noDetectors,
): ThreadedReader {
  const options = { readMaxMs, idleMaxMs, start: { journal, detectors }, largeWork };
  const quick = new Lane(options);
  const slow = new Lane(options);
  return {
    read(kind, asked, body) {
      if (isEncodedRequest(kind, asked)) return readEncoded(asked, body, quick, slow) as never;
      if (body.bytes <= hereMaxBytes && body.stored === null && !isEncodedAnswer(asked) && !isSearched(asked))
        return readHere(kind, asked, body.joined());
      const lane = kind === ('body' satisfies ReadingKind) && body.bytes <= quickMaxBytes ? quick : slow;
      return lane.ask(kind, asked, body.bytes, () => ({ bytes: body.copied(), stored: body.stored }));
    },
    useDetectors(next) {
      for (const lane of [quick, slow]) lane.useDetectors(next);
    },
    async close() {
      await Promise.all([quick.close(), slow.close()]);
    },
  };
}

/**
 * How long it takes is known when it is decoded. Each place decodes as far as it reads, and leaves what is larger to the
 * next: a caller whose small body becomes a large one waits among the large ones.
 */
async function readEncoded(
  asked: Asked<'body'>,
  body: ReadableBody,
  quick: Lane,
  slow: Lane,
): Promise<Answered<'body'>> {
  const question = () => ({ bytes: body.copied(), stored: body.stored });
  if (body.bytes <= encodedHereMaxBytes && body.stored === null && !isSearched(asked)) {
    const read = readHere('body', decodingAtMost(hereMaxBytes, asked), body.joined());
    if (!isLargerThan(hereMaxBytes, read, asked)) return read;
  }
  if (body.bytes <= quickMaxBytes) {
    const read = await quick.ask('body', decodingAtMost(quickMaxBytes, asked), body.bytes, question);
    if (!isLargerThan(quickMaxBytes, read, asked)) return read;
  }
  // It may become as large as it likes.
  return slow.ask('body', asked, largeMinBytes, question);
}

/** A search takes ten times as long as reading, and so does masking; the thread alone has what they need. */
function isSearched(asked: Asked<ReadingKind>): boolean {
  return 'findingsMaxChars' in asked || 'summary' in asked;
}

function decodingAtMost(maxBytes: number, asked: Asked<'body'>): Asked<'body'> {
  const decodedBodyMaxBytes = Math.min(maxBytes, asked.decoding.decodedBodyMaxBytes);
  return { ...asked, decoding: { ...asked.decoding, decodedBodyMaxBytes } };
}

/** Whether only the limit of the place was met, and not the one of the configuration. */
function isLargerThan(maxBytes: number, read: Answered<'body'>, { decoding }: Asked<'body'>): boolean {
  return read.reason === 'decoded_body_too_large' && maxBytes < decoding.decodedBodyMaxBytes;
}

function isEncodedRequest(kind: ReadingKind, asked: Asked<ReadingKind>): asked is Asked<'body'> {
  return kind === 'body' && 'codings' in asked && asked.codings.ok && asked.codings.codings.length > 0;
}

/** What decodes to more than it is can be large however small it is. */
function isEncodedAnswer(asked: Asked<ReadingKind>): boolean {
  const encoding = 'contentEncoding' in asked ? asked.contentEncoding.trim().toLowerCase() : '';
  return encoding !== '' && encoding !== 'identity';
}
