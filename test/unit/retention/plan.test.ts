import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hold, HoldScope } from '../../../extproc/retention/hold.ts';
import { type PlanInput, planRetention } from '../../../extproc/retention/plan.ts';

const dayMs = 86_400_000;
const firstMs = Date.UTC(2026, 0, 1);
const day = (number: number) => new Date(firstMs + number * dayMs).toISOString().slice(0, 10);
const classes = new Map([
  ['brief', { contentDays: 3, metadataDays: 8 }],
  ['standard', { contentDays: 10, metadataDays: 20 }],
]);
const rules = {
  classes,
  byDefault: { contentDays: 30, metadataDays: 365 },
  ...{ diskBudgetPercent: 70, contentFloorDays: 2 },
};

function holdOf(scope: HoldScope, covered: Hold['covered'] = []): Hold {
  return { id: 'hold-1', scope, addedMs: 0, by: 'ops', reason: 'a case', covered, released: null };
}

function inputOf(overrides: Partial<PlanInput> = {}): PlanInput {
  return {
    ...{ nowMs: firstMs + 40 * dayMs, rules, families: [], indexDays: [], revealDays: [] },
    ...{ heldFamilies: [], indexHeldDays: [], revealHeldDays: [], isHoldReleased: () => false },
    ...{ holds: [], owed: [], disk: null, ...overrides },
  };
}

const family = (number: number, retentionClass = 'standard') => {
  return { retentionClass, day: day(number), isOurs: true, segments: 1, bytes: 100 };
};
const indexed = (number: number, retentionClass = 'standard') => {
  return { retentionClass, day: day(number), documents: 4, withContent: 4 };
};

