import type { ServerHttp2Stream } from 'node:http2';
import { SkilltapeError } from '../errors.ts';
import type { EndReport } from '../exchange/end-report.ts';
import { endReportsIn } from './access-log.ts';
import { grpcStatus } from './grpc-status.ts';
import { GrpcStream } from './grpc-stream.ts';

/** Where reports go. `close`: the processor stops, and nobody may wait for one any longer. */
export type ReportSink = {
  take(exchangeId: string, report: EndReport): void;
  close(): void;
};

/** An entry has all dynamic metadata of its request, and the first message of a stream names all extensions of Envoy. */
const reportMaxBytes = 1024 * 1024;

/** The streams on which Envoy's worker threads report exchanges that were broken off; each stays open. */
export class ReportStreams {
  readonly #sink: ReportSink;
  readonly #open = new Set<GrpcStream>();

  constructor(sink: ReportSink) {
    this.#sink = sink;
  }

  serve(stream: ServerHttp2Stream): void {
    const call = new GrpcStream(stream, { messageMaxBytes: reportMaxBytes });
    this.#open.add(call);
    void this.#take(call).finally(() => this.#open.delete(call));
  }

  /** Nobody waits for a report any longer; Envoy opens a stream anew with its next one. */
  end(): void {
    this.#sink.close();
    for (const call of this.#open)
      call.fail({ code: grpcStatus.unavailable, details: 'the processor is being stopped' });
  }

  async #take(call: GrpcStream): Promise<void> {
    try {
      for (let bytes = await call.next(); bytes !== undefined; bytes = await call.next()) {
        for (const { exchangeId, report } of endReportsIn(bytes)) this.#sink.take(exchangeId, report);
      }
      call.complete();
    } catch (error) {
      call.fail({ code: grpcStatus.internal, details: SkilltapeError.from(error).message });
    }
  }
}
