/** Callers who go on whatever happens, and remember to the byte what they were given. */
import { Agent } from 'node:https';
import { messagesBody } from '../../builders/messages-body.ts';
import type { TestGateway } from '../../environment/gateway.ts';
import { openCall } from '../../environment/raw-call.ts';

export type Seen = {
  /** Stands in the request's body, and in no other one. */
  marker: string;
  /** Null when no headers of an answer came. */
  status: number | null;
  /** Empty when nobody but Envoy answered. */
  exchangeId: string;
  received: Buffer;
  /** HTTP said that the answer is whole. */
  whole: boolean;
  /** Of the processor, when the call began. */
  life: number;
  /** Of the processor, when it was over: Envoy may take a second to tell. */
  overInLife: number;
};

export type Kind = 'plain' | 'stream' | 'slow stream' | 'large' | 'abandoned' | 'refused';
const kinds: readonly Kind[] = ['plain', 'stream', 'slow stream', 'plain', 'large', 'stream', 'abandoned', 'refused'];
const largeBytes = 200_000;
/** Callers of a gateway that refuses do not hurry. */
const pauseMs = 20;
const abandonedAfterMs = 40;

export class Load implements AsyncDisposable {
  /** Every call that is over. */
  readonly seen: Seen[] = [];
  answered = 0;
  failed = 0;
  life = 0;
  readonly #gateway: TestGateway;
  readonly #authorization: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #running: Promise<void>[];
  #sent = 0;
  #stopped = false;

  constructor(gateway: TestGateway, authorization: string, callers: number) {
    this.#gateway = gateway;
    this.#authorization = authorization;
    this.#running = Array.from({ length: callers }, () => this.#run());
  }

  /** Calls that are open end by themselves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#sent += 1;
      const seen = await callOnce(this.#gateway, {
        ...{ marker: `<load ${this.#sent}>`, kind: kinds[this.#sent % kinds.length] ?? 'plain', life: this.life },
        ...{ authorization: this.#authorization, agent: this.#agent },
      });
      this.seen.push({ ...seen, overInLife: this.life });
      const isAnswered = seen.status === 200 && seen.whole;
      if (isAnswered) this.answered += 1;
      else this.failed += 1;
      if (seen.status !== 200) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

export type CallOptions = { marker: string; kind: Kind; life: number; authorization: string; agent?: Agent };

/** One call, in two pieces, so that a death may come between them. */
export async function callOnce(gateway: TestGateway, options: CallOptions): Promise<Seen> {
  const { marker, kind, life, authorization, agent } = options;
  const headers: Record<string, string> = kind === 'refused' ? {} : { authorization };
  const call = openCall(gateway, { headers, ...(agent === undefined ? {} : { agent }) });
  const body = bodyOf(marker, kind);
  call.write(body.slice(0, body.length / 2));
  call.end(body.slice(body.length / 2));
  const head = await call.head.catch(() => null);
  if (kind === 'abandoned') {
    await new Promise((resolve) => setTimeout(resolve, abandonedAfterMs));
    call.abort();
  }
  const whole = (await call.over) === 'ended';
  const exchangeId = String(head?.headers['x-skilltape-exchange'] ?? '');
  return { marker, status: head?.status ?? null, exchangeId, received: call.received(), whole, life, overInLife: life };
}

function bodyOf(marker: string, kind: Kind): string {
  switch (kind) {
    case 'plain':
    case 'refused':
      return messagesBody(marker);
    case 'stream':
      return messagesBody(marker, { stream: true });
    case 'slow stream':
      return messagesBody(`[fake: large 2000] [fake: slow 10] ${marker}`, { stream: true });
    case 'abandoned':
      return messagesBody(`[fake: large 2000] [fake: slow 20] ${marker}`, { stream: true });
    case 'large':
      return messagesBody(`${marker} ${'x'.repeat(largeBytes)}`);
  }
}
