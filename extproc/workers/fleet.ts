import type { Position } from '../journal/position.ts';
import type { WorkerReports } from '../operations/operations.ts';
import type { PolicyBundle } from '../policy/bundle.ts';
import { FactHub } from './fact-hub.ts';
import { PolicyDesk } from './policy-desk.ts';
import type { FromWorker, SharedFact, WorkerStart } from './protocol.ts';
import { ReportDesk } from './report-desk.ts';
import type { SupervisorParts, WorkerState, WorkerStatus } from './supervisor.ts';
import { WorkerSupervisor } from './supervisor.ts';

export type FleetParts = Pick<SupervisorParts, 'launch' | 'drainMaxMs' | 'log' | 'clock'> & {
  workers: readonly number[];
  start(worker: number, facts: readonly SharedFact[]): WorkerStart;
  takeOver(worker: number): Promise<void>;
  /** A journal grew by ends of exchanges. */
  onEnded(): void;
};

/** Longer than workers gather ends before they tell of them. */
const busyMs = 150;

/** In the primary: all workers, and what they tell each other through it. */
export class Fleet {
  readonly #supervisors: readonly WorkerSupervisor[];
  readonly #hub: FactHub;
  readonly #desk = new ReportDesk();
  readonly #policies = new PolicyDesk();
  readonly #log: FleetParts['log'];
  /** What a worker that came up meanwhile has to be told. */
  #policy: PolicyBundle | undefined;
  readonly #onEnded: () => void;
  readonly #busyAtMs = new Map<number, number>();

  constructor({ workers, start, takeOver, onEnded, ...shared }: FleetParts) {
    this.#onEnded = onEnded;
    this.#log = shared.log;
    const byNumber = new Map<number, WorkerSupervisor>();
    this.#hub = new FactHub((worker, message) => byNumber.get(worker)?.send(message));
    for (const worker of workers) {
      const supervisor = new WorkerSupervisor({
        ...{ ...shared, worker },
        start: () => start(worker, this.#hub.remembered),
        async takeOver() {
          await takeOver(worker);
          onEnded();
        },
        onMessage: (message) => this.#heed(worker, message),
        onState: (state) => this.#follow(worker, state),
      });
      byNumber.set(worker, supervisor);
    }
    this.#supervisors = [...byNumber.values()];
  }

  /** Resolves when all of them take streams; rejects when one ends before. Their journals were recovered. */
  async begin(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.begin()));
  }

  status(): readonly WorkerStatus[] {
    return this.#supervisors.map((supervisor) => supervisor.status());
  }

  /** How they are; null where one does not say so in time. */
  async reports(): Promise<WorkerReports> {
    const asked = this.#supervisors.map(async (supervisor) => {
      const { worker, state } = supervisor.status();
      if (state !== 'recording' && state !== 'draining') return [worker, null] as const;
      return [worker, await this.#desk.ask((ask) => supervisor.send({ kind: 'report', ask }))] as const;
    });
    return new Map(await Promise.all(asked));
  }

  /** Whether one of them was busy when it last told of ends, a moment ago. */
  isBusy(): boolean {
    return Math.max(...this.#busyAtMs.values()) > performance.now() - busyMs;
  }

  /** @param positions for each worker in their order; null where nothing is in the index yet */
  delivered(positions: readonly (Position | null)[]): void {
    for (const [at, supervisor] of this.#supervisors.entries()) {
      const position = positions[at] ?? null;
      if (position !== null) supervisor.send({ kind: 'delivered', position });
    }
  }

  /** Workers that are not up yet are told when they are. */
  async usePolicy(policy: PolicyBundle): Promise<void> {
    this.#policy = policy;
    const up = this.#supervisors.filter((supervisor) => isUp(supervisor.status().state));
    await this.#tell(policy, up);
  }

  /** To be called every second or so. */
  checkHeartbeats(): void {
    for (const supervisor of this.#supervisors) supervisor.checkHeartbeat();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
  }

  /** Nothing is drained: what is open is ended as interrupted at the next start. */
  kill(): void {
    for (const supervisor of this.#supervisors) supervisor.kill();
  }

  #heed(from: number, message: FromWorker): void {
    switch (message.kind) {
      case 'ended':
        this.#busyAtMs.set(from, message.isBusy ? performance.now() : Number.NEGATIVE_INFINITY);
        this.#onEnded();
        return;
      case 'share': {
        const others = this.status().map(({ worker, state }) => ({ worker, answering: state === 'recording' }));
        this.#hub.share(from, message.ask, message.fact, others);
        return;
      }
      case 'noted':
        this.#hub.noted(from, message.id);
        return;
      case 'report':
        this.#desk.heed(message.ask, message.report);
        return;
      case 'policy_used':
        this.#policies.used(from, message.revision);
        return;
      case 'recording':
      case 'failed':
      case 'alive':
        return;
      default:
        message satisfies never;
    }
  }

  #follow(worker: number, state: WorkerState): void {
    if (state === 'starting') this.#hub.began(worker);
    else if (state !== 'recording') this.#hub.gone(worker);
    if (!isUp(state)) this.#policies.gone(worker);
    // It may have been given the policy before while it was starting.
    const supervisor = this.#supervisors.find((one) => one.status().worker === worker);
    if (state === 'recording' && this.#policy !== undefined && supervisor !== undefined) {
      void this.#tell(this.#policy, [supervisor]);
    }
  }

  #tell(policy: PolicyBundle, supervisors: readonly WorkerSupervisor[]): Promise<void> {
    const users = supervisors.map((supervisor) => ({
      worker: supervisor.status().worker,
      send: (next: PolicyBundle) => supervisor.send({ kind: 'policy', policy: next }),
      end: () => supervisor.kill(),
    }));
    return this.#policies.use(policy, users, (worker) => {
      this.#log.error({ worker, policy: policy.revision }, 'a worker does not take the policy in force and is ended');
    });
  }
}

/** Takes streams, whether it answers us or not. */
function isUp(state: WorkerState): boolean {
  return state === 'recording' || state === 'silent';
}
