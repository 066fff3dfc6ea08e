import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ArchivedExchange } from '../../../extproc/archive/options.ts';
import { observedTogether } from '../../../extproc/exchange/judging.ts';
import { type Decided, encodeRecord, type RecordBody } from '../../../extproc/exchange/record.ts';
import { bothOf } from '../../../extproc/exchange/verdicts.ts';
import { wallClocks } from '../../../extproc/exchange/wall-clock.ts';
import { compilePolicies } from '../../../extproc/policy/compile.ts';
import { createPolicyEngine, type PolicyEngine } from '../../../extproc/policy/engine.ts';
import { type AccessInput, accessInput, type RequestInput } from '../../../extproc/policy/input.ts';
import { judgedRequestsOf } from '../../../extproc/whatif/judged-requests.ts';
import { type Change, changesMax, type WhatIf, whatIf } from '../../../extproc/whatif/what-if.ts';
import { FakeFileSystem, seededRandom } from '../../fakes/file-system.ts';
import { policyDirectory } from '../../policy/directory.ts';
import { accessVariants, claudeFacts, requestDocument, requestVariants } from '../../policy/documents.ts';
import { opaBinary, policiesDirectory } from '../../policy/opa.ts';
import { archiveOn, day, eve, exchangeIdOf } from '../archive/rig.ts';
import { finishedOf, startedOf } from '../transcript/example.ts';

const always = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

/** Stricter than what is shipped, so that all verdicts occur. */
const strict = {
  'lists/deny/data.json': {
    ...{ subjects: ['u-3'], emails: [], groups: ['suspended'], models: { names: [], prefixes: ['claude-mythos-'] } },
    ...{ tools: { names: ['computer'], type_prefixes: [] }, skills: { ids: ['xlsx'], types: [] } },
    uploads: { extensions: ['exe'] },
  },
  'lists/sizes/data.json': {
    rules: [
      { effect: 'hold', text_bytes: 50 },
      { effect: 'deny', text_bytes: 90 },
    ],
  },
  'lists/working_hours/data.json': {
    rules: [
      { time_zone: 'Europe/Zurich', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], from: '04:00', to: '23:00' },
    ],
  },
};

async function engineWith(t: TestContext, lists: Record<string, unknown>): Promise<PolicyEngine> {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  for (const [path, content] of Object.entries(lists)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), JSON.stringify(content));
  }
  return createPolicyEngine(await compilePolicies({ opaBinary: opaBinary(), directory }));
}

/** Inputs of every form, by many persons at many times. */
function generated(count: number, seed: number): RequestInput[] {
  const random = seededRandom(seed);
  const any = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const requests = requestVariants();
  const accesses = accessVariants();
  return Array.from({ length: count }, () => {
    const base = random() < 0.3 ? { ...requestDocument(), ...any(accesses) } : any(requests);
    const time = new Date(day + Math.floor(random() * 14 * 86_400_000)).toISOString();
    const model = any(['claude-opus-5-5', 'claude-opus-5-5', 'claude-mythos-1', 'claude-haiku-5']);
    const identity = base.identity && { ...base.identity, subject: `u-${Math.floor(random() * 6)}` };
    const claude =
      base.claude &&
      claudeFacts({ model, tool_names: [any(['bash', 'bash', 'computer'])], text_bytes: Math.floor(random() * 100) });
    const connection = { ...base.connection, name: any(['claude', 'sandbox']) };
    return { ...base, time, identity, claude, connection };
  });
}

type Judged = { decided: Decided; access: ReturnType<PolicyEngine['access']> };

/** As an exchange asks both stages. */
function live(engine: PolicyEngine, unclocked: RequestInput): Judged {
  const input = { ...unclocked, clock: wallClocks(Date.parse(unclocked.time), engine.timeZones) };
  const part = Object.fromEntries(Object.keys(accessInput.shape).map((key) => [key, input[key as keyof AccessInput]]));
  const access = engine.access(part as AccessInput);
  const rest = { policyRevision: engine.revision, session: null };
  if (access.verdict === 'deny') {
    const { verdict, reasons } = access;
    const observed = access.observed && { observed: access.observed };
    return { access, decided: { stage: 'access', verdict, reasons, ...observed, ...rest, input: part } };
  }
  const judged = engine.request(input);
  const { verdict, reasons } = bothOf(access.verdict === 'hold' ? access : null, judged);
  const observed = observedTogether(access.observed, judged.observed);
  const decided = { stage: 'request' as const, verdict, reasons, ...(observed && { observed }), ...rest, input };
  return { access, decided };
}

