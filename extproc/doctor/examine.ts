import { gatewayOf } from './model.ts';
import { dotted } from './place.ts';
import type { Finding, Rule } from './rule.ts';
import { callerRules } from './rules/callers.ts';
import { clusterRules } from './rules/clusters.ts';
import { credentialRules } from './rules/credential.ts';
import { evidenceRules } from './rules/evidence.ts';
import { modeRules } from './rules/modes.ts';
import { orderRules } from './rules/order.ts';
import { peerRules } from './rules/peers.ts';
import { processRules } from './rules/process.ts';
import { processorRules } from './rules/processor.ts';
import { releaseRules } from './rules/release.ts';
import { routeRules } from './rules/routes.ts';
import { tokenRules } from './rules/tokens.ts';
import type { Source } from './source.ts';

/** Every trap that is looked for, in the order in which docs/doctor.md lists them. */
export const rules: readonly Rule[] = [
  ...orderRules,
  ...processorRules,
  ...modeRules,
  ...routeRules,
  ...tokenRules,
  ...credentialRules,
  ...releaseRules,
  ...callerRules,
  ...clusterRules,
  ...peerRules,
  ...evidenceRules,
  ...processRules,
];

const repeatedKey = {
  id: 'key-written-twice',
  severity: 'critical',
  invariants: [],
  title: 'A key stands twice in one mapping',
  why: 'Readers differ in which of the two counts: what was checked here may not be what Envoy does.',
} as const satisfies Omit<Rule, 'find'>;

/** All that can be found, with the rule that no model is needed for. */
export const allRules: readonly Omit<Rule, 'find'>[] = [...rules, repeatedKey];

/** Looks for every trap in one pass; in the order of the file. */
export function examine(source: Source): Finding[] {
  const gateway = gatewayOf(source.root);
  const place = (path: Source['repeated'][number]) => ({
    file: source.file,
    line: source.lineOf(path),
    path: dotted(path),
  });
  const found = rules.flatMap(({ find, ...about }) =>
    find(gateway).map(({ at, found, change }) => ({ ...about, ...place(at.path), found, change })),
  );
  const repeated = source.repeated.map((path) => ({
    ...repeatedKey,
    ...place(path),
    found: `${path.at(-1)} is written twice`,
    change: 'keep one of them',
  }));
  return once([...repeated, ...found]).toSorted((a, b) => a.line - b.line);
}

/** A virtual host or a filter that several routes share is one place. */
function once(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.id} ${finding.path} ${finding.found}`, finding])).values()];
}
