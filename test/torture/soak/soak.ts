/** A gateway under steady load for a long time, and whether anything of it grows. */
import { messagesBody } from '../../builders/messages-body.ts';
import type { TestGateway } from '../../environment/gateway.ts';
import { startTestGateway } from '../../environment/gateway.ts';
import { seededRandom } from '../../fakes/file-system.ts';
import { secondHalf, slopePerHour } from './growth.ts';
import type { Measure, Sample } from './samples.ts';
import { journalMbOf, measures, openFilesOf, rssMbOf } from './samples.ts';

export type SoakOptions = {
  seed: number;
  minutes: number;
  requestsPerSecond: number;
  progress: (line: string) => void;
  signal: AbortSignal;
};

export type SoakResult = {
  seed: number;
  minutes: number;
  requests: number;
  failed: number;
  growth: { measure: Measure; perHour: number; maxPerHour: number; passed: boolean }[];
  passed: boolean;
  samples: Sample[];
};

/** Full and freed again within minutes, so that its size is level for most of the time. */
const settings = {
  journal: { segmentMaxBytes: 1024 * 1024, journalMaxBytes: 16 * 1024 * 1024 },
  limits: { requestBodyMaxBytes: 1024 * 1024 },
};
const samplesPerRun = 120;
const sampleMinMs = 1_000;
/** A token is good for an hour. */
const tokenMs = 10 * 60_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { seed, minutes, signal, progress } = options;
  const gateway = await startTestGateway({ settings });
  const load = new SteadyLoad(gateway, options);
  const samples: Sample[] = [];
  const endMs = performance.now() + minutes * 60_000;
  const everyMs = Math.max(sampleMinMs, (minutes * 60_000) / samplesPerRun);
  try {
    await load.start();
    while (performance.now() < endMs && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      samples.push(await sampleOf(gateway, load));
      progress(JSON.stringify(samples.at(-1)));
    }
  } finally {
    await load.stop();
    await gateway.stop();
  }
  const growth = measures.map(({ name, growthMaxPerHour }) => {
    const points = secondHalf(samples.map((sample) => ({ atMs: sample.atMs, value: sample[name] })));
    const perHour = slopePerHour(points);
    return { measure: name, perHour, maxPerHour: growthMaxPerHour, passed: perHour <= growthMaxPerHour };
  });
  const passed = load.failed === 0 && !signal.aborted && growth.every((one) => one.passed);
  return { seed, minutes, requests: load.sent, failed: load.failed, growth, passed, samples };
}

async function sampleOf(gateway: TestGateway, load: SteadyLoad): Promise<Sample> {
  const { processor, envoy, dataDirectory } = gateway;
  return {
    atMs: Math.round(performance.now()),
    processorRssMb: rssMbOf(processor.pid),
    envoyRssMb: rssMbOf(envoy.child.pid),
    processorFiles: openFilesOf(processor.pid),
    envoyFiles: openFilesOf(envoy.child.pid),
    journalMb: journalMbOf(dataDirectory),
    indexLagMs: await load.indexLagMs(),
  };
}

/** As many requests a second as asked for, whether or not earlier ones are answered. */
class SteadyLoad {
  sent = 0;
  failed = 0;
  readonly #gateway: TestGateway;
  readonly #random: () => number;
  readonly #intervalMs: number;
  readonly #open = new Set<Promise<void>>();
  #authorization = '';
  #tokenAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(gateway: TestGateway, { seed, requestsPerSecond }: SoakOptions) {
    this.#gateway = gateway;
    this.#random = seededRandom(seed);
    this.#intervalMs = 1_000 / requestsPerSecond;
  }

  async start(): Promise<void> {
    await this.#renewToken();
    this.#timer = setInterval(() => this.#send(), this.#intervalMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  /** How long after its answer one exchange is in the index. */
  async indexLagMs(): Promise<number> {
    await this.#renewToken();
    const { exchangeId } = await this.#post(messagesBody('how far behind is the index'));
    const answeredAt = performance.now();
    await this.#gateway.document(exchangeId);
    return Math.round(performance.now() - answeredAt);
  }

  #send(): void {
    this.sent += 1;
    const call = this.#post(this.#body()).then(
      ({ status }) => void (status === 200 || this.#fail()),
      () => this.#fail(),
    );
    this.#open.add(call);
    void call.finally(() => this.#open.delete(call));
  }

  #fail(): void {
    this.failed += 1;
  }

  #body(): string {
    const text = `soak ${this.sent} ${'words of a prompt '.repeat(Math.floor(this.#random() * 100))}`;
    const kind = this.#random();
    if (kind < 0.1) return messagesBody(`[fake: large 500] [fake: slow 20] ${text}`, { stream: true });
    return messagesBody(text, kind < 0.5 ? { stream: true } : {});
  }

  #post(body: string) {
    return this.#gateway.post(body, { authorization: this.#authorization });
  }

  async #renewToken(): Promise<void> {
    if (performance.now() - this.#tokenAt < tokenMs) return;
    this.#authorization = `Bearer ${await this.#gateway.token()}`;
    this.#tokenAt = performance.now();
  }
}
