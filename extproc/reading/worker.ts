/** The thread that reads large bodies: one question, one reply. */
import { parentPort, workerData } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { FindingsSearch } from '../exchange/body.ts';
import { readHere } from '../exchange/reader.ts';
import { collectGarbage, freeBuffer, largeMinBytes } from '../large-work.ts';
import type { Question, ReadingStart, Reply } from './protocol.ts';
import { StoredBodies } from './stored-bodies.ts';

const { journal, detectors } = workerData as ReadingStart;
const stored = new StoredBodies(journal);
let search: FindingsSearch | undefined;

async function replyTo(question: Question): Promise<Reply> {
  const { kind, asked } = question;
  const isLarge = question.bytes.length >= largeMinBytes;
  try {
    await stored.fill(question);
    const searching = 'findingsMaxChars' in asked ? { ...asked, search: await findingsSearch() } : asked;
    const answered = readHere(kind, searching as never, question.bytes, () => freeBuffer(question.bytes));
    if (isLarge) collectGarbage();
    return { answered };
  } catch (thrown) {
    const code = thrown instanceof SkilltapeError ? thrown.code : 'internal';
    return { failed: thrown instanceof Error ? thrown.name : typeof thrown, code };
  }
}

/** Loaded when it is first needed: where no policy looks at findings, no thread has it. */
async function findingsSearch(): Promise<FindingsSearch> {
  if (search === undefined) {
    const { findingsSearchWith } = await import('../exchange/request-findings.ts');
    const { detectionOf } = await import('../masking/own-detection.ts');
    search = findingsSearchWith(detectionOf(detectors));
  }
  return search;
}

parentPort?.on('message', (question: Question) => {
  void replyTo(question).then((reply) => {
    parentPort?.postMessage(reply);
    // Not before: an answer may be the bytes that were asked about.
    freeBuffer(question.bytes);
  });
});
