import type { ArchivedExchange } from '../archive/options.ts';
import type { DecodingLimits } from '../encoding/limits.ts';
import { SkilltapeError } from '../errors.ts';
import { type Billed, billedOf } from '../index/billed.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { Delivery, IndexSink } from '../index/port.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import { collectGarbage, largeMinBytes } from '../large-work.ts';
import type { Masked } from '../masking/masked.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import { TimeBudget } from '../masking/time-budget.ts';
import type { RecordDecision } from '../policy/decision.ts';
import { recordFor } from '../policy/decision.ts';
import type { RecordInput } from '../policy/input.ts';
import { type PrivacyDecision, usualPrivacy } from '../policy/privacy-decision.ts';
import { thingsBrought } from '../transcript/brought.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { draftDocuments } from '../transcript/documents.ts';
import type { DocumentMasker } from '../transcript/masked-document.ts';
import { maskDocument } from '../transcript/masked-document.ts';
import { metadataDocument } from '../transcript/metadata-document.ts';
import { readTranscript } from '../transcript/reading.ts';
import { recordInputOf } from '../transcript/record-input.ts';
import { withShownCaller, withShownPerson } from '../transcript/shown-person.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { metadataRecord } from './metadata-record.ts';
import { detectionWithNames, type NameFinder } from './name-finder.ts';
import { reasonOf } from './reason.ts';
import { type Brought, nothingBrought, Recollection } from './recollection.ts';
import type { Recorded } from './recorded.ts';
import type { TranscriptSink } from './shipper.ts';
import { type KeptTokens, type TokenKeeper, tokenSink } from './token-keeper.ts';

export type PipelineParts = {
  masker: DocumentMasker;
  /** With the detectors that operators added, those in force. */
  detection: () => OwnDetection;
  /** Null where no model finds names. */
  names: NameFinder | null;
  /** Null where no values are kept. */
  tokenKeeper: TokenKeeper | null;
  /** Asked of the revision that an exchange began with; null: of the one in force. */
  policy: {
    record(input: RecordInput, revision: string | null): RecordDecision & { revision?: string };
    /** What is shown of who called where no rule could judge; absent: everything. */
    readonly unjudgedPrivacy?: PrivacyDecision | undefined;
  };
  memory: ShipMemory;
  index: Pick<IndexSink, 'deliver'>;
  /** Null: nothing is archived. */
  archive: ExchangeArchive | null;
  keyedHash: KeyedHash;
  textMaxChars: number;
  /** In the currency of the price table; null where it has no price. */
  spendOf(billed: Billed): number | null;
  /** Processor time for the masking of one exchange. */
  maskingBudgetMs: number;
  decoding: DecodingLimits;
  /** Exchanges that are not read any more, because reading them ended the thread. */
  reduced: ReadonlySet<string>;
  /** Told before each exchange is read, and with null when all are. */
  onReading: (exchangeId: string | null) => void;
  /** Told when a document could only be kept as metadata; `reason` holds no content. */
  onMaskingFailed: (exchangeId: string, reason: string) => void;
  /** Told how many values of a type stand masked in what the index took. */
  onFindings: (type: string, count: number) => void;
};

/** The record that stays: on return it has all of them on disk, each once. Throws `archive_failed` when it has not. */
export type ExchangeArchive = { archive(exchanges: readonly ArchivedExchange[]): Promise<void> };

/** Why an exchange of `reduced` has metadata alone. */
export const endedTheThread = 'reading it ended the thread';

/** Everything of one exchange that an index takes; the first is its own document. */
type Documents = readonly Masked<ExchangeDocument>[];
type Prepared = { documents: Documents; brought: Brought };

/**
 * What happens to exchanges after their end: read, find what is new, ask policy what to keep, mask, archive, index. One
 * function, so that nothing reaches an index by another way (inv. 6), nor before the record has it (inv. 7). An index
 * that cannot answer now means `retry`; whatever else fails on what an exchange holds leaves its metadata.
 */
export function createPipeline(parts: PipelineParts): TranscriptSink<Delivery> {
  // An index that is away is asked every second; reading and masking for it again each time would be a load of its own.
  const preparedOnce = new WeakMap<readonly Transcript[], Prepared[]>();
  return {
    async deliver(transcripts, recorded) {
      try {
        const prepared = preparedOnce.get(transcripts) ?? (await preparedAll(transcripts, parts));
        preparedOnce.set(transcripts, prepared);
        if (parts.archive !== null) await archived(parts.archive, transcripts, recorded, prepared);
        return await delivered(prepared, parts);
      } catch (thrown) {
        if (!isIndexFault(thrown)) return archivedThenThrown(thrown, parts.archive, transcripts, recorded);
        return transcripts.map(() => ({ kind: 'retry', reason: thrown.message }));
      }
    },
  };
}

