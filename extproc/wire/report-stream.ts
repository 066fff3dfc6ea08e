import type { EndReport } from '../exchange/end-report.ts';
import { endReportsIn } from './access-log.ts';
import { grpcStatus } from './grpc-status.ts';
import type { GrpcStream } from './grpc-stream.ts';
import { BackwardWriter } from './protobuf-writer.ts';

/** Where reports go. `close`: the processor stops, and nobody may wait for one any longer. */
export type ReportSink = {
  take(exchangeId: string, report: EndReport): void;
  close(): void;
};

/** The streams on which Envoy's worker threads report exchanges that were broken off. */
export class ReportStreams {
  readonly #sink: ReportSink;
  readonly #open = new Set<GrpcStream>();

  constructor(sink: ReportSink) {
    this.#sink = sink;
  }

  /** Resolves when the stream is over; Envoy opens a new one with its next report. */
  async serve(stream: GrpcStream): Promise<void> {
    this.#open.add(stream);
    try {
      for (let message = await stream.next(); message !== undefined; message = await stream.next()) {
        for (const { exchangeId, report } of endReportsIn(message)) this.#sink.take(exchangeId, report);
      }
      await stream.send([emptyResponse]);
      stream.complete();
    } catch (error) {
      stream.fail({ code: grpcStatus.internal, details: error instanceof Error ? error.message : '' });
    } finally {
      this.#open.delete(stream);
    }
  }

  end(): void {
    this.#sink.close();
    for (const stream of this.#open) stream.fail({ code: grpcStatus.unavailable, details: 'the processor stops' });
    this.#open.clear();
  }
}

/** StreamAccessLogsResponse has no field. */
const emptyResponse = emptyMessage();

function emptyMessage(): Buffer {
  const writer = new BackwardWriter();
  writer.begin();
  writer.grpcPrefix();
  return writer.take();
}
