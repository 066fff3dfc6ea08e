import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { IndexSearch, SearchQuery } from '../index/port.ts';
import type { Masked } from '../masking/masked.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { renderTranscript } from '../terminal/transcript.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage, withIndex } from './looking.ts';

export type TailDependencies = {
  groups(): string[];
  /** As it is in the files now. */
  policy(): Promise<{ console(input: ConsoleInput): ConsoleDecision }>;
  /** False when the person ended it meanwhile. */
  pause(ms: number): Promise<boolean>;
};

type Flags = { session?: string; person?: string; connection?: string; reason: string; noise?: true; json?: true };
type Document = Masked<ExchangeDocument>;
type Decisions = Map<string, ConsoleDecision>;

const exitRefused = 3;
const pollIntervalMs = 1_000;
/** Exchanges are found by their beginning: one that ran longer than this before it came into the index is not shown. */
const lookBackMs = 3_600_000;
const pageHits = 200;
/** What comes in one look beyond this is found by a search. */
const pagesMax = 10;
const wholeEvery = 10;
/** What was shown, so that it is shown once (inv. 10). */
const seenMax = 20_000;
/** Whoever was taken off the list is shown nothing more after it. */
const policyMaxAgeMs = 60_000;

/** `skilltape tail`: exchanges of a session or a person as they come into the index. */
export function tailCommand(dependencies: LookingDependencies, tail: TailDependencies): Command {
  const exitCodes = `0 ended by Ctrl-C, 2 the command line is wrong, ${exitRefused} refused.`;
  return lookingCommand('tail', dependencies, { exitCodes, needsReason: true })
    .description('follow the exchanges of a session or a person: each is shown when it ended and is in the index')
    .option('--session <id>', 'of this session (x-skilltape-session)')
    .option('--person <person>', 'of this person: id, e-mail address or name, whole')
    .option('--connection <name>', 'on this connection alone')
    .option('--noise', 'also what is no prompt of a person')
    .action((flags: Flags) =>
      tellingUsage(dependencies, async () => {
        if ((flags.session === undefined) === (flags.person === undefined))
          throw new SkilltapeError('usage', 'neither or both of --session and --person are given', {
            remedy: 'give one of them',
          });
        const followed = flags.session === undefined ? `person: ${flags.person}` : `session: ${flags.session}`;
        recordLook(dependencies, 'tail', followed, flags.reason);
        await withIndex(dependencies, (index) => new Tail(dependencies, tail, flags, index).run());
      }),
    );
}

class Tail {
  readonly #looking: LookingDependencies;
  readonly #tail: TailDependencies;
  readonly #flags: Flags;
  readonly #index: IndexSearch;
  readonly #seen = new Set<string>();
  #decisions: Decisions = new Map();
  #policy: { console(input: ConsoleInput): ConsoleDecision } | undefined;
  #policyAtMs = 0;
  #isAway = false;
  #looks = 0;

  constructor(looking: LookingDependencies, tail: TailDependencies, flags: Flags, index: IndexSearch) {
    this.#looking = looking;
    this.#tail = tail;
    this.#flags = flags;
    this.#index = index;
  }

