import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { IndexSearch } from '../index/port.ts';
import type { KeyOpener } from '../keys/opener.ts';
import type { LastHour, RevealLog } from '../looks/reveal-log.ts';
import type { Masked } from '../masking/masked.ts';
import { hashedTokensIn, typeOfToken } from '../masking/token.ts';
import type { ConsoleDecision, ConsoleInput } from '../policy/console.ts';
import { openRows, personsOf, type Revealed } from '../reveal/open.ts';
import type { SealedRow } from '../reveal/store.ts';
import { sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import type { ExchangeDocument } from '../transcript/document.ts';
import { exitNothingFound, type LookingDependencies, lookingCommand, tellingUsage, withIndex } from './looking.ts';

/** What the command needs beside what every look needs. */
export type RevealDependencies = {
  revealLog: RevealLog;
  groups(): string[];
  /** The sealed values of tokens of a session; nothing is opened yet. */
  readSealed(session: string, tokens: readonly string[]): SealedRow[];
  opener(): KeyOpener;
  policy(): Promise<{ console(input: ConsoleInput): ConsoleDecision }>;
};

const exitDenied = 3;
/** Of one command; a limit of policy is lower, as a rule. */
const tokensMax = 1_000;

type Flags = { token: string[]; all?: true; json?: true; reason: string };

/** `skilltape reveal`: what stood in place of tokens, for whom policy allows it. */
export function revealCommand(dependencies: LookingDependencies, reveal: RevealDependencies): Command {
  return lookingCommand('reveal', dependencies, {
    needsReason: true,
    exitCodes: '0 all values are shown, 1 some cannot be shown any more, 2 the command line is wrong.',
  })
    .description('show the values behind tokens such as [EMAIL:…], where policy allows it; each attempt is recorded')
    .argument('<id>', 'id of an exchange, or of a session')
    .option('--token <token>', 'a token as it stands in the transcript; may be given again', collected, [])
    .option('--all', 'every token of the exchange')
    .addHelpText('after', `             ${exitDenied} policy denies it; so is a limit that is reached.`)
    .action((id: string, flags: Flags) => tellingUsage(dependencies, () => run(dependencies, reveal, id, flags)));
}

function collected(token: string, before: string[]): string[] {
  return before.includes(token) ? before : [...before, token];
}

async function run(looking: LookingDependencies, reveal: RevealDependencies, id: string, flags: Flags): Promise<void> {
  checkTokens(flags);
  // Compiled first: a policy that is broken reads nothing.
  const policy = await reveal.policy();
  const asked = await withIndex(looking, (index) => askedFor(index, id, flags));
  const tokens = 'nothing' in asked ? [] : asked.tokens;
  const rows = 'nothing' in asked ? [] : reveal.readSealed(asked.session, tokens);
  const decision = reveal.revealLog.attempt(
    { uid: looking.operator.uid, persons: personsOf(rows), values: tokens.length },
    (lastHour) => decided({ looking, reveal, policy, id, asked, reason: flags.reason, lastHour }),
  );
  if ('nothing' in asked) {
    looking.writeError(`${sanitiseLine(`Nothing of "${id}" can be revealed: ${asked.nothing}`)}\n`);
    looking.setExitCode(exitNothingFound);
    return;
  }
  if (!decision.isShown) return tellDenied(looking, decision.reasons, flags);
  const revealed = await openRows(reveal.opener(), asked.session, asked.tokens, rows);
  for (const outcome of revealed) looking.write(`${flags.json ? sanitisedJson(outcome) : lineOf(outcome)}\n`);
  if (revealed.some(({ kind }) => kind !== 'revealed')) looking.setExitCode(exitNothingFound);
}

function checkTokens({ token: tokens, all }: Flags): void {
  if (all === undefined && tokens.length === 0)
    throw new SkilltapeError('usage', 'no token is given', {
      remedy: "give --token '[EMAIL:…]', or --all of an exchange",
    });
  if (all !== undefined && tokens.length > 0)
    throw new SkilltapeError('usage', 'both --token and --all are given', { remedy: 'give one of them' });
  for (const token of tokens) {
    const type = typeOfToken(token);
    if (type === undefined)
      throw new SkilltapeError('usage', `"${sanitiseLine(token)}" is no token`, {
        remedy: "copy it from the transcript with its brackets, such as '[EMAIL:00a1b2c3d4e5f607]', in quotes",
      });
    if (!token.includes(':'))
      throw new SkilltapeError('usage', `${token} stands for many values and is kept for none`, {
        remedy: `${type} has no hash in its token here, so its values are never kept: the sealed record alone has them`,
      });
  }
}

/** What is asked for, of whom. `exchange` is empty for a session. */
type Asked = { document: Masked<ExchangeDocument>; session: string; exchange: string; tokens: string[] };
/** Why there is nothing to show; an attempt like any other, since it may be a guess. */
type Nothing = { nothing: string };

/** Only tokens that stand in the exchange: what somebody may see is judged by what it is part of. */
async function askedFor(index: IndexSearch, id: string, { token: tokens, all }: Flags): Promise<Asked | Nothing> {
  const exchange = await index.get(id);
  const documents = exchange === null ? (await index.session(id)).documents : [exchange];
  const [document] = documents;
  if (document === undefined) return { nothing: 'there is no such exchange or session in the index' };
  if (exchange === null && all) return { nothing: 'it is a session: --all is for one exchange' };
  const standing = hashedTokensIn(documents.map((one) => JSON.stringify(one)).join('\n'));
  const missing = tokens.find((token) => !standing.includes(token));
  if (missing !== undefined) return { nothing: `${missing} does not stand in it` };
  const wanted = all ? standing : tokens;
  if (wanted.length === 0) return { nothing: 'no token that can be turned back stands in it' };
  if (wanted.length > tokensMax) return { nothing: `it has ${wanted.length} tokens, more than ${tokensMax}` };
  return { document, session: document.skilltape.session.id, exchange: exchange === null ? '' : id, tokens: wanted };
}

type Deciding = {
  looking: LookingDependencies;
  reveal: RevealDependencies;
  policy: { console(input: ConsoleInput): ConsoleDecision };
  id: string;
  asked: Asked | Nothing;
  reason: string;
  lastHour: LastHour;
};

/** The verdict, and the look that says of it what was asked for: types and counts, no token and no value. */
function decided({ looking, reveal, policy, id, asked, reason, lastHour }: Deciding) {
  const { operator, maskQuery } = looking;
  const look = (how: string) => {
    return { who: operator, what: 'reveal' as const, subject: maskQuery(`${id}: ${how}`), why: maskQuery(reason) };
  };
  if ('nothing' in asked) return { isShown: false, reasons: [], look: look('nothing found') };
  const types = countsOf(asked.tokens);
  const said = Object.entries(types).map(([type, count]) => `${type} ${count}`);
  const { verdict, reasons, limits } = policy.console({
    version: 1,
    action: 'reveal',
    operator: {
      kind: 'os',
      name: operator.osUser,
      uid: operator.uid,
      groups: reveal.groups(),
    },
    ...placeOf(asked),
    types: Object.keys(types),
    values: asked.tokens.length,
    reason,
    last_hour: { operator_values: lastHour.operatorValues, person_values: lastHour.personValues },
    time: looking.now().toISOString(),
  });
  const { values_per_operator_per_hour: perOperator, values_per_person_per_hour: perPerson } = limits;
  // Beside the rules, so that a policy that forgot about them still has limits.
  const isWithin =
    lastHour.operatorValues + asked.tokens.length <= perOperator &&
    lastHour.personValues + asked.tokens.length <= perPerson;
  const overLimit = isWithin ? [] : [{ rule: 'skilltape/hourly_limit', message: 'Too many values in one hour.' }];
  const denials = verdict === 'allow' ? overLimit : reasons;
  const how = denials.length === 0 ? 'shown' : `denied by ${denials.map(({ rule }) => rule).join(', ')}`;
  return { isShown: denials.length === 0, reasons: denials, look: look(`${said.join(', ')}, ${how}`) };
}

function placeOf({ document, session, exchange }: Asked) {
  const { user, skilltape } = document;
  return {
    person: user === null ? null : { issuer: user.domain, subject: user.id, email: user.email, groups: user.roles },
    ...{ connection: skilltape.connection, session, exchange, retention_class: skilltape.retention_class },
  };
}

function countsOf(tokens: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const token of tokens) {
    const type = typeOfToken(token) ?? '';
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

function tellDenied(looking: LookingDependencies, reasons: readonly { rule: string; message: string }[], flags: Flags) {
  if (flags.json) looking.write(`${sanitisedJson({ kind: 'denied', reasons })}\n`);
  for (const { rule, message } of reasons) looking.writeError(`${sanitiseLine(`${message} (${rule})`)}\n`);
  looking.setExitCode(exitDenied);
}

function lineOf(outcome: Revealed): string {
  const { kind, token } = outcome;
  switch (kind) {
    case 'revealed':
      return sanitiseLine(`${token}  ${outcome.value}`);
    case 'not_kept':
      return `${token}  (no value was kept for it, or it is older than values are kept)`;
    case 'erased':
      return `${token}  (the person was erased on ${new Date(outcome.erasedMs).toISOString()})`;
    case 'key_missing':
      return sanitiseLine(`${token}  (${outcome.reason}. ${outcome.remedy})`);
    default:
      return kind satisfies never;
  }
}
