/** Looks at every store: what there is, and what of it is held. */
import { SkilltapeError } from '../errors.ts';
import type { DayOfClass, IndexDay, IndexRetention } from '../index/retention.ts';
import { dueAtMs } from './days.ts';
import { heldSessions } from './held-among.ts';
import { type Hold, keepsArchived, matchingOf, needsIndex } from './hold.ts';
import type { RetentionParts, RevealStore } from './parts.ts';
import type { PlanInput } from './plan.ts';
import { daysOf } from './rules.ts';

export type Stores = { index: IndexRetention | null; reveal: RevealStore; away: Record<string, string> };

/** An index that is away is no failure: what it has waits, and so does what only it can say. */
export async function openStores(parts: RetentionParts): Promise<Stores & { close(): Promise<void> }> {
  const reveal = parts.openReveal();
  const away: Record<string, string> = {};
  let index: IndexRetention | null = null;
  try {
    index = await parts.openIndex();
  } catch (thrown) {
    away.index = SkilltapeError.from(thrown).message;
  }
  const close = async () => {
    reveal.close();
    await index?.close();
  };
  return { index, reveal, away, close };
}

export type Gathered = { input: PlanInput; found: Map<string, DayOfClass[]> };

/** `found`: the days of each hold that the index tells of now, by its id. */
export async function gather(parts: RetentionParts, stores: Stores): Promise<Gathered> {
  const { rules, receipts, holds } = parts;
  const inForce = holds.inForce();
  const asked = await askIndex(parts, stores, inForce);
  const known = inForce.map((hold) => ({ ...hold, covered: [...hold.covered, ...(asked.found.get(hold.id) ?? [])] }));
  const lookedThroughMs = receipts.lookedThroughMs();
  const released = holds.list().flatMap((hold) => hold.released ?? []);
  const input: PlanInput = {
    ...{ nowMs: parts.nowMs(), rules, families: await parts.archive.families(), indexDays: asked.days },
    ...{ heldFamilies: await parts.archive.heldFamilies(), indexHeldDays: asked.heldDays },
    isHoldReleased: (of) => released.some(({ timeMs }) => timeMs >= lookedThroughMs(of)),
    revealHeldDays: await heldValues(parts, stores, known),
    ...{ revealDays: stores.reveal.days(), holds: known, owed: receipts.owed(), disk: parts.disk() },
  };
  return { input, found: asked.found };
}

/** Of those days alone whose values are due and may be held. */
async function heldValues(
  { rules, nowMs, idsOf }: RetentionParts,
  { index, reveal, away }: Stores,
  holds: readonly Hold[],
): Promise<PlanInput['revealHeldDays']> {
  const held: (DayOfClass & { values: number })[] = [];
  if (index === null || away.index !== undefined) return held;
  try {
    for (const { retentionClass, day } of reveal.days()) {
      const of = { retentionClass, day };
      if (dueAtMs(day, daysOf(rules, retentionClass).contentDays) > nowMs()) continue;
      if (!holds.some((hold) => keepsArchived(hold, of))) continue;
      const all = reveal.sessions(of);
      const names = all.map(({ session }) => session);
      const kept = await heldSessions(names, holds, index, { idsOf, day });
      const values = all.reduce((sum, one) => sum + (kept.has(one.session) ? one.values : 0), 0);
      held.push({ ...of, values });
    }
  } catch (thrown) {
    away.index = SkilltapeError.from(thrown).message;
  }
  return held;
}

async function askIndex(
  { idsOf }: RetentionParts,
  stores: Stores,
  holds: readonly Hold[],
): Promise<{ days: IndexDay[] | null; heldDays: IndexDay[]; found: Map<string, DayOfClass[]> }> {
  const { index, away } = stores;
  if (index === null) return { days: null, heldDays: [], found: new Map() };
  try {
    const days = await index.days();
    const found = new Map<string, DayOfClass[]>();
    for (const { id, scope } of holds) {
      if (needsIndex(scope)) found.set(id, await index.daysWith(matchingOf(scope, idsOf)));
    }
    const heldDays =
      holds.length === 0 ? [] : await index.matchingDays(holds.map(({ scope }) => matchingOf(scope, idsOf)));
    return { days, heldDays, found };
  } catch (thrown) {
    away.index = SkilltapeError.from(thrown).message;
    return { days: null, heldDays: [], found: new Map() };
  }
}
