import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { createPolicyEngine } from '../../extproc/policy/engine.ts';
import type { AccessInput, RecordInput, RequestInput } from '../../extproc/policy/input.ts';
import { seededRandom } from '../bench/statistics.ts';
import { bundleWithLists } from './directory.ts';
import {
  accessVariants,
  claudeFacts,
  recordDocument,
  recordVariants,
  requestDocument,
  requestVariants,
  totalsFacts,
} from './documents.ts';

/** Lists that look at more than the shipped ones, all at once. */
const watchful: Readonly<Record<string, object>> = {
  sizes: {
    rules: [
      { effect: 'deny', messages: 4, text_bytes: 100 },
      { effect: 'hold', max_tokens: 2000, files: 0 },
    ],
  },
  budgets: { rules: [{ effect: 'deny', per_day: { requests: 11 }, per_minute: { requests: 5 } }] },
  findings: { rules: [{ effect: 'hold', types: ['SECRET'] }] },
  working_hours: { rules: [{ time_zone: 'UTC', days: ['mon', 'fri'], from: '00:00', to: '12:00' }] },
  required_tags: { rules: [{ when: { endpoints: ['messages.*'] }, tag: 'project', values: ['apollo', 'x'] }] },
  privacy: { rules: [{ when: { tags: ['project=apollo'] }, person: 'pseudonym' }] },
  recording: { default: 'full', rules: [{ when: { groups: ['hr'] }, keep: 'metadata' }] },
};

const prompting = {
  prompts: { rules: [{ effect: 'hold', phrases: ['the plan'], when: { groups: ['staff'] } }] },
};

type Pick = <T>(list: readonly T[]) => T;

/** Something else in one or two fields, so that many differ in what some rules look at and many in what none does. */
function varied<Input extends AccessInput>(input: Input, pick: Pick): Input {
  const { request } = input;
  const changes: (() => Partial<AccessInput & RequestInput>)[] = [
    () => ({ time: pick(['2026-01-02T03:04:05.678Z', '2026-01-05T18:00:00.000Z']) }),
    () => {
      const [weekday, minute_of_day] = [pick(['mon', 'fri', 'sun'] as const), pick([0, 600, 1200])];
      return { clock: { UTC: { date: '2026-01-02', weekday, hour: 0, minute: 0, minute_of_day } } };
    },
    () => ({ request: { ...request, content_length: pick([null, 0, 1, 500]), path: pick(['/v1/messages', '/x']) } }),
    () => ({ request: { ...request, tags: pick([{}, { project: 'apollo' }, { project: 'y', other: 'x' }]) } }),
    () => ({
      identity: input.identity && { ...input.identity, groups: pick([[], ['staff'], ['hr'], ['suspended', 'staff']]) },
    }),
    () => ({ source: { address: pick(['192.0.2.7', '198.51.100.1']) } }),
    () => ({
      grants: pick([[], [{ id: 'g', kind: 'break_glass' as const, skill: '', model: '', until: '2026-02-01' }]]),
    }),
    () => ({
      owners: pick([
        [],
        [{ kind: 'file' as const, owner: pick(['mine', 'others', 'unknown'] as const), count: pick([1, 2]) }],
      ]),
    }),
  ];
  const ofBody: typeof changes = [
    () => ({
      claude: claudeFacts({
        text_bytes: pick([1, 99, 101]),
        message_count: pick([1, 5]),
        max_tokens: pick([null, 10, 3000]),
      }),
    }),
    () => ({
      claude: claudeFacts({ model: pick(['claude-opus-5-5', 'gpt-x']), tool_names: pick([[], ['bash'], ['x', 'y']]) }),
    }),
    () => ({ totals: totalsFacts({ requests: pick([1, 10, 12]) }) }),
    () => ({
      findings: pick([[], [{ type: 'SECRET' as const, place: 'messages' as const, count: 1 }]]),
      findings_complete: pick([true, false]),
    }),
    () => ({
      body: {
        bytes: pick([0, 5]),
        decoded_bytes: pick([0, 5]),
        codings: [],
        status: pick(['parsed', 'empty'] as const),
        fault: '',
      },
    }),
  ];
  const possible = 'body' in input ? [...changes, ...ofBody] : changes;
  return { ...input, ...pick(possible)(), ...pick(possible)() };
}

const excerpts = ['what does the plan say', 'something else', ''];

for (const [name, lists] of Object.entries({ shipped: {}, watchful, prompting })) {
  test(`verdicts that are given again are those that would be reckoned of the whole input, by the ${name} lists`, async (t) => {
    const bundle = await bundleWithLists(t, lists);
    const remembering = await createPolicyEngine(bundle);
    const looks = { access: 'whole', request: 'whole', record: 'whole', console: 'whole' } as const;
    const reckoning = await createPolicyEngine({ ...bundle, looks }, { remembers: false });
    const seed = randomInt(2 ** 32);
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    const pick: Pick = (list) => list[Math.floor(random() * list.length)] as (typeof list)[number];
    const [accesses, requests, records] = [accessVariants(), requestVariants(), recordVariants()];
    const verdicts = new Set<string>();
    for (let round = 0; round < 3_000; round += 1) {
      const access = varied(pick(round % 2 === 0 ? accesses.slice(0, 1) : accesses), pick);
      assert.deepEqual(remembering.access(access), reckoning.access(access));
      const excerpt = { text: pick(excerpts), complete: pick([true, false]) };
      const request = varied({ ...pick(round % 2 === 0 ? [requestDocument()] : requests), excerpt }, pick);
      const verdict = reckoning.request(request);
      assert.deepEqual(remembering.request(request), verdict);
      verdicts.add(verdict.verdict);
      const record: RecordInput = varied(pick(round % 2 === 0 ? [recordDocument()] : records), pick);
      assert.deepEqual(remembering.record(record), reckoning.record(record));
    }
    assert.ok(verdicts.has('allow') && verdicts.has('deny'));
  });
}

test('ordinary requests of a caller differ in nothing that the shipped rules look at', async (t) => {
  const engine = await createPolicyEngine(await bundleWithLists(t, {}));
  const later = {
    time: '2026-01-02T09:10:11.121Z',
    clock: { UTC: { date: '2026-01-02', weekday: 'fri', hour: 9, minute: 10, minute_of_day: 550 } } as const,
    request: { ...requestDocument().request, content_length: 2048, path: '/v1/messages?beta=true' },
  };
  const claude = claudeFacts({ message_count: 9, new_message_count: 2, max_tokens: 64, text_bytes: 5_000 });
  const body = { ...requestDocument().body, bytes: 2048, decoded_bytes: 2048 };
  const { answer } = recordDocument();
  assert.equal(engine.access(requestDocument(later)), engine.access(requestDocument()));
  assert.equal(engine.request(requestDocument({ ...later, claude, body })), engine.request(requestDocument()));
  assert.equal(
    engine.record(recordDocument({ ...later, claude, body, answer: { ...answer, output_tokens: 900 } })),
    engine.record(recordDocument()),
  );
  const other = requestDocument({ claude: claudeFacts({ model: 'claude-sonnet-4-5' }) });
  assert.notEqual(engine.request(other), engine.request(requestDocument()));
});