/**
 * The first half of the pipeline alone, for while the index is away: what comes meanwhile is in the archive all the same.
 * It is prepared again for the index, which then finds the same in memory.
 */
export function createArchiveOnly(parts: PipelineParts & { archive: ExchangeArchive }): TranscriptSink {
  return {
    async deliver(transcripts, recorded) {
      try {
        const prepared = await preparedAll(transcripts, parts);
        await archived(parts.archive, transcripts, recorded, prepared);
        return transcripts.map(() => ({ kind: 'accepted' }));
      } catch (thrown) {
        if (!isIndexFault(thrown)) return archivedThenThrown(thrown, parts.archive, transcripts, recorded);
        return transcripts.map(() => ({ kind: 'retry', reason: thrown.message }));
      }
    },
  };
}

/** An exchange that nothing can be made of is told from others and passed; the record has it all the same. */
async function archivedThenThrown(
  thrown: unknown,
  archive: ExchangeArchive | null,
  transcripts: readonly Transcript[],
  recorded: readonly Recorded[],
): Promise<never> {
  const isArchiveFault = thrown instanceof SkilltapeError && thrown.code === 'archive_failed';
  if (archive !== null && !isArchiveFault && transcripts.length === 1) {
    await archived(archive, transcripts, recorded, [unprepared]);
  }
  throw thrown;
}

async function archived(
  archive: ExchangeArchive,
  transcripts: readonly Transcript[],
  recorded: readonly Recorded[],
  prepared: readonly Prepared[],
): Promise<void> {
  const exchanges = transcripts.map(({ exchangeId, started }, at): ArchivedExchange => {
    const [source, { documents, brought } = unprepared] = [recorded[at], prepared[at]];
    if (source === undefined) throw new SkilltapeError('archive_failed', 'an exchange came without its records');
    const { identity } = started;
    const person = identity === null ? 'nobody' : { issuer: identity.issuer, subject: identity.subject };
    const metadata = metadataRecord(source.finishedMs, documents, brought);
    return { ...source, exchangeId, person, documents, metadata, retentionClass: classOf(documents) };
  });
  try {
    await archive.archive(exchanges);
  } catch (thrown) {
    const { message, remedy } = SkilltapeError.from(thrown, 'archive_failed');
    throw new SkilltapeError('archive_failed', message, { cause: thrown, ...(remedy !== undefined && { remedy }) });
  }
}

const unprepared: Prepared = { documents: [], brought: nothingBrought() };

function classOf([own]: Documents): string {
  return own?.skilltape.retention_class ?? recordFor('policy_failed').retention_class;
}

async function preparedAll(transcripts: readonly Transcript[], parts: PipelineParts): Promise<Prepared[]> {
  const recollection = new Recollection(parts.memory, parts.keyedHash);
  const prepared: Documents[] = [];
  const kept: KeptTokens[] = [];
  for (const transcript of transcripts) {
    parts.onReading(transcript.exchangeId);
    prepared.push(await readOrReduced(transcript, recollection, parts, kept));
  }
  parts.onReading(null);
  await parts.tokenKeeper?.keep(kept);
  recollection.write();
  const brought = recollection.brought();
  return prepared.map((documents, at) => ({
    documents,
    brought: brought.get(transcripts[at]?.exchangeId ?? '') ?? nothingBrought(),
  }));
}

async function delivered(prepared: readonly Prepared[], parts: PipelineParts): Promise<Delivery[]> {
  const documents = prepared.flatMap((one) => one.documents);
  const deliveries = await parts.index.deliver(documents);
  for (const [at, { skilltape }] of documents.entries()) {
    if (deliveries[at]?.kind !== 'accepted') continue;
    for (const { type, count } of skilltape.masking.findings) parts.onFindings(type, count);
  }
  // What stands in no index as text is new when it comes again.
  parts.memory.forget(documents.flatMap(({ event }, at) => (deliveries[at]?.kind === 'rejected' ? [event.id] : [])));
  let at = 0;
  return prepared.map(({ documents: { length } }) => {
    at += length;
    return together(deliveries.slice(at - length, at));
  });
}

/** An exchange is delivered when all its documents are, and rejected when its own is. */
function together(deliveries: readonly Delivery[]): Delivery {
  const retry = deliveries.find(({ kind }) => kind === 'retry');
  const [own = { kind: 'retry', reason: 'the index gave no outcome' } satisfies Delivery] = deliveries;
  return retry ?? deliveries.find(({ kind }) => kind === 'rejected') ?? own;
}