  async run(): Promise<void> {
    const [newest] = await this.#newIds();
    const known = newest === undefined ? null : await this.#index.get(newest);
    const { verdict, reasons } = await this.#decisionOn(known);
    if (verdict !== 'allow') {
      for (const { rule, message } of reasons) this.#tell(`${message} (${rule})`);
      this.#looking.setExitCode(exitRefused);
      return;
    }
    while (await this.#tail.pause(pollIntervalMs)) await this.#showNew();
  }

  /** An index that is away is waited for, and what it could not give yet is shown then. */
  async #showNew(): Promise<void> {
    const waiting: string[] = [];
    try {
      waiting.push(...(await this.#newIds()).reverse());
      for (let id = waiting[0]; id !== undefined; id = waiting[0]) {
        await this.#show(id);
        waiting.shift();
      }
      this.#isAway = false;
    } catch (thrown) {
      if (!(thrown instanceof SkilltapeError) || thrown.code !== 'index_failed') throw thrown;
      for (const id of waiting) this.#seen.delete(id);
      if (!this.#isAway) this.#tell(`The index does not answer, and is asked again: ${thrown.message}`);
      this.#isAway = true;
    }
  }

  async #show(id: string): Promise<void> {
    const document = await this.#index.get(id);
    if (document === null) return;
    const { verdict, reasons } = await this.#decisionOn(document);
    if (verdict !== 'allow') {
      const why = reasons.map(({ message }) => message).join(' ');
      this.#tell(`An exchange on ${document.skilltape.connection} is not shown: ${why}`);
      return;
    }
    recordLook(this.#looking, 'tail', `exchange ${id}`, this.#flags.reason);
    const { json } = this.#flags;
    this.#looking.write(
      json === undefined ? `${renderTranscript([document], this.#looking)}\n` : `${sanitisedJson(document)}\n`,
    );
  }

  /** What came since the last time, the newest first; from then on it was seen. */
  async #newIds(): Promise<string[]> {
    const { session, person: user, connection, noise } = this.#flags;
    const from = new Date(this.#looking.now().getTime() - lookBackMs);
    const query: SearchQuery = { session, user, connection, noise, from, limit: pageHits };
    // One that ran for long comes behind others that were seen: looked for now and then.
    const isWhole = this.#looks % wholeEvery === 0;
    this.#looks += 1;
    const found: string[] = [];
    let before: string | null = null;
    for (let page = 0; page < pagesMax; page += 1) {
      const { hits, next } = await this.#index.search({ ...query, ...(before !== null && { before }) });
      const unseen = hits.map(({ id }) => id).filter((id) => !this.#seen.has(id));
      found.push(...unseen);
      if (next === null || (unseen.length < hits.length && !isWhole)) break;
      before = next;
    }
    for (const id of found) this.#seen.add(id);
    for (const id of this.#seen) {
      if (this.#seen.size <= seenMax) break;
      this.#seen.delete(id);
    }
    return found;
  }

  /** Asked once a minute for each person and connection. Before anything is known of it, about nobody. */
  async #decisionOn(document: Document | null): Promise<ConsoleDecision> {
    const nowMs = this.#looking.now().getTime();
    if (this.#policy === undefined || nowMs - this.#policyAtMs >= policyMaxAgeMs) {
      this.#policy = await this.#tail.policy();
      this.#policyAtMs = nowMs;
      this.#decisions = new Map();
    }
    const input = this.#asked(document);
    const key = JSON.stringify([input.person, input.connection, input.session, input.retention_class]);
    const decision = this.#decisions.get(key) ?? this.#policy.console(input);
    if (this.#decisions.size < seenMax) this.#decisions.set(key, decision);
    return decision;
  }

  #asked(document: Document | null): ConsoleInput {
    const { operator, now } = this.#looking;
    const user = document?.user ?? null;
    return {
      version: 1,
      action: 'tail',
      operator: { kind: 'os', name: operator.osUser, uid: operator.uid, groups: this.#tail.groups() },
      person: user === null ? null : { issuer: user.domain, subject: user.id, email: user.email, groups: user.roles },
      connection: document?.skilltape.connection ?? this.#flags.connection ?? '',
      session: document?.skilltape.session.id ?? this.#flags.session ?? '',
      ...{ exchange: '', retention_class: document?.skilltape.retention_class ?? '' },
      ...{ types: [], values: 0, reason: this.#flags.reason },
      last_hour: { operator_values: 0, person_values: 0 },
      time: now().toISOString(),
    };
  }

  #tell(line: string): void {
    this.#looking.writeError(`${sanitiseLine(line)}\n`);
  }
}
