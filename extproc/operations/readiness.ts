/**
 * Whether this process should be given traffic, and why not. Each condition is one of a closed set with a reason in words
 * of ours, since whoever reaches the listener may read it. A `degraded` one is told but takes no traffic away: while the
 * archive or the index is away the journal waits for it, and while saved policies have a fault the ones before judge.
 */
export const conditionNames = [
  'policies',
  'journal',
  'journal_space',
  'volume',
  'listener',
  'drain',
  'shipping',
  'archive',
  'index',
  'break_glass',
  'notifications',
] as const;
export type ConditionName = (typeof conditionNames)[number];
export type ConditionState = 'ok' | 'degraded' | 'failed';
/** `worker` stands for a whole one, which cannot speak for itself. */
export type Condition = { name: ConditionName | 'worker'; state: ConditionState; reason: string };

/** Plain data, which survives JSON: what a worker hands to its primary. */
export type ReadinessReport = { ready: boolean; conditions: Condition[] };

type Finding = Omit<Condition, 'name'>;
const fine: Finding = { state: 'ok', reason: '' };

/** Before the start has come so far that somebody else says it. */
const notYet: Partial<Record<ConditionName, string>> = {
  policies: 'the policies are not compiled yet',
  journal: 'the journal is not recovered yet',
  listener: 'Envoy is not listened to yet',
};

export class Readiness {
  readonly #findings = new Map<ConditionName, () => Finding>();

  constructor() {
    for (const name of conditionNames) {
      const reason = notYet[name];
      this.#set(name, reason === undefined ? fine : { state: 'failed', reason });
    }
  }

  ok(name: ConditionName): void {
    this.#set(name, fine);
  }

  degraded(name: ConditionName, reason: string): void {
    this.#set(name, { state: 'degraded', reason });
  }

  failed(name: ConditionName, reason: string): void {
    this.#set(name, { state: 'failed', reason });
  }

  /** Asks `finding` each time somebody wants to know; null means that all is well. */
  watch(name: ConditionName, finding: () => Finding | null): void {
    this.#findings.set(name, () => finding() ?? fine);
  }

  report(): ReadinessReport {
    const conditions = [...this.#findings].map(([name, finding]) => ({ name, ...finding() }));
    return { ready: conditions.every(({ state }) => state !== 'failed'), conditions };
  }

  #set(name: ConditionName, finding: Finding): void {
    this.#findings.set(name, () => finding);
  }
}

export type MergedReport = { ready: boolean; processes: Record<string, ReadinessReport> };

/**
 * A primary with its workers takes traffic while it is ready itself and one worker is: Envoy's health checks keep the
 * others out. Their conditions are told all the same.
 */
export function mergeReports(primary: ReadinessReport, workers: ReadonlyMap<string, ReadinessReport>): MergedReport {
  const ready = primary.ready && [...workers.values()].some((worker) => worker.ready);
  return { ready, processes: Object.fromEntries([['primary', primary], ...workers]) };
}
