import { outcomes } from '../exchange/outcome.ts';
import { fields } from './fields.ts';
import { allOf, everything, hasValue, isOneOf, type Kql, not } from './kql.ts';
import { axisChart, type Chart, metricChart, pieChart, tableChart } from './lens.ts';
import { countOf, overTime, percentileOf, sumOf, uniqueCountOf, valuesOf } from './lens-column.ts';
import { stopped, wholeExchange } from './vocabulary.ts';

/** Where a panel stands on the dashboard, which is 48 wide. */
export type Place = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };

export type Panel = { readonly id: string; readonly title: string; readonly place: Place; readonly chart: Chart };

const isExchange = isOneOf(fields.action, wholeExchange);
/** Listings and the like ask no model. */
const namesModel = not(isOneOf(fields.model, ['']));

const metrics: readonly Panel[] = [
  panel('exchanges', 'Exchanges', [0, 0, 10, 6], metricChart(countOf('Exchanges', isExchange))),
  panel('people', 'People', [10, 0, 10, 6], metricChart(uniqueCountOf('People', fields.userId))),
  panel('sessions', 'Sessions', [20, 0, 10, 6], metricChart(uniqueCountOf('Sessions', fields.sessionId))),
  panel('input-tokens', 'Input tokens', [30, 0, 9, 6], metricChart(sumOf('Input tokens', fields.inputTokens))),
  panel('output-tokens', 'Output tokens', [39, 0, 9, 6], metricChart(sumOf('Output tokens', fields.outputTokens))),
];

const overview: readonly Panel[] = [
  panel(
    'verdicts',
    'Exchanges over time, by verdict',
    [0, 6, 32, 12],
    axisChart(
      'bar_stacked',
      {
        decision: valuesOf('Verdict', fields.decision, { size: 5, orderedBy: 'count' }),
        time: overTime(),
        count: countOf('Exchanges'),
      },
      { x: 'time', split: 'decision', query: isExchange },
    ),
  ),
  panel(
    'outcomes',
    'Outcomes',
    [32, 6, 16, 12],
    pieChart(
      valuesOf('Outcome', fields.outcome, { size: outcomes.length, orderedBy: 'size' }),
      countOf('Exchanges'),
      isExchange,
    ),
  ),
];

/** The id keeps people apart who have the same name, or no mail address. */
const people = tableChart({
  id: valuesOf('Person', fields.userId, { size: 20, orderedBy: 'outputTokens' }),
  email: valuesOf('Mail address', fields.userEmail, { size: 1, orderedBy: 'outputTokens' }),
  name: valuesOf('Name', fields.userName, { size: 1, orderedBy: 'outputTokens' }),
  exchanges: countOf('Exchanges', isExchange),
  inputTokens: sumOf('Input tokens', fields.inputTokens),
  outputTokens: sumOf('Output tokens', fields.outputTokens),
});

const models = tableChart(
  {
    model: valuesOf('Model', fields.model, { size: 20, orderedBy: 'outputTokens' }),
    requests: countOf('Requests'),
    inputTokens: sumOf('Input tokens', fields.inputTokens),
    outputTokens: sumOf('Output tokens', fields.outputTokens),
  },
  namesModel,
);

const details: readonly Panel[] = [
  panel('users', 'Who', [0, 18, 28, 14], people),
  panel('models', 'Models', [28, 18, 20, 14], models),
  panel('skills', 'Skills', [0, 32, 16, 12], ranking('Skill', fields.skill)),
  panel('tools', 'Tools that answers call', [16, 32, 16, 12], ranking('Tool', fields.tool)),
  panel(
    'rules',
    'Denied and held, by rule',
    [32, 32, 16, 12],
    ranking('Rule', fields.rule, allOf(isExchange, isOneOf(fields.decision, stopped))),
  ),
  panel('masked', 'Documents with masked values, by kind', [0, 44, 16, 12], ranking('Kind', fields.maskedType)),
  panel(
    'latency',
    'Time to the end of the answer, prompts only',
    [16, 44, 32, 12],
    axisChart(
      'line',
      {
        time: overTime(),
        p50: percentileOf('Half', fields.durationNs, 50),
        p95: percentileOf('95 %', fields.durationNs, 95),
        p99: percentileOf('99 %', fields.durationNs, 99),
      },
      { x: 'time', query: allOf(isExchange, not(hasValue(fields.noise))) },
    ),
  ),
];

/** Who, what, how much, and with which verdict. */
export const trafficPanels: readonly Panel[] = [...metrics, ...overview, ...details];

export const rowBelowPanels = 56;

/** A document that has a value several times counts once for it. */
function ranking(label: string, field: Parameters<typeof valuesOf>[1], query: Kql = everything): Chart {
  const columns = {
    value: valuesOf(label, field, { size: 20, orderedBy: 'count' }),
    count: countOf('Documents'),
  };
  return axisChart('bar_horizontal', columns, { x: 'value', query });
}

function panel(
  id: string,
  title: string,
  [x, y, w, h]: readonly [number, number, number, number],
  chart: Chart,
): Panel {
  return { id, title, place: { x, y, w, h }, chart };
}
