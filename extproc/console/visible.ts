/** Lists of which a person may see a part: page by page, with a cursor that says nothing of the rest. */
import { setImmediate } from 'node:timers/promises';
import type { Person } from './person.ts';
import { Seal } from './seal.ts';

/**
 * @property name of the list, with whatever decides what is in it
 * @property read what comes behind an id, or the first ones
 */
export type LongList<Item> = {
  name: string;
  idOf(item: Item): string;
  read(after: string | undefined, limit: number): Item[];
  isVisible(item: Item): boolean;
};

/** `next`: the cursor of what comes next; null: that was all. */
export type Visible<Item> = { items: Item[]; next: string | null };

/** Of so many at once it is asked whether a person may see them (inv. 10). */
const scannedMax = 500;
const scannedAtOnce = 100;

/**
 * The place where a page ended may be one of a thing that the person may not see, so a cursor is sealed: for this person,
 * this list and this process.
 */
export class VisiblePages {
  readonly #seal = new Seal();

  /** Null for a cursor that is none of this list. */
  async page<Item>(
    person: Person,
    list: LongList<Item>,
    limit: number,
    cursor?: string,
  ): Promise<Visible<Item> | null> {
    const purpose = JSON.stringify([list.name, person.identity.issuer, person.identity.subject]);
    const after = cursor === undefined ? undefined : this.#seal.open(cursor, purpose);
    if (after === null) return null;
    const { items, last } = await scan(list, limit, after);
    return { items, next: last === null ? null : this.#seal.close(last, purpose) };
  }
}

/** `last`: the id behind which there may be more. */
async function scan<Item>(
  { idOf, read, isVisible }: LongList<Item>,
  limit: number,
  after: string | undefined,
): Promise<{ items: Item[]; last: string | null }> {
  const items: Item[] = [];
  let last = after;
  for (let scanned = 0; scanned < scannedMax; scanned += scannedAtOnce) {
    const found = read(last, scannedAtOnce);
    for (const item of found) {
      if (items.length === limit) return { items, last: last ?? null };
      last = idOf(item);
      if (isVisible(item)) items.push(item);
    }
    if (found.length < scannedAtOnce) return { items, last: null };
    // Others are answered in between.
    await setImmediate();
  }
  return { items, last: last ?? null };
}
