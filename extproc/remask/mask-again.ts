import type { ShipMemory } from '../index/memory.ts';
import type { Masked } from '../masking/masked.ts';
import type { DocumentParts } from '../ship/pipeline.ts';
import { documentsOf } from '../ship/pipeline.ts';
import { reasonOf } from '../ship/reason.ts';
import { Recollection } from '../ship/recollection.ts';
import type { KeptTokens } from '../ship/token-keeper.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import type { Transcript } from '../transcript/transcript.ts';

export type MaskAgainParts = DocumentParts & {
  memory: Pick<ShipMemory, 'turns' | 'links' | 'retentionClassOf' | 'remember'>;
};

/** `failed.reason` holds no content. */
export type MaskedAgain =
  | {
      kind: 'masked';
      documents: readonly Masked<ExchangeDocument>[];
      recollection: Recollection;
      /** What stands behind the tokens of the documents. */
      kept: readonly KeptTokens[];
    }
  | { kind: 'failed'; reason: string };

/**
 * Makes the documents of a recorded exchange anew, as shipping made them: with what was known before it, in the retention
 * class that it has, and linked as it is. `stored` is its own document in the index; null where that has none.
 */
export async function maskAgain(
  transcript: Transcript,
  stored: ExchangeDocument | null,
  parts: MaskAgainParts,
): Promise<MaskedAgain> {
  const memory = asItWas(transcript.exchangeId, stored, parts.memory);
  const recollection = new Recollection(memory, parts.keyedHash);
  try {
    const kept: KeptTokens[] = [];
    const onTokens = (tokens: KeptTokens) => kept.push(tokens);
    const documents = await documentsOf(withLinkOf(transcript, stored), recollection, parts, onTokens);
    return { kind: 'masked', documents, recollection, kept };
  } catch (thrown) {
    return { kind: 'failed', reason: reasonOf(thrown) };
  }
}

/**
 * Memory as the exchange found it, as far as it tells: what later ones brought was not there, and the index has it in
 * the class that it was shipped with.
 */
function asItWas(id: string, stored: ExchangeDocument | null, memory: MaskAgainParts['memory']): ShipMemory {
  const refused = (): never => {
    throw new Error('nothing is forgotten when an exchange is masked again');
  };
  return {
    turns: memory.turns,
    links: {
      find(key) {
        const link = memory.links.find(key);
        // Ids have their time in front; one of a batch is its exchange's with a number behind it.
        return link === null || link.eventId.slice(0, id.length) > id ? null : link;
      },
    },
    rejects: { each: () => [], count: () => 0, keep: refused, remove: refused },
    retentionClassOf: (exchangeId) => stored?.skilltape.retention_class || memory.retentionClassOf(exchangeId),
    remember: (turns, links, classes) => memory.remember(turns, links, classes, [], []),
    ...{ forget: refused, forgetExchange: refused },
    close: () => {},
  };
}

/** Which attempt came first was known when both were shipped together. */
export function withLinkOf(transcript: Transcript, stored: ExchangeDocument | null): Transcript {
  const first = stored?.skilltape.link.find(({ via }) => via === 'attempt')?.event_id;
  const { started } = transcript;
  if (first === undefined || started.attemptOf !== null) return transcript;
  return { ...transcript, started: { ...started, attemptOf: first } };
}
