import { type Outcome, outcomes } from '../exchange/outcome.ts';
import { dataViewReference } from './data-view.ts';
import { type Field, fields } from './fields.ts';
import { hasValue, isOneOf, type Kql, not } from './kql.ts';
import type { KibanaOptions } from './options.ts';
import { type SavedObject, savedObject } from './saved-object.ts';
import { lastWeek, stopped } from './vocabulary.ts';

/** Kibana loads whole documents: a hundred with long texts is what a browser takes well. */
const sampleSize = 100;

type Search = { name: string; title: string; description: string; query: Kql; columns: readonly Field[] };

/** Never the texts: Kibana shows them when a document is opened. The time is shown in front of these by itself. */
const columns = [
  fields.userEmail,
  fields.connection,
  fields.model,
  fields.skill,
  fields.decision,
  fields.outcome,
] as const;

/** What a policy stopped has a search of its own. */
const byPolicy: readonly Outcome[] = ['denied', 'held', 'expired'];
const failures = outcomes.filter((outcome) => outcome !== 'complete' && !byPolicy.includes(outcome)) as [
  Outcome,
  ...Outcome[],
];

const searches = [
  {
    name: 'prompts',
    title: 'Prompts',
    description: 'What people and their agents asked, without listings, token counts, titles and polling.',
    query: not(hasValue(fields.noise)),
    columns,
  },
  {
    name: 'denied-and-held',
    title: 'Denied and held',
    description: 'What a policy stopped, with the rule and its words.',
    query: isOneOf(fields.decision, stopped),
    columns: [...columns, fields.rule, fields.reason],
  },
  {
    name: 'would-be-stopped',
    title: 'Would be denied or held',
    description: 'What rules that are only observed would have stopped, with the rule and its words.',
    query: hasValue(fields.would),
    columns: [...columns, fields.would, fields.wouldRule, fields.wouldReason],
  },
  {
    name: 'let-through-by-a-grant',
    title: 'Let through by a grant',
    description: 'What a rule would have stopped without a grant, with who gave it and why.',
    query: hasValue(fields.lifted),
    columns: [...columns, fields.lifted, fields.liftedRule, fields.liftedBy, fields.liftedWhy],
  },
  {
    name: 'refused-and-failed',
    title: 'Refused and failed',
    description: 'What was not answered as a whole, but for what a policy stopped.',
    query: isOneOf(fields.outcome, failures),
    columns: [...columns, fields.outcomeDetail, fields.responseStatus],
  },
  {
    name: 'masked',
    title: 'Masked values',
    description: 'Exchanges in which secrets or personal data were found, by type and place.',
    query: hasValue(fields.maskedType),
    columns: [...columns, fields.maskedType, fields.maskedPlace],
  },
  {
    name: 'masking-failed',
    title: 'Masking failed',
    description: 'Exchanges of which only metadata can be read, and why; `skilltape remask` tries them again.',
    query: isOneOf(fields.maskingStatus, ['failed']),
    columns: [...columns, fields.maskingFailure],
  },
] as const satisfies readonly Search[];

export function searchId({ prefix }: KibanaOptions, name: (typeof searches)[number]['name']): string {
  return `${prefix}-${name}`;
}

export function savedSearches(options: KibanaOptions): SavedObject[] {
  return searches.map(({ name, title, description, query, columns: shown }) => {
    const indexRefName = 'kibanaSavedObjectMeta.searchSourceJSON.index';
    const searchSource = { query: { query, language: 'kuery' }, filter: [], indexRefName };
    return savedObject({
      id: searchId(options, name),
      type: 'search',
      attributes: {
        title: `${title} (${options.prefix})`,
        description,
        columns: shown,
        sort: [[fields.time, 'desc']],
        grid: {},
        hideChart: false,
        isTextBasedQuery: false,
        sampleSize,
        timeRestore: true,
        timeRange: lastWeek,
        kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify(searchSource) },
      },
      references: [dataViewReference(options, indexRefName)],
    });
  });
}
