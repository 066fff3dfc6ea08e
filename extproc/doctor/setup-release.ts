import { metadataOf, recordedOf, releasingOf } from './recorded.ts';
import type { Setting } from './setting.ts';
import type { SetupFault, SetupRule } from './setup.ts';

/** Traps between the two files of held requests whose answers begin at once. */
export const setupReleaseRules: readonly SetupRule[] = [
  {
    id: 'release-elsewhere',
    severity: 'critical',
    invariants: [],
    title: 'Approved requests cannot be sent on',
    why: 'What was held while its answer had begun is sent to the release listener; without one there the approval is lost.',
    find: ({ config, gateway }) => {
      const { releaseSocket } = config.approvals.streamed;
      const streaming = Object.entries(config.connections).filter(([, { streamHolds }]) => streamHolds);
      const listening = releasingOf(gateway).filter(
        ({ manager }) => manager.listener.at('address', 'pipe', 'path').text === releaseSocket,
      );
      const released = listening.flatMap(({ manager, processor }) =>
        manager.routes.map((route) => metadataOf(route, processor.name).get('x-skilltape-connection')?.text),
      );
      return streaming
        .filter(([name]) => !released.includes(name))
        .map(([name]) => ({
          where: 'skilltape',
          path: ['connections', name, 'streamHolds'],
          found: `no listener at ${releaseSocket} has a route for ${name}`,
          change: 'render the configuration of Envoy anew (`skilltape envoy render`), or streamHolds: false',
        }));
    },
  },
  {
    id: 'hold-outlives-stream',
    severity: 'warning',
    invariants: [],
    title: 'Envoy ends a held stream while people are asked',
    why: 'Each comment resets the idle timeout, and nothing the longest duration: what ends before the hold does is cut without a word.',
    find: ({ config, gateway }) => {
      if (!Object.values(config.connections).some(({ streamHolds }) => streamHolds)) return [];
      const { maxMs, commentIntervalMs } = config.approvals.streamed;
      const below = (at: Setting, ms: number, key: string): SetupFault[] => {
        const { durationMs } = at;
        if (durationMs === undefined || durationMs === 0 || durationMs > ms) return [];
        const found = `it is not longer than approvals.streamed.${key} (${ms})`;
        return [{ where: 'envoy', path: at.path, found, change: `more than ${ms / 1000}s` }];
      };
      return recordedOf(gateway).flatMap(({ manager: { config: manager, routes } }) => [
        ...below(manager.at('common_http_protocol_options', 'max_stream_duration'), maxMs, 'maxMs'),
        ...[manager.at('stream_idle_timeout'), ...routes.map(({ action }) => action.at('idle_timeout'))].flatMap(
          (idle) => below(idle, 2 * commentIntervalMs, 'commentIntervalMs, twice'),
        ),
      ]);
    },
  },
];
