import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { outcomes } from '../exchange/outcome.ts';
import { noiseCountMax, type SearchQuery, searchLimitDefault, searchLimitMax } from '../index/port.ts';
import { type FindingType, findingTypes } from '../masking/finding.ts';
import { renderHits } from '../terminal/hits.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import {
  exitNothingFound,
  type LookingDependencies,
  lookingCommand,
  recordLook,
  tellingUsage,
  wholeNumber,
  withIndex,
} from './looking.ts';
import { momentHelp, rangeEnd, rangeStart } from './moment.ts';

export type SearchFlags = {
  user?: string;
  connection?: string;
  from?: string;
  to?: string;
  session?: string;
  outcome?: string;
  skill?: string;
  model?: string;
  masked?: string;
  would?: string;
  lifted?: string;
  maskingFailed?: true;
  noise?: true;
  limit: string;
  before?: string;
  json?: true;
  why?: string;
};

const nothingFound = 'Nothing found.';
const maskedHint = ` What was masked is stored as a token such as [EMAIL:7f3a9c21d0], so the value itself does not find it;
search for the token or for other words.`;

/** `skilltape search [text]`: finds recorded exchanges, newest first. */
export function searchCommand(dependencies: LookingDependencies): Command {
  return lookingCommand('search', dependencies)
    .description('find recorded exchanges, newest first')
    .argument('[text...]', 'words that must all occur; \'"a phrase"\' in its own quotes; prefix*')
    .option('--user <user>', 'id, e-mail address or name of the user, whole')
    .option('--connection <name>', 'name of the connection')
    .option('--from <time>', `not before: ${momentHelp}`)
    .option('--to <time>', 'before; a plain date includes that day')
    .option('--session <id>', 'session id')
    .option('--outcome <outcome>', outcomes.join(', '))
    .option('--skill <name>', 'a skill that came into use, by its whole name')
    .option('--model <name>', 'the model that was asked for or that answered, by its whole name')
    .option(
      '--masked <type>',
      `where something of this type was masked: ${findingTypes.join(', ')}, or one of your own`,
    )
    .option('--would <verdict>', 'what observed rules would have decided: deny or hold')
    .option('--lifted <kind>', 'what a grant let through that a rule would have stopped: access or break_glass')
    .option('--masking-failed', 'where masking failed, so that there is metadata only')
    .option('--noise', 'also what is no prompt of a person: model lists, token counts, titles, polling')
    .option('--limit <count>', `1 to ${searchLimitMax}`, String(searchLimitDefault))
    .option('--before <place>', 'go on where a page ended')
    .action((words: string[], flags: SearchFlags) =>
      tellingUsage(dependencies, () => search(dependencies, words, flags)),
    );
}

async function search(dependencies: LookingDependencies, words: string[], flags: SearchFlags): Promise<void> {
  const query = queryOf(words, flags, dependencies);
  recordLook(dependencies, 'search', subjectOf(query), flags.why);
  await withIndex(dependencies, async (index) => {
    const { hits, next, noiseHidden } = await index.search(query);
    if (hits.length === 0) {
      dependencies.writeError(`${nothingFound}${query.text === undefined ? '' : maskedHint}\n`);
      dependencies.writeError(noiseHint(noiseHidden));
      dependencies.setExitCode(exitNothingFound);
      return;
    }
    if (flags.json === undefined) dependencies.write(renderHits(hits, dependencies));
    else
      for (const hit of hits) {
        const document = await index.get(hit.id);
        if (document !== null) dependencies.write(`${sanitisedJson(document)}\n`);
      }
    dependencies.writeError(noiseHint(noiseHidden));
    if (next !== null) dependencies.writeError(`There are more: repeat with --before ${next}\n`);
  });
}

function noiseHint(hidden: number): string {
  if (hidden === 0) return '';
  const count = hidden < noiseCountMax ? String(hidden) : `${noiseCountMax} or more`;
  const are = hidden === 1 ? 'match is' : 'matches are';
  return `${count} ${are} left out as noise: repeat with --noise to see them too.\n`;
}

export function queryOf(
  words: string[],
  flags: SearchFlags,
  { now: clock, ownTypes }: Pick<LookingDependencies, 'now' | 'ownTypes'>,
): SearchQuery {
  const now = clock();
  const query: SearchQuery = {
    text: words.length === 0 ? undefined : words.join(' '),
    user: flags.user,
    connection: flags.connection,
    from: flags.from === undefined ? undefined : rangeStart('--from', flags.from, now),
    to: flags.to === undefined ? undefined : rangeEnd('--to', flags.to, now),
    session: flags.session,
    outcome: outcomeOf(flags.outcome),
    skill: flags.skill,
    model: flags.model,
    masked: flags.masked === undefined ? undefined : maskedTypeOf(flags.masked, ownTypes()),
    would: wouldOf(flags.would),
    lifted: liftedOf(flags.lifted),
    maskingFailed: flags.maskingFailed,
    noise: flags.noise,
    limit: wholeNumber('--limit', flags.limit, 1, searchLimitMax),
    before: flags.before,
  };
  if (query.from !== undefined && query.to !== undefined && query.from >= query.to)
    throw new SkilltapeError('usage', '--from is not before --to', {
      remedy: 'swap them, or leave one out',
    });
  return query;
}

function outcomeOf(text: string | undefined): SearchQuery['outcome'] {
  if (text === undefined) return undefined;
  const outcome = outcomes.find((known) => known === text);
  if (outcome !== undefined) return outcome;
  throw new SkilltapeError('usage', `--outcome "${text}" is not an outcome`, {
    remedy: `write one of ${outcomes.join(', ')}`,
  });
}

function maskedTypeOf(text: string, ownTypes: readonly FindingType[]): SearchQuery['masked'] {
  const types = [...findingTypes, ...ownTypes];
  const type = types.find((known) => known === text.toUpperCase());
  if (type !== undefined) return type;
  throw new SkilltapeError('usage', `--masked "${text}" is not a type of what is masked`, {
    remedy: `write one of ${types.join(', ')}`,
  });
}

function wouldOf(text: string | undefined): SearchQuery['would'] {
  if (text === undefined || text === 'deny' || text === 'hold') return text;
  throw new SkilltapeError('usage', `--would "${text}" is not a verdict`, { remedy: 'write deny or hold' });
}

function liftedOf(text: string | undefined): SearchQuery['lifted'] {
  if (text === undefined || text === 'access' || text === 'break_glass') return text;
  throw new SkilltapeError('usage', `--lifted "${text}" is no kind of grant`, {
    remedy: 'write access or break_glass',
  });
}

/** What was asked for, as typed; one line per filter, because the masker reads plain text. */
export function subjectOf(query: SearchQuery): string {
  const lines = filtersOf(query).map(([name, text]) => `${name}: ${text}`);
  return lines.length === 0 ? 'everything' : lines.join('\n');
}

/** Each filter that is given, as text. */
export function filtersOf({ limit: _limit, ...filters }: SearchQuery): [string, string][] {
  return Object.entries(filters).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, value instanceof Date ? value.toISOString() : String(value)] as [string, string]];
  });
}
