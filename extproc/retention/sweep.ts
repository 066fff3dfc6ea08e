/** Carries out a plan, store by store, and leaves a receipt. What cannot be done now is in the receipt, and in the next plan. */
import { randomUUID } from 'node:crypto';
import { SkilltapeError } from '../errors.ts';
import type { Pending } from './erase.ts';
import { familyOf, isFamilyStore } from './families.ts';
import { gather, openStores, type Stores } from './gather.ts';
import { heldAmong, heldSessions } from './held-among.ts';
import { type Hold, indexedDaysOf, matchingOf } from './hold.ts';
import type { Asked, RetentionParts } from './parts.ts';
import { type Plan, planRetention, type Step } from './plan.ts';
import type { SweepEnded } from './receipts.ts';

/** What would happen now; changes nothing. `away`: stores that cannot be asked. */
export async function planNow(parts: RetentionParts): Promise<Plan & { away: Record<string, string> }> {
  const stores = await openStores(parts);
  try {
    const { input } = await gather(parts, stores);
    return { ...planRetention(input), away: stores.away };
  } finally {
    await stores.close();
  }
}

/**
 * One at a time: the caller has the lock. Whatever ends it in the middle, the next one finds what is done done.
 * @throws SkilltapeError when holds or receipts cannot be read or written; nothing is deleted then
 */
export async function sweep(parts: RetentionParts, { by, reason }: Asked, pending: Pending): Promise<SweepEnded> {
  const run = randomUUID();
  const stores = await openStores(parts);
  try {
    const { input, found } = await gather(parts, stores);
    // Remembered before anything goes: the index may be lost or emptied later.
    for (const [id, days] of found) await parts.holds.cover(id, days);
    const { steps, kept } = planRetention(input);
    // What an index that is away would have had to do is owed from before.
    const left = input.indexDays === null ? input.owed.filter(({ store }) => store === 'index') : [];
    const begun = { timeMs: parts.nowMs(), by, reason, steps: [...steps, ...left] };
    await parts.receipts.append({ kind: 'sweep_begun', run, ...begun });
    const { done, toDo } = await carryOut(parts, stores, steps, input.holds);
    const waiting = left.map((step) => ({ ...step, reason: stores.away.index ?? 'the index is away' }));
    const erasures = await pending.finish(stores);
    return (await parts.receipts.append({
      ...{ kind: 'sweep_ended', run, timeMs: parts.nowMs(), done, kept, toDo: [...toDo, ...waiting] },
      ...{ away: stores.away, sums: sumsOf(done), erasures },
    })) as SweepEnded;
  } finally {
    await stores.close();
  }
}

async function carryOut(
  parts: RetentionParts,
  stores: Stores,
  steps: readonly Step[],
  holds: readonly Hold[],
): Promise<Pick<SweepEnded, 'done' | 'toDo'>> {
  const done: SweepEnded['done'] = [];
  const toDo: SweepEnded['toDo'] = [];
  for (const step of steps) {
    try {
      const waiting = toDo.find((other) => isJudgedBy(step, other));
      if (waiting !== undefined) throw stillNeeded(waiting);
      done.push({ ...step, ...(await carryOutOne(parts, stores, step, holds)) });
    } catch (thrown) {
      // One day that cannot go now must not keep the others.
      toDo.push({ ...step, reason: SkilltapeError.from(thrown).message.slice(0, reasonMaxChars) });
    }
  }
  return { done, toDo };
}

const reasonMaxChars = 500;

/** What of a family is held is told by its documents: without them all of it would stay as long as the hold does. */
function isJudgedBy(documents: Step, family: Step): boolean {
  if (documents.store !== 'index' || documents.action !== 'delete' || !isFamilyStore(family.store)) return false;
  const isOfClass = documents.retentionClass === family.retentionClass;
  return isOfClass && family.holds !== undefined && indexedDaysOf(family.day).includes(documents.day);
}

function stillNeeded({ store, day }: Step): SkilltapeError {
  return new SkilltapeError('index_failed', `it says what of ${store} ${day} is held, which could not go yet`);
}

async function carryOutOne(
  parts: RetentionParts,
  { index, reveal, away }: Stores,
  step: Step,
  holds: readonly Hold[],
): Promise<Pick<SweepEnded['done'][number], 'items' | 'bytes' | 'held'>> {
  const reason = `retention: ${step.because}`;
  switch (step.store) {
    case 'archive':
    case 'metadata':
    case 'held':
    case 'held_metadata': {
      const family = familyOf({ ...step, store: step.store });
      const isKeptByHolds = step.store === 'held' || step.store === 'held_metadata';
      if (!isKeptByHolds && step.action === 'delete') {
        const { exchanges, bytes } = await parts.archive.delete(family, reason);
        return { items: exchanges, bytes };
      }
      const heldOf = heldAmong(step.holds === undefined ? [] : holds, index, parts.idsOf);
      const { exchanges, bytes, held } = await parts.archive.thin(family, heldOf, reason);
      return { items: exchanges, bytes: Math.max(0, bytes), ...(held.exchanges > 0 && { held }) };
    }
    case 'index': {
      if (index === null) throw new SkilltapeError('index_failed', away.index ?? 'the index is away');
      const except = step.holds === undefined ? [] : holds.map(({ scope }) => matchingOf(scope, parts.idsOf));
      const items = step.action === 'reduce' ? await index.reduce(step, except) : await index.remove(step, except);
      return { items, bytes: 0 };
    }
    case 'reveal': {
      if (step.holds === undefined) return { items: reveal.remove(step), bytes: 0 };
      if (index === null) throw new SkilltapeError('index_failed', away.index ?? 'the index is away');
      const sessions = reveal.sessions(step).map(({ session }) => session);
      const { idsOf } = parts;
      return { items: reveal.remove(step, await heldSessions(sessions, holds, index, { ...step, idsOf })), bytes: 0 };
    }
    default:
      return step.store satisfies never;
  }
}

function sumsOf(done: SweepEnded['done']): SweepEnded['sums'] {
  const sums: SweepEnded['sums'] = {};
  for (const { store, action, items, bytes } of done) {
    const name = action === 'reduce' ? `${store} reduced` : store;
    const sum = sums[name] ?? { items: 0, bytes: 0 };
    sums[name] = { items: sum.items + items, bytes: sum.bytes + bytes };
  }
  return sums;
}
