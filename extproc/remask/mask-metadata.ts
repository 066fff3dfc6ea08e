/** Masks anew what is left of an exchange whose content is gone. */
import type { Masked } from '../masking/masked.ts';
import type { OwnDetection } from '../masking/own-detection.ts';
import { TimeBudget } from '../masking/time-budget.ts';
import { detectionWithNames } from '../ship/name-finder.ts';
import type { DocumentParts } from '../ship/pipeline.ts';
import { reasonOf } from '../ship/reason.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { maskDocument } from '../transcript/masked-document.ts';
import { withShownPerson } from '../transcript/shown-person.ts';
import { type PolicyInForce, storedDecision } from '../transcript/stored-decision.ts';

export type MaskMetadataParts = Pick<
  DocumentParts,
  'masker' | 'detection' | 'names' | 'keyedHash' | 'textMaxChars' | 'maskingBudgetMs'
> & { policy: PolicyInForce };

/** `away`: the finder of names cannot answer now. A `reason` holds no content. */
export type MaskedMetadata =
  | { kind: 'masked'; documents: readonly Masked<ExchangeDocument>[] }
  | { kind: 'failed'; reason: string }
  | { kind: 'away'; reason: string };

/** By the detectors of now, over what those of then left. What is masked stays so. */
export async function maskMetadata(
  documents: readonly Masked<ExchangeDocument>[],
  parts: MaskMetadataParts,
): Promise<MaskedMetadata> {
  const { masker, names, keyedHash, textMaxChars, policy } = parts;
  const time = new TimeBudget(parts.maskingBudgetMs);
  const inForce = parts.detection();
  const masked: Masked<ExchangeDocument>[] = [];
  for (const stored of documents) {
    const { masking, privacy } = storedDecision(stored, policy);
    const document = withShownPerson(stored, privacy, keyedHash);
    let detection: OwnDetection;
    try {
      detection = await detectionWithNames(names, document, inForce);
    } catch (thrown) {
      return { kind: 'away', reason: reasonOf(thrown) };
    }
    try {
      masked.push(maskDocument(document, masker, textMaxChars, masking, detection, time));
    } catch (thrown) {
      return { kind: 'failed', reason: reasonOf(thrown) };
    }
  }
  return { kind: 'masked', documents: masked };
}
