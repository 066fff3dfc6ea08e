/** Stores that are families of the archive: the exchanges of a day or their metadata, as written or as holds kept them. */
import { classOfChain, isOfMetadata, metadataChainOf } from '../archive/chain-name.ts';
import type { Family } from '../archive/deletion.ts';
import type { DayOfClass } from '../index/retention.ts';
import type { PlannedFamily, Store } from './plan.ts';

export type FamilyStore = Exclude<Store, 'index' | 'reveal'>;

export function isFamilyStore(store: Store): store is FamilyStore {
  return store !== 'index' && store !== 'reveal';
}

/** As the archive names it. */
export function familyOf({ store, retentionClass, day }: DayOfClass & { store: FamilyStore }): Family {
  const isMetadata = store === 'metadata' || store === 'held_metadata';
  return { retentionClass: isMetadata ? metadataChainOf(retentionClass) : retentionClass, day };
}

export function isMetadataFamily({ retentionClass }: Pick<PlannedFamily, 'retentionClass'>): boolean {
  return isOfMetadata(retentionClass);
}

/** As every other store names it. */
export function dayOfFamily({ retentionClass, day }: Family): DayOfClass {
  return { retentionClass: classOfChain(retentionClass), day };
}
