/** Fields that policy does not let be kept where they can be read: taken out before masking, and not remembered. */
import type { MaskedField } from '../policy/masking-decision.ts';
import type { ExchangeDocument } from './document.ts';
import type { DraftContext } from './draft.ts';
import type { NewTurns } from './turns.ts';

type Decision = DraftContext['decision'];
type Content = Pick<ExchangeDocument['skilltape'], 'system' | 'tools' | 'new_messages' | 'answer' | 'error'>;

const emptied: Readonly<Record<MaskedField, Partial<Content>>> = {
  system: { system: null },
  tools: { tools: null },
  messages: { new_messages: [] },
  answer: { answer: null },
  error: { error: null },
};

/** The content with nothing in the fields that are dropped. */
export function withoutDropped<C extends Partial<Content>>({ masking }: Decision, content: C): C {
  return Object.assign({ ...content }, ...masking.drop.map((field) => emptied[field]));
}

/**
 * The turns that a later request need not repeat. What was dropped is new when it comes again, by the decision of then;
 * but for an answer: whoever may not read it must not find it in the history of the next request.
 */
export function keptHashes({ hashes, systemHash, toolsHash }: NewTurns, { masking }: Decision): string[] {
  const isDropped = (hash: string): boolean => {
    if (hash === systemHash) return masking.drop.includes('system');
    return masking.drop.includes(hash === toolsHash ? 'tools' : 'messages');
  };
  return hashes.filter((hash) => !isDropped(hash));
}
