import { SkilltapeError } from '../errors.ts';
import type { Delivery } from '../index/port.ts';
import type { SeenTurns, Turns } from '../index/seen-turns.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import type { Masked } from '../masking/masked.ts';
import type { RecordDecision } from '../policy/decision.ts';
import { recordFor } from '../policy/decision.ts';
import type { RecordInput } from '../policy/input.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { draftDocument } from '../transcript/draft.ts';
import type { DocumentMasker } from '../transcript/masked-document.ts';
import { maskDocument } from '../transcript/masked-document.ts';
import { metadataDocument } from '../transcript/metadata-document.ts';
import { readTranscript } from '../transcript/reading.ts';
import { recordInputOf } from '../transcript/record-input.ts';
import type { Transcript } from '../transcript/transcript.ts';
import { newTurns } from '../transcript/turns.ts';
import { reasonOf } from './reason.ts';
import type { TranscriptSink } from './shipper.ts';

export type PipelineParts = {
  masker: DocumentMasker;
  policy: { record(input: RecordInput): RecordDecision };
  index: {
    turns: SeenTurns;
    deliverWithTurns(document: Masked<ExchangeDocument>, turns: Turns): Promise<Delivery>;
  };
  keyedHash: KeyedHash;
  textMaxChars: number;
  /** Exchanges that are not read any more, because reading them ended the thread. */
  reduced: ReadonlySet<string>;
  /** Told when a document could only be kept as metadata; `reason` holds no content. */
  onMaskingFailed: (exchangeId: string, reason: string) => void;
};

/**
 * What happens to an exchange after its end: read, find what is new, ask policy what to keep, mask, index. One
 * function, so that nothing reaches an index by another way (inv. 6). An index that cannot answer now means `retry`;
 * whatever else fails on what the exchange holds leaves its metadata.
 */
export function createPipeline(parts: PipelineParts): TranscriptSink {
  return {
    async deliver(transcript) {
      try {
        const { document, turns } = parts.reduced.has(transcript.exchangeId)
          ? reducedTo(transcript, parts, 'reading it ended the thread')
          : readOrReduced(transcript, parts);
        return await parts.index.deliverWithTurns(document, turns);
      } catch (thrown) {
        if (isIndexFault(thrown)) return { kind: 'retry', reason: thrown.message };
        throw thrown;
      }
    },
  };
}

type Prepared = { document: Masked<ExchangeDocument>; turns: Turns };

function readOrReduced(transcript: Transcript, parts: PipelineParts): Prepared {
  try {
    return prepared(transcript, parts);
  } catch (thrown) {
    if (isIndexFault(thrown)) throw thrown;
    return reducedTo(transcript, parts, reasonOf(thrown));
  }
}

function prepared(transcript: Transcript, parts: PipelineParts): Prepared {
  const reading = readTranscript(transcript);
  const scope = turnScope(transcript, parts.keyedHash);
  const seen = (hashScope: string, hash: string) => seenEarlier(parts.index.turns, hashScope, hash, transcript);
  const turns = newTurns(reading, scope, parts.keyedHash, seen);
  const input = recordInputOf(transcript, reading);
  const { keep } = input === null ? recordFor('policy_failed') : parts.policy.record(input);
  const requestHash = parts.keyedHash('request', transcript.requestBody);
  const draft = draftDocument(transcript, reading, turns, keep, requestHash);
  // What was not kept as text was not indexed: its turns are new again when they are kept the next time.
  const hashes = keep === 'full' ? turns.hashes : [];
  return { document: maskDocument(draft, parts.masker, parts.textMaxChars), turns: { scope, hashes } };
}

function reducedTo(transcript: Transcript, parts: PipelineParts, reason: string): Prepared {
  parts.onMaskingFailed(transcript.exchangeId, reason);
  return { document: metadataDocument(transcript), turns: { scope: '', hashes: [] } };
}

function isIndexFault(thrown: unknown): thrown is SkilltapeError {
  return thrown instanceof SkilltapeError && thrown.code === 'index_failed';
}

/** Turns of two people, or of two connections, are never taken for one another's. */
function turnScope({ started, exchangeId }: Transcript, keyedHash: KeyedHash): string {
  const { identity, connection } = started;
  if (identity === null) return exchangeId;
  return keyedHash('scope', JSON.stringify([identity.issuer, identity.subject, connection])).slice(0, 32);
}

/** An exchange that is delivered a second time must not take its own turns for history. */
function seenEarlier(turns: SeenTurns, scope: string, hash: string, { exchangeId }: Transcript): boolean {
  const first = turns.firstSeenBy(scope, hash);
  return first !== null && first !== exchangeId;
}
