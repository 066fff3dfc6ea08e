/**
 * What the comparison says of one request, or of one place in the log. docs/coverage.md tells what to do about each.
 * - `recorded`: the log has the request and the record has its exchange.
 * - `refused_by_envoy`: Envoy answered before skilltape saw it, or its caller left before that; it becomes a record.
 * - `processor_unavailable`: Envoy refused it because skilltape was away or frozen; it becomes a record.
 * - `not_recorded`: skilltape answered it, nothing went upstream, and the record has no such exchange (a full journal);
 *   it becomes a record.
 * - `forwarded_not_recorded`: bytes went upstream and the record has no released exchange for them. Must never be.
 * - `recorded_not_logged`: the record has an exchange of which the log has no line.
 * - `status_differs`, `bytes_differ`: record and log tell of two different answers.
 * - `unreadable_line`: a line of the log that is not what envoy/envoy.yaml writes.
 * - `log_gap`: the log was cut or replaced before it was read to its end.
 */
export const findings = [
  'recorded',
  'refused_by_envoy',
  'processor_unavailable',
  'not_recorded',
  'forwarded_not_recorded',
  'recorded_not_logged',
  'status_differs',
  'bytes_differ',
  'unreadable_line',
  'log_gap',
] as const;

export type Finding = (typeof findings)[number];

/** Findings of which each is kept for a look, the newest of each kind; the others have records, or are well. */
export const gapKinds = [
  'not_recorded',
  'forwarded_not_recorded',
  'recorded_not_logged',
  'status_differs',
  'bytes_differ',
  'unreadable_line',
  'log_gap',
] as const satisfies readonly Finding[];

export type GapKind = (typeof gapKinds)[number];

export type Counts = Readonly<Record<Finding, number>>;

export function countsOf(some: ReadonlyMap<Finding, number>): Counts {
  return Object.fromEntries(findings.map((finding) => [finding, some.get(finding) ?? 0])) as Record<Finding, number>;
}

/** `timeMs`: when the request ended, or when the fault was found. `reason`: our words and Envoy's, none of a caller's. */
export type Gap = {
  kind: GapKind;
  timeMs: number;
  exchangeId: string;
  envoyRequestId: string;
  reason: string;
};

export function isGap(kind: Finding): kind is GapKind {
  return (gapKinds as readonly Finding[]).includes(kind);
}
