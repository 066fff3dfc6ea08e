import type { ServerReadableStream, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import type { EndReport } from '../exchange/end-report.ts';
import { endReportsIn } from './access-log.ts';

/** Where reports go. `close`: the processor stops, and nobody may wait for one any longer. */
export type ReportSink = {
  take(exchangeId: string, report: EndReport): void;
  close(): void;
};

type ReportCall = ServerReadableStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

export const accessLogService: ServiceDefinition = {
  StreamAccessLogs: {
    path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
    ...{ requestStream: true, responseStream: false },
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  },
};

/** The streams on which Envoy's worker threads report exchanges that were broken off. */
export class ReportStreams {
  readonly #sink: ReportSink;
  readonly #open = new Map<ReportCall, () => void>();

  constructor(sink: ReportSink) {
    this.#sink = sink;
  }

  serve(call: ReportCall, answer: sendUnaryData<Buffer>): void {
    // An empty StreamAccessLogsResponse. Envoy opens a new stream with its next report.
    this.#open.set(call, () => answer(null, Buffer.alloc(0)));
    call.on('error', () => {});
    call.on('close', () => this.#open.delete(call));
    call.on('data', (message: Buffer) => this.#take(call, message));
    call.on('end', () => this.#open.get(call)?.());
  }

  end(): void {
    this.#sink.close();
    for (const finish of this.#open.values()) finish();
    this.#open.clear();
  }

  #take(call: ReportCall, message: Buffer): void {
    try {
      for (const { exchangeId, report } of endReportsIn(message)) this.#sink.take(exchangeId, report);
    } catch (error) {
      call.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
