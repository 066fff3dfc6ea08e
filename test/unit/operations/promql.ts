import { parser } from '@prometheus-io/lezer-promql';

export type Queried = { metrics: Set<string>; labels: Set<string> };

/** The metrics and labels that a query names, by Prometheus' own grammar; throws for what that does not take. */
export function queriedBy(expression: string): Queried {
  const queried: Queried = { metrics: new Set(), labels: new Set() };
  parser.parse(expression).iterate({
    enter({ type, from, to }) {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`no PromQL: ${expression} at ${from}`);
      if (type.name === 'Identifier') queried.metrics.add(text);
      if (type.name === 'LabelName') queried.labels.add(text);
    },
  });
  return queried;
}
