import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { describeConfig } from '../../../extproc/config/describe.ts';
import { outcomes } from '../../../extproc/exchange/outcome.ts';
import { refusalReasons, refusalReply } from '../../../extproc/exchange/refusal.ts';
import { conditionNames } from '../../../extproc/operations/readiness.ts';
import { allMetrics } from './all-metrics.ts';
import { queriedBy } from './promql.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const guide = read('docs/operations.md');

type Rule = {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
};
const rules = (parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

/** The first cells of the rows of the table below a heading. */
function firstCells(heading: string): string[] {
  const section = guide.split(/^##+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| -'));
  return rows.slice(1).map((row) => row.split(' | ')[0]?.slice(2).trim() ?? '');
}

/** What a heading is called in a link, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

const anchors = new Set([...guide.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? '')));

/** Of a histogram come three series. */
const series = new Set(
  allMetrics().flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`) : [name],
  ),
);
const labels = new Set([...allMetrics().flatMap(({ labelNames }) => labelNames), 'le']);
/** Added by Prometheus to everything that it scrapes. */
const scraped = new Set(['job', 'instance']);

function assertAskable(expression: string): void {
  const queried = queriedBy(expression);
  assert.ok(queried.metrics.size > 0, expression);
  for (const metric of queried.metrics) assert.ok(series.has(metric) || metric === 'up', `${metric} in ${expression}`);
  for (const label of queried.labels) assert.ok(labels.has(label) || scraped.has(label), `${label} in ${expression}`);
}

test('the check of a query sees what is no query, and what is not there', () => {
  assert.throws(() => assertAskable('rate(skilltape_exchanges_total[5m]'));
  assert.throws(() => assertAskable('skilltape_ready >'));
  assert.throws(() => assertAskable('skilltape_raedy == 0'));
  assert.throws(() => assertAskable('skilltape_exchanges_total{outcom="x"}'));
  assert.throws(() => assertAskable('sum by (reasons) (skilltape_refusals_total)'));
});

test('every alert asks for figures and labels that there are, in words of PromQL', () => {
  assert.ok(rules.length >= 15);
  for (const { expr } of rules) assertAskable(expr);
});

test('an alert that names a reason, a condition or a stage names one that there is', () => {
  for (const { alert, expr } of rules) {
    const [, reasons = ''] = /reason=~"([^"]*)"/.exec(expr) ?? [];
    for (const reason of reasons.split('|').filter(Boolean)) {
      assert.ok(
        refusalReasons.some((name) => name === reason),
        `${alert}: ${reason}`,
      );
    }
  }
});

test('every alert says what is wrong, how bad it is and where it is explained, and is explained there', () => {
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, annotations, labels: own } of rules) {
    assert.match(own.severity, /^(critical|warning)$/, alert);
    assert.ok(annotations.summary.length > 20 && annotations.description.length > 20, alert);
    assert.equal(annotations.runbook_url, `docs/operations.md#${anchorOf(alert)}`);
    const section = guide.split(`### ${alert}\n`)[1]?.split(/^##/m)[0] ?? '';
    assert.ok(section.trim().length > 15, alert);
  }
});

test('the guide explains no alert that there is not', () => {
  const explained = [...guide.matchAll(/^### (Skilltape\w+)$/gm)].map((match) => match[1]);
  assert.deepEqual(explained.toSorted(), rules.map(({ alert }) => alert).toSorted());
  const named = new Set(guide.match(/\bSkilltape[A-Z]\w+/g));
  for (const name of named) assert.ok(explained.includes(name), name);
});

test('the queries of the guide can be asked', () => {
  const blocks = [...guide.matchAll(/```promql\n([\s\S]*?)```/g)].flatMap((match) =>
    (match[1] ?? '').trim().split('\n'),
  );
  assert.ok(blocks.length >= 5);
  for (const line of blocks) assertAskable(line);
});

test('every figure is in the guide, and the guide has no other', () => {
  const named = new Set(guide.match(/\bskilltape_[a-z_]+[a-z]\b/g));
  const own = allMetrics().flatMap(({ name }) => (name.startsWith('skilltape_') ? [name] : []));
  const table = firstCells('Figures').join(' ');
  for (const name of own) assert.ok(table.includes(`\`${name}`), name);
  const known = [...own, ...series];
  for (const name of named) if (name !== 'skilltape_refused') assert.ok(known.includes(name), name);
});

test('every reason of a refusal has its line, with its status', () => {
  const rows = guide.split('\n');
  assert.deepEqual(firstCells('Refusals').toSorted(), refusalReasons.map((reason) => `\`${reason}\``).toSorted());
  for (const reason of refusalReasons) {
    const row = rows.find((line) => line.startsWith(`| \`${reason}\``)) ?? '';
    assert.equal(row.split('|')[2]?.trim(), String(refusalReply(reason, '', '').status), reason);
  }
});

test('every outcome and every condition of readiness has its line', () => {
  assert.deepEqual(
    firstCells('Outcomes'),
    outcomes.map((name) => `\`${name}\``),
  );
  assert.deepEqual(firstCells('Watching').toSorted(), conditionNames.map((name) => `\`${name}\``).toSorted());
});

test('every limit of the configuration has its line', () => {
  const limits = describeConfig().flatMap(({ key, type, unit }) => {
    return type.startsWith('integer') && unit !== null ? [`\`${key}\``] : [];
  });
  assert.ok(limits.length > 8);
  assert.deepEqual(firstCells('Limits and sizing').toSorted(), limits.toSorted());
});

type LogCall = { level: string; text: string; fields: string };

function logCalls(): LogCall[] {
  const files = globSync('extproc/**/*.ts', { cwd: root });
  return files.flatMap((file) => {
    const calls = read(file).matchAll(
      /\blog\.(trace|debug|info|warn|error|fatal)\(\s*(?:([^']*?),\s*)?'([^']+)',?\s*\)/g,
    );
    return [...calls].map(([, level = '', fields = '', text = '']) => ({ level, text, fields }));
  });
}

test('every line of the log that asks for somebody has its line in the guide, with its level', () => {
  const levels: Record<string, string> = { warn: '40', error: '50', fatal: '60' };
  const expected = logCalls().flatMap(({ level, text }) =>
    levels[level] === undefined ? [] : [`${levels[level]} \`${text}\``],
  );
  const section = guide.split('## Log lines')[1] ?? '';
  const rows = [...section.matchAll(/^\| (\d\d) +\| (`[^`]+`) +\|/gm)].map(([, level, text]) => `${level} ${text}`);
  assert.ok(rows.length > 8);
  assert.deepEqual(rows.toSorted(), [...new Set(expected)].toSorted());
});

test('every call of the log has words that do not change, and fields of a closed list', () => {
  const calls = logCalls();
  const all = globSync('extproc/**/*.ts', { cwd: root }).flatMap((file) => {
    return [...read(file).matchAll(/\blog\.(trace|debug|info|warn|error|fatal)\(/g)];
  });
  assert.equal(calls.length, all.length, 'a call that this test cannot read');
  const known = [
    'err',
    'exchange',
    'exchanges',
    'reason',
    'refused',
    'recovery',
    'signal',
    'address',
    'port',
    'unsaid',
    'target',
    'ticket',
  ];
  for (const { fields, text } of calls) {
    // Put together from the same names before.
    if (['report', 'facts', 'report.gap', 'report.day', '{}'].includes(fields)) continue;
    const named = fields
      .replace(/^\{ | \}$/g, '')
      .replace(/: \[.*\]/, '')
      .split(', ');
    for (const name of named.map((part) => part.split(':')[0] ?? '').filter(Boolean)) {
      assert.ok(
        [...known, 'policy', 'previous', 'tookMs', 'connections', 'worker', 'pid', 'holder'].includes(name),
        `${name} in: ${text}`,
      );
    }
  }
});

test('every link of the guide leads somewhere', () => {
  for (const [, target = ''] of guide.matchAll(/\]\(([^)]+)\)/g)) {
    const [file = '', anchor = ''] = target.split('#');
    const path = join(root, 'docs', file);
    if (file !== '') assert.ok(existsSync(path), target);
    const headings =
      file === ''
        ? anchors
        : new Set([...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? '')));
    if (anchor !== '') assert.ok(headings.has(anchor), target);
  }
});