async function readOrReduced(
  transcript: Transcript,
  recollection: Recollection,
  parts: PipelineParts,
  kept: KeptTokens[],
): Promise<Documents> {
  if (parts.reduced.has(transcript.exchangeId)) return reducedTo(transcript, recollection, parts, endedTheThread);
  try {
    const onTokens = parts.tokenKeeper === null ? undefined : (tokens: KeptTokens) => kept.push(tokens);
    const documents = await documentsOf(transcript, recollection, parts, onTokens);
    const [own] = documents;
    if (own?.skilltape.endpoint.treatment === 'prompt') recollection.count(transcript, usedBy(own, parts.spendOf));
    return documents;
  } catch (thrown) {
    if (isIndexFault(thrown)) throw thrown;
    return reducedTo(transcript, recollection, parts, reasonOf(thrown));
  }
}

/** What is needed to make the documents of an exchange. */
export type DocumentParts = Pick<
  PipelineParts,
  'masker' | 'detection' | 'names' | 'policy' | 'keyedHash' | 'textMaxChars' | 'maskingBudgetMs' | 'decoding'
>;

/**
 * All documents of one exchange, masked; the first is its own. What they bring is added to the recollection, and
 * `onTokens` is told what stands behind their tokens. Throws whatever fails on what the exchange holds.
 */
export async function documentsOf(
  transcript: Transcript,
  recollection: Recollection,
  parts: DocumentParts,
  onTokens?: (tokens: KeptTokens) => void,
): Promise<Documents> {
  const { keyedHash, masker, names, textMaxChars, decoding } = parts;
  const reading = await readTranscript(transcript, (bytes) => keyedHash('file', bytes), decoding);
  if (transcript.requestBytes + transcript.answerBytes >= largeMinBytes) collectGarbage();
  recollection.own(transcript, thingsBrought(transcript, reading));
  const input = recordInputOf(transcript, reading);
  const own = transcript.started.policyRevision ?? transcript.decided?.policyRevision ?? null;
  const { unjudgedPrivacy } = parts.policy;
  const decided = input === null ? recordFor('policy_failed', unjudgedPrivacy) : parts.policy.record(input, own);
  const retention_class = recollection.retentionClass(transcript.exchangeId, decided.retention_class);
  const decision = { ...decided, retention_class };
  const recall = recollection.recallFor(transcript);
  const time = new TimeBudget(parts.maskingBudgetMs);
  const documents: Masked<ExchangeDocument>[] = [];
  const inForce = parts.detection();
  const tokens = onTokens === undefined ? null : tokenSink(transcript, decision, inForce);
  for (const drafted of draftDocuments(transcript, reading, { keyedHash, decision, recall })) {
    const draft = withShownPerson(drafted.draft, decided.privacy ?? usualPrivacy, keyedHash);
    const detection = await detectionWithNames(names, draft, inForce);
    const { onToken } = tokens ?? {};
    documents.push(maskDocument(draft, masker, textMaxChars, decision.masking, detection, time, onToken));
    recollection.add(transcript, drafted);
  }
  // Last: of what could only be kept as metadata no value is kept.
  if (tokens !== null) onTokens?.(tokens.kept);
  return documents;
}

/** Of the exchange itself: what the requests of a batch used is told where its results are downloaded, maybe twice. */
function usedBy(document: ExchangeDocument, spendOf: PipelineParts['spendOf']) {
  const { input_tokens: input, output_tokens: output } = document.gen_ai.usage;
  const billed = billedOf(document);
  return { inputTokens: input ?? 0, outputTokens: output ?? 0, spend: billed === null ? 0 : spendOf(billed) };
}

function reducedTo(
  transcript: Transcript,
  recollection: Recollection,
  parts: PipelineParts,
  reason: string,
): Documents {
  parts.onMaskingFailed(transcript.exchangeId, reason);
  // It may have been read in part, or before, in a delivery that did not come to its end.
  recollection.forgetExchange(transcript.exchangeId);
  const { retention_class: byDefault } = recordFor('policy_failed');
  const retentionClass = recollection.retentionClass(transcript.exchangeId, byDefault);
  const { unjudgedPrivacy = usualPrivacy } = parts.policy;
  return [metadataDocument(withShownCaller(transcript, unjudgedPrivacy, parts.keyedHash), retentionClass, reason)];
}

function isIndexFault(thrown: unknown): thrown is SkilltapeError {
  return thrown instanceof SkilltapeError && thrown.code === 'index_failed';
}