/** Whether the index has a document of a day that it may be of; a hold by time alone needs none. */
function isKnown(
  step: { retentionClass: string; day: string },
  indexDays: readonly { retentionClass: string; day: string }[],
  holds: readonly Hold[],
): boolean {
  const backs = [0, 1, 2].map((back) => day((Date.parse(step.day) - firstMs) / dayMs - back));
  const has = indexDays.some((one) => one.retentionClass === step.retentionClass && backs.includes(one.day));
  return has || holds.every(({ scope }) => scope.session === undefined);
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

test('whatever there is, what is planned is due and free, what is due is planned or said to be kept, and why', () => {
  const firstSeed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  for (let seed = firstSeed; seed < firstSeed + 400; seed += 1) {
    const random = randomOf(seed);
    const numbers = Array.from({ length: 40 }, (_, at) => at).filter(() => random(3) > 0);
    const name = () => ['brief', 'standard', 'other'][random(3)] ?? '';
    const families = numbers.map((number) => ({ ...family(number, name()), isOurs: random(8) > 0 }));
    const indexDays = numbers.map((number) => ({ ...indexed(number, name()), withContent: random(2) * 4 }));
    const indexHeldDays = indexDays.map((one) => {
      return { ...one, documents: random(5), withContent: Math.min(one.withContent, random(5)) };
    });
    const heldFamilies = numbers.filter(() => random(3) === 0).map((number) => family(number, name()));
    const revealDays = numbers.map((number) => ({ retentionClass: name(), day: day(number), values: 1 + random(5) }));
    const revealHeldDays = revealDays.flatMap((one) =>
      random(2) === 0 ? [{ ...one, values: random(one.values + 1) }] : [],
    );
    const isReleased = random(2) === 0;
    const from = random(40);
    const holds = [
      ...(random(2) === 0
        ? [holdOf({ fromMs: firstMs + from * dayMs, toMs: firstMs + (from + random(5)) * dayMs + 1 })]
        : []),
      ...(random(2) === 0 ? [holdOf({ session: 's' }, [{ retentionClass: name(), day: day(random(40)) }])] : []),
    ];
    const disk = random(2) === 0 ? { sizeBytes: 1_000, usedBytes: 600 + random(400) } : null;
    const input = inputOf({
      nowMs: firstMs + random(50) * dayMs + random(dayMs),
      families,
      heldFamilies,
      indexDays,
      indexHeldDays,
      isHoldReleased: () => isReleased,
      revealDays,
      revealHeldDays,
      holds,
      disk,
    });
    const { steps, kept, budget } = planRetention(input);
    const told = `seed ${seed}`;
    for (const step of steps) {
      const { contentDays, metadataDays } = classes.get(step.retentionClass) ?? rules.byDefault;
      const endMs = Date.parse(step.day) + dayMs;
      const keptDays = { content_expired: contentDays, metadata_expired: metadataDays, disk_budget: 2 }[step.because];
      assert.ok(endMs + keptDays * dayMs <= input.nowMs, `${told}: ${JSON.stringify(step)} is early`);
      assert.ok(step.because !== 'disk_budget' || (disk !== null && disk.usedBytes > 700), told);
      assert.equal(step.action === 'move', step.store === 'archive' && step.holds !== undefined, told);
      if (step.holds !== undefined) {
        // It goes around them, and only where it can be told what they cover.
        assert.ok(step.holds.length > 0, told);
        const isTold = revealHeldDays.some((one) => one.retentionClass === step.retentionClass && one.day === step.day);
        assert.ok(step.store !== 'reveal' || isTold, `${told}: nobody can say which values are held`);
        assert.ok(step.store === 'index' || isKnown(step, indexDays, holds), `${told}: what is held is not known`);
        continue;
      }
      for (const { scope, covered } of holds) {
        const late = step.store === 'index' ? 0 : 2;
        const heldDays = [0, 1, 2]
          .slice(0, late + 1)
          .map((back) => day((Date.parse(step.day) - firstMs) / dayMs - back));
        if (scope.session !== undefined)
          assert.ok(
            !covered.some((one) => one.retentionClass === step.retentionClass && heldDays.includes(one.day)),
            told,
          );
        else {
          const [beganMs, untilMs] = [Date.parse(heldDays.at(-1) ?? ''), endMs];
          assert.ok((scope.toMs ?? 0) <= beganMs || (scope.fromMs ?? 0) >= untilMs, `${told}: held by time`);
        }
      }
    }
    const nameOf = ({ store, ...one }: { store: string; retentionClass: string; day: string }) =>
      `${store} ${one.retentionClass} ${one.day}`;
    const named = [...steps, ...kept].map(nameOf);
    for (const list of [steps, kept])
      assert.equal(
        new Set(list.map(nameOf)).size,
        new Set(list.map((one) => JSON.stringify(one))).size,
        `${told}: twice`,
      );
    // What goes around a hold of the index, or of what was moved, is kept in part.
    for (const one of steps.filter((step) => kept.some((other) => nameOf(other) === nameOf(step))))
      assert.ok(one.holds !== undefined && one.action !== 'move', `${told}: ${nameOf(one)} goes and is kept`);
    for (const { retentionClass, day: at } of families) {
      const { contentDays } = classes.get(retentionClass) ?? rules.byDefault;
      if (Date.parse(at) + (1 + contentDays) * dayMs > input.nowMs) continue;
      assert.ok(named.includes(`archive ${retentionClass} ${at}`), `${told}: ${retentionClass} ${at} is forgotten`);
    }
    for (const { retentionClass, day: at } of heldFamilies) {
      const { contentDays } = classes.get(retentionClass) ?? rules.byDefault;
      if (Date.parse(at) + (1 + contentDays) * dayMs > input.nowMs) continue;
      assert.ok(named.includes(`held ${retentionClass} ${at}`), `${told}: held ${retentionClass} ${at} is forgotten`);
    }
    for (const { retentionClass, day: at, withContent } of indexDays) {
      const { contentDays, metadataDays } = classes.get(retentionClass) ?? rules.byDefault;
      const dueDays = withContent > 0 ? contentDays : metadataDays;
      if (Date.parse(at) + (1 + dueDays) * dayMs > input.nowMs) continue;
      assert.ok(named.includes(`index ${retentionClass} ${at}`), `${told}: index ${retentionClass} ${at} is forgotten`);
    }
    if (budget !== null && !budget.isMet) assert.ok(disk !== null && disk.usedBytes - budget.freedBytes > 700, told);
  }
});

test('content goes before its time only where the volume is too full, the oldest first, and never below the floor', () => {
  const nowMs = firstMs + 5 * dayMs;
  const there = { nowMs, families: [0, 1, 2, 3].map((number) => family(number)), indexDays: [indexed(0), indexed(1)] };
  const planned = (usedBytes: number) => planRetention(inputOf({ ...there, disk: { sizeBytes: 1_000, usedBytes } }));
  assert.deepEqual(planned(700).steps, []);
  assert.deepEqual(
    planned(750).steps.map(({ store, action, day: at, because }) => [store, action, at, because]),
    [
      ['archive', 'delete', day(0), 'disk_budget'],
      ['index', 'reduce', day(0), 'disk_budget'],
    ],
  );
  const full = planned(1_000);
  assert.deepEqual(
    full.steps.filter(({ store }) => store === 'archive').map(({ day: at }) => at),
    [day(0), day(1), day(2)],
  );
  assert.deepEqual([full.budget?.isMet, planned(1_001).budget?.isMet], [true, false]);
});

test('a hold by person, session or connection keeps the archive where the index cannot say what is of it', () => {
  const hold = holdOf({ connection: 'claude' });
  const families = [family(0)];
  const unknown = (indexDays: PlanInput['indexDays']) =>
    planRetention(inputOf({ families, holds: [hold], indexDays })).kept.map(({ store, why }) => [store, why]);
  assert.deepEqual(unknown(null), [['archive', 'hold_unknown']], 'it is away');
  assert.deepEqual(unknown([]), [['archive', 'hold_unknown']], 'it is empty, as one that was lost');
  assert.deepEqual(unknown([indexed(3)]), [['archive', 'hold_unknown']]);
  assert.deepEqual(
    planRetention(inputOf({ families, holds: [hold], indexDays: [{ ...indexed(0), withContent: 0 }] })).steps.length,
    2,
  );
  const byTime = holdOf({ fromMs: firstMs + 10 * dayMs });
  assert.equal(planRetention(inputOf({ families, holds: [byTime], indexDays: null })).steps.length, 1);
});

test('what an earlier sweep could not do is planned again though nothing else asks for it any more', () => {
  const [first] = planRetention(
    inputOf({
      nowMs: firstMs + 5 * dayMs,
      families: [family(0)],
      indexDays: [indexed(0)],
      disk: { sizeBytes: 100, usedBytes: 90 },
    }),
  ).steps.filter(({ store }) => store === 'index');
  assert.ok(first !== undefined && first.because === 'disk_budget');
  const again = { nowMs: firstMs + 5 * dayMs, indexDays: [indexed(0)], owed: [first] };
  assert.deepEqual(planRetention(inputOf(again)).steps, [first]);
  assert.deepEqual(planRetention(inputOf({ ...again, indexDays: [{ ...indexed(0), withContent: 0 }] })).steps, []);
  const held = planRetention(inputOf({ ...again, holds: [holdOf({ fromMs: 0 })], indexHeldDays: [indexed(0)] }));
  assert.deepEqual([held.steps, held.kept.map(({ why }) => why)], [[], ['held']]);
});
