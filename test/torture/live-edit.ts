import { seededRandom } from '../bench/statistics.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { denyList, ownPolicies, policyEdits } from '../environment/policy-edits.ts';
import type { Torture, TortureOptions, TortureReport } from './torture.ts';

/** Two policies of which each denies what the other one lets through: a mix of both would show in a verdict. */
const models = ['claude-opus-5-5', 'claude-sonnet-5-5'] as const;
type Side = 0 | 1;
type Sent = { asked: Side; status: number; exchangeId: string };

const brokenTexts = ['', '{', '{"subjects": 1}', '[]', '{"groups": ["a"]', '\u0000'];
const callers = 4;
/** Reading each of their documents takes a while. */
const documentsReadMax = 400;

/** Saves under load, on a gateway whose two policies are told apart by what they let through. */
export async function saveUnderLoad(
  gateway: TestGateway,
  { seed, rounds, progress }: TortureOptions,
): Promise<TortureReport> {
  const edits = policyEdits(gateway);
  const random = seededRandom(seed);
  const violations: string[] = [];
  const denying = ([0, 1] as const).map((side) => edits.denying({ models: { names: [models[side]], prefixes: [] } }));
  await edits.save(denyList, denying[0] ?? '');
  const load = new TwoSidedLoad(gateway, { authorization: `Bearer ${await gateway.token()}` });
  const counts = { saves: 0, inForce: 0, refused: 0 };
  const tookMs: number[] = [];
  let side: Side = 0;
  while (counts.saves < rounds) {
    counts.saves += 1;
    const isBroken = random() < 0.3;
    if (!isBroken) side = side === 0 ? 1 : 0;
    const text = isBroken ? (brokenTexts[Math.floor(random() * brokenTexts.length)] ?? '') : (denying[side] ?? '');
    const { result, tookMs: took } = await edits[random() < 0.5 ? 'save' : 'replace'](denyList, text);
    if (result === 'in_force') counts.inForce += 1;
    if (result === 'refused') counts.refused += 1;
    if (!isBroken) tookMs.push(took);
    const expected = isBroken ? ['refused'] : ['in_force', 'unchanged'];
    if (!expected.includes(result)) violations.push(`save ${counts.saves}: ${result}`);
    // The answer to what is asked now is the one of the policy in force, whatever was saved since.
    const { status } = await gateway.post(messagesBody('now', { model: models[side] }), load.headers);
    if (status !== 403) violations.push(`save ${counts.saves} (${result}): ${status} in place of a denial`);
    if (counts.saves % 50 === 0) progress(`${counts.saves} saves, ${load.sent.length} exchanges`);
  }
  await load.stop();
  violations.push(...load.failures, ...(await mixed(gateway, load.sent)));
  return { counts: { ...counts, exchanges: load.sent.length, medianMs: Math.round(median(tookMs)) }, violations };
}

/** Verdicts that are not those of the policy that their record names. */
async function mixed(gateway: TestGateway, sent: readonly Sent[]): Promise<string[]> {
  const step = Math.max(1, Math.floor(sent.length / documentsReadMax));
  const deniedBy = new Map<string, Side>();
  const violations: string[] = [];
  for (const { asked, status, exchangeId } of sent.filter((_, at) => at % step === 0)) {
    const { skilltape } = await gateway.document(exchangeId);
    const { policy_revision: revision, decision } = skilltape.verdict;
    if ((decision === 'deny') !== (status === 403))
      violations.push(`${exchangeId}: ${status} is recorded as ${decision}`);
    const denies: Side = decision === 'deny' ? asked : asked === 0 ? 1 : 0;
    const known = deniedBy.get(revision) ?? denies;
    deniedBy.set(revision, known);
    if (known !== denies) violations.push(`${exchangeId}: not the verdict of ${revision}`);
  }
  if (deniedBy.size > 2) violations.push(`there were ${deniedBy.size} policies`);
  return violations;
}

class TwoSidedLoad {
  readonly sent: Sent[] = [];
  readonly failures: string[] = [];
  readonly headers: Record<string, string>;
  readonly #callers: Promise<void>[];
  #stopped = false;

  constructor(gateway: TestGateway, headers: Record<string, string>) {
    this.headers = headers;
    this.#callers = Array.from({ length: callers }, (_, at) => this.#call(gateway, at));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  async #call(gateway: TestGateway, first: number): Promise<void> {
    for (let at = first; !this.#stopped; at += 1) {
      const asked: Side = at % 2 === 0 ? 0 : 1;
      const body = messagesBody(`${at % 7 === 0 ? '[fake: slow 10] ' : ''}edit ${at}`, { model: models[asked] });
      const answer = await gateway.post(body, this.headers).catch(() => undefined);
      const status = answer?.status ?? 0;
      if (answer !== undefined && (status === 200 || status === 403)) {
        this.sent.push({ asked, status, exchangeId: answer.exchangeId });
      } else {
        this.failures.push(`an exchange failed with ${status}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

export const liveEdit: Torture = {
  name: 'live-edit',
  description: 'policies saved under load, three in ten with a fault; a round is one save',
  roundsDefault: 1_000,
  async run(options) {
    const gateway = await startTestGateway({ ...ownPolicies, workers: 2 });
    try {
      return await saveUnderLoad(gateway, options);
    } finally {
      await gateway.stop();
    }
  },
};
