/** The thread that reads large bodies: one question, one reply. */
import { parentPort, workerData } from 'node:worker_threads';
import { SkilltapeError } from '../errors.ts';
import type { FindingsSearch } from '../exchange/body.ts';
import type { SummaryMask } from '../exchange/held-body-summary.ts';
import { readHere } from '../exchange/reader.ts';
import { collectGarbage, freeBuffer, largeMinBytes } from '../large-work.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import type { Question, ReadingStart, Reply } from './protocol.ts';
import { StoredBodies } from './stored-bodies.ts';

const { journal, detectors } = workerData as ReadingStart;
const stored = new StoredBodies(journal);
let detection: OwnDetection | undefined;
let search: FindingsSearch | undefined;
let mask: SummaryMask | undefined;

async function replyTo(question: Question): Promise<Reply> {
  const isLarge = question.bytes.length >= largeMinBytes;
  try {
    await stored.fill(question);
    const letGo = () => freeBuffer(question.bytes);
    const answered = readHere(question.kind, (await equipped(question)) as never, question.bytes, letGo);
    if (isLarge) collectGarbage();
    return { answered };
  } catch (thrown) {
    const code = thrown instanceof SkilltapeError ? thrown.code : 'internal';
    return { failed: thrown instanceof Error ? thrown.name : typeof thrown, code };
  }
}

/** What is asked, with what only this thread has; loaded when it is first needed. */
async function equipped({ kind, asked }: Question): Promise<Question['asked']> {
  if (kind === 'held') return { ...asked, mask: await summaryMask() };
  return 'findingsMaxChars' in asked ? { ...asked, search: await findingsSearch() } : asked;
}

async function summaryMask(): Promise<SummaryMask> {
  const { summaryMaskWith } = await import('../exchange/summary-mask.ts');
  mask ??= summaryMaskWith(await ownDetection());
  return mask;
}

/** Where no policy looks at findings, no thread has it. */
async function findingsSearch(): Promise<FindingsSearch> {
  const { findingsSearchWith } = await import('../exchange/request-findings.ts');
  search ??= findingsSearchWith(await ownDetection());
  return search;
}

/** Made once, for both: patterns of an operator take time and memory to compile. */
async function ownDetection(): Promise<OwnDetection> {
  const { detectionOf } = await import('../masking/own-detection.ts');
  detection ??= detectionOf(detectors);
  return detection;
}

parentPort?.on('message', (question: Question) => {
  void replyTo(question).then((reply) => {
    parentPort?.postMessage(reply);
    // Not before: an answer may be the bytes that were asked about.
    freeBuffer(question.bytes);
  });
});