function recordsOf(number: number, decided: Decided | null, input: RequestInput): Buffer[] {
  const exchangeId = exchangeIdOf(number);
  const identity = input.identity && { ...input.identity, groups: [...input.identity.groups] };
  const bodies: RecordBody[] = [
    { kind: 'started', started: startedOf({ identity, connection: input.connection.name }) },
    { kind: 'request_body', bytes: Buffer.from(`{"prompt":"PLANTED ${number}"}`) },
    ...(decided === null ? [] : [{ kind: 'decided' as const, decided }]),
    { kind: 'finished', finished: finishedOf() },
  ];
  return bodies.map((body) => Buffer.concat(encodeRecord({ exchangeId, timeMs: day, ...body })));
}

/** The first half in an archive, the second in a journal. */
async function recorded(all: readonly Buffer[][]) {
  const { open, reader } = archiveOn(new FakeFileSystem());
  const archive = open();
  const half = Math.floor(all.length / 2);
  await archive.archive(
    all.slice(0, half).map(
      (payloads, number): ArchivedExchange => ({
        ...{ exchangeId: exchangeIdOf(number), place: { journal: 1, segment: 1, offset: number + 1 }, finishedMs: day },
        ...{
          person: eve,
          retentionClass: 'standard',
          documents: [],
          metadata: null,
          async *records() {
            yield* payloads;
          },
        },
      }),
    ),
  );
  const journal = {
    async *read() {
      for (const payloads of all.slice(half))
        for (const payload of payloads)
          yield { position: { segment: 1, offset: 0 }, next: { segment: 1, offset: 0 }, payload };
    },
  };
  return judgedRequestsOf(reader(), [journal]);
}

function compare(requests: Awaited<ReturnType<typeof recorded>>, policy: PolicyEngine): Promise<WhatIf> {
  const shown = ({ subject }: { subject: string }) => subject;
  return whatIf(always, { requests, policy, shown, onProgress: () => {} });
}

test('what a policy would have decided is what it decided when it was observed, for every input and rule', async (t) => {
  const seed = Number(process.env.WHATIF_SEED ?? Date.now() % 1e6);
  const count = Number(process.env.WHATIF_COUNT ?? 600);
  t.diagnostic(`WHATIF_SEED=${seed} WHATIF_COUNT=${count}`);
  const observing = await engineWith(t, {
    ...strict,
    'lists/observe/data.json': { connections: ['claude', 'sandbox'], rules: [] },
  });
  const enforcing = await engineWith(t, strict);
  const inputs = generated(count, seed);
  const judged = inputs.map((input) => live(observing, input));
  const requests = await recorded(judged.map(({ decided }, at) => recordsOf(at, decided, inputs[at] as RequestInput)));
  const [began, used] = [performance.now(), process.cpuUsage()];
  const result = await compare(requests, enforcing);
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const { user, system } = process.cpuUsage(used);
  const busy = seconds((user + system) / 1_000);
  t.diagnostic(`${count} inputs in ${seconds(performance.now() - began)} s, ${busy} s of them busy`);
  assert.deepEqual([result.judged, result.undecided, result.unopened], [count, 0, 0]);
  const expected = judged.flatMap((one, number) => changeOf(one, number, inputs[number] as RequestInput));
  assert.ok(expected.length > count / 10 && expected.length < count);
  assert.equal(result.changed, expected.length);
  const byId = new Map(expected.map((change) => [change.exchangeId, change]));
  const listed = result.changes.map(({ exchangeId }) => byId.get(exchangeId));
  assert.deepEqual(result.changes, listed);
  assert.equal(new Set(listed).size, Math.min(expected.length, changesMax));
  const counts = (rows: { from: string; to: string }[]) => Object.groupBy(rows, ({ from, to }) => `${from} ${to}`);
  const wanted = Object.entries(counts(expected)).map(([step, rows]) => [step, rows?.length]);
  assert.deepEqual(
    new Map(result.byVerdict.map(({ from, to, count: n }) => [`${from} ${to}`, n])),
    new Map(wanted as []),
  );
  assert.deepEqual(wanted.map(([step]) => step).sort(), ['allow deny', 'allow hold']);
});

