import type { Unopened } from '../archive/segment-reader.ts';
import type { Config } from '../config/config.ts';
import type { ShipMemory } from '../index/memory.ts';
import type { Masked } from '../masking/masked.ts';
import type { Masker } from '../masking/masker.ts';
import { documentsLeftOf, transcriptOf } from '../remask/archived-exchanges.ts';
import { maskAgain } from '../remask/mask-again.ts';
import { maskMetadata } from '../remask/mask-metadata.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { archiveOf } from './archive-of.ts';
import { documentPartsOf } from './recorded-of.ts';

/** `unreadable.reason` holds no content. `left`: its content is gone, and these are what is left. */
export type ArchivedLook =
  | { kind: 'found' | 'left'; documents: readonly Masked<ExchangeDocument>[] }
  | { kind: 'absent' }
  | { kind: 'erased' }
  | { kind: 'unreadable'; reason: string };

/** One exchange of the archive, masked by the policies of now. */
export type OpenArchived = (exchangeId: string) => Promise<ArchivedLook>;

/**
 * For whoever has the master key. Index and memory are not asked: where they are lost this is the way that is left, and
 * an exchange that stands alone has its whole history in it.
 */
export function archivedOf(config: () => Config, masker: () => Masker): OpenArchived {
  return async (exchangeId) => {
    const archive = archiveOf(config());
    try {
      const outcome = await archive.read(exchangeId);
      if (outcome.kind === 'absent') return await leftOf(config(), masker, exchangeId);
      if (outcome.kind === 'unopened') return unopened(outcome.why);
      const transcript = await transcriptOf(outcome.exchange);
      if (transcript === null) return { kind: 'unreadable', reason: 'its records are not whole' };
      const { parts } = await documentPartsOf(config(), masker);
      const memory = nothingRemembered(outcome.exchange.at.retentionClass);
      const masked = await maskAgain(transcript, null, { ...parts, memory });
      return masked.kind === 'masked'
        ? { kind: 'found', documents: masked.documents }
        : { kind: 'unreadable', reason: masked.reason };
    } finally {
      await archive.close();
    }
  };
}

async function leftOf(config: Config, masker: () => Masker, exchangeId: string): Promise<ArchivedLook> {
  const archive = archiveOf(config, 'metadata');
  try {
    const outcome = await archive.read(exchangeId);
    if (outcome.kind === 'absent') return outcome;
    if (outcome.kind === 'unopened') return unopened(outcome.why);
    const documents = await documentsLeftOf(outcome.exchange);
    if (documents === null)
      return { kind: 'unreadable', reason: 'what is left of it is not as this version writes it' };
    const { parts } = await documentPartsOf(config, masker);
    const masked = await maskMetadata(documents, parts);
    return masked.kind === 'masked'
      ? { kind: 'left', documents: masked.documents }
      : { kind: 'unreadable', reason: masked.reason };
  } finally {
    await archive.close();
  }
}

function unopened(why: Unopened): ArchivedLook {
  return why.kind === 'erased' ? why : { kind: 'unreadable', reason: why.reason };
}

/** The class is the one that it was archived with. */
function nothingRemembered(
  retentionClass: string,
): Pick<ShipMemory, 'turns' | 'links' | 'retentionClassOf' | 'remember'> {
  return {
    turns: { firstSeenBy: () => null },
    links: { find: () => null },
    retentionClassOf: () => retentionClass,
    remember: () => {},
  };
}