/** What the record of an observed exchange says would have been. */
function changeOf({ access, decided }: Judged, number: number, { identity }: RequestInput): Change[] {
  const { observed, verdict: from } = decided;
  if (observed === undefined) return [];
  // Where access would have denied, request would not have been asked.
  const asked = access.observed?.verdict === 'deny' ? access.observed : observed;
  const gained = [...new Set(asked.reasons.map(({ rule }) => rule))].sort();
  const person = identity?.subject ?? 'nobody';
  // What is enforced whatever is observed denied it then, and does now.
  if (from === 'deny') return [];
  return [{ exchangeId: exchangeIdOf(number), person, from, to: asked.verdict, gained, lost: [] }];
}

test('the policy that judged says the same again, whatever people decided afterwards', async (t) => {
  const engine = await engineWith(t, strict);
  const inputs = generated(120, 7);
  const requests = await recorded(
    inputs.map((input, at) => {
      const { decided } = live(engine, input);
      const approved: Decided = { ...decided, verdict: 'allow', reasons: [] };
      const records = recordsOf(at, decided, input);
      const later = Buffer.concat(
        encodeRecord({ exchangeId: exchangeIdOf(at), timeMs: day, kind: 'decided', decided: approved }),
      );
      return decided.verdict === 'hold' ? [...records.slice(0, -1), later, ...records.slice(-1)] : records;
    }),
  );
  const result = await compare(requests, engine);
  assert.deepEqual([result.judged, result.changed, result.otherRules], [120, 0, 0]);
});

test('what access denied and would not deny now is unknown, and what was not recorded is said', async (t) => {
  const lists = { 'lists/deny/data.json': { ...strict['lists/deny/data.json'], subjects: ['u-3'] } };
  const then = await engineWith(t, lists);
  const findings = { rules: [{ effect: 'deny', types: ['IBAN'] }] };
  const now = await engineWith(t, { 'lists/findings/data.json': findings });
  const base = requestDocument();
  const denied = { ...base, identity: base.identity && { ...base.identity, subject: 'u-3' } };
  const unsearched = { ...base, findings_complete: false };
  const requests = await recorded([
    recordsOf(0, live(then, denied).decided, denied),
    recordsOf(1, live(then, unsearched).decided, unsearched),
    recordsOf(2, null, base),
  ]);
  const result = await compare(requests, now);
  // What was not searched is refused by a rule on findings, as it would be live.
  const refused = { from: 'allow', to: 'deny', gained: ['request/findings_listed'], lost: [] };
  assert.deepEqual(result.changes, [
    { exchangeId: exchangeIdOf(1), person: 'u-1', ...refused },
    { exchangeId: exchangeIdOf(0), person: 'u-3', from: 'deny', to: 'unknown', gained: [], lost: ['access/deny_list'] },
  ]);
  assert.deepEqual([result.judged, result.undecided, result.withoutFindings], [2, 1, 1]);
  assert.ok(!JSON.stringify(result).includes('PLANTED'));
});

test('inputs of earlier versions are judged with what they did not say then', async (t) => {
  const engine = await engineWith(t, strict);
  const { clock: _clock, totals: _totals, ...input } = requestDocument();
  const old = { ...input, connection: { name: 'claude', issuer: 'https://idp.example' } };
  const { decided } = live(engine, requestDocument());
  const requests = await recorded([recordsOf(0, { ...decided, input: old }, requestDocument())]);
  const result = await compare(requests, engine);
  assert.deepEqual([result.judged, result.changed], [1, 0]);
});
